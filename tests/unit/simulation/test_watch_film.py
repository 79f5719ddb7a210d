"""The user's film, as the simulation watches it: against films whose every frame is known."""

import numpy as np
import pytest
from planted_film import grey, write_film

from stim2bold.runtime.errors import InputError
from stim2bold.simulation.brain.image_settings import ImageSettings
from stim2bold.simulation.brain.participant import simulate_participant
from stim2bold.simulation.film.features import comprehend_words, describe_own, hear
from stim2bold.simulation.film.filmmaking import mix_sound, write_script
from stim2bold.simulation.film.settings import FilmSettings
from stim2bold.simulation.film.shooting import draw_frames
from stim2bold.simulation.film.shooting import write_film as encode
from stim2bold.simulation.film.truth import describe
from stim2bold.simulation.film.user_film import (
    decode_frames,
    decode_sound,
    film_zero,
    read_words,
)
from stim2bold.simulation.film.watcher import Watcher

RATE = 16000


def watched(path, n_frames):
    zero = film_zero(path, video=0, audio=0)
    watcher = Watcher()
    for _ in watcher.watch(decode_frames(path, n_frames, zero=zero, stream=0)):
        pass
    return watcher, decode_sound(path, n_frames, zero=zero, stream=0)


def test_pictures_are_those_on_the_screen_at_uneven_times(tmp_path):
    times = [0.0, 0.1, 0.13, 0.5, 0.52, 1.1]
    levels = [20, 60, 100, 140, 180, 220]
    path = tmp_path / "a film.mkv"
    write_film(path, times, [grey(level) for level in levels], end=1.2)
    zero = film_zero(path, video=0, audio=0)
    seen = [p.mean() for p in decode_frames(path, 29, zero=zero, stream=0)]
    middles = (np.arange(29) + 0.5) / 25
    expected = [levels[np.flatnonzero(np.array(times) <= t)[-1]] for t in middles]
    np.testing.assert_allclose(seen, expected, atol=4)


def test_a_film_begins_with_the_first_of_picture_and_sound(tmp_path):
    path = tmp_path / "film.mkv"
    click = np.zeros(2 * RATE)
    click[RATE : RATE + 8] = 0.9
    times = 0.4 + np.arange(40) / 25
    write_film(
        path, times, [grey(200)] * 40, sounds=[click], rate=RATE, sound_starts=[0.2], end=2.0
    )
    zero = film_zero(path, video=0, audio=0)
    assert zero == pytest.approx(0.2, abs=2e-3)
    pictures = list(decode_frames(path, 40, zero=zero, stream=0))
    levels = [picture.mean() for picture in pictures]
    # Nothing is on the screen in the first 0.2 s.
    assert max(levels[:5]) < 1 and min(levels[5:]) > 150
    sound = decode_sound(path, 40, zero=zero, stream=0)
    assert len(sound) == 40 * 1764
    assert np.abs(sound).argmax() / 44100 == pytest.approx(1.0, abs=2e-3)


def test_sound_after_a_gap_lies_where_it_belongs(tmp_path):
    path = tmp_path / "film.mkv"
    times = np.arange(50) / 25
    click = np.zeros(RATE // 2)
    click[RATE // 4] = 0.9
    write_film(path, times, [grey(99)] * 50, sounds=[click], rate=RATE, sound_starts=[1.2], end=2.0)
    sound = decode_sound(path, 50, zero=film_zero(path, video=0, audio=0), stream=0)
    assert np.abs(sound).argmax() / 44100 == pytest.approx(1.45, abs=2e-3)
    assert not sound[: int(1.15 * 44100)].any()
    assert not decode_sound(path, 50, zero=0.0, stream=3).any()


def test_a_film_that_is_too_short_is_refused_in_one_line(tmp_path):
    path = tmp_path / "short.mkv"
    write_film(path, np.arange(25) / 25, [grey(99)] * 25, end=1.0)
    with pytest.raises(InputError, match="short.mkv: its frames end at 1.0 s.*n_blocks") as info:
        list(decode_frames(path, 100, zero=0.0, stream=0))
    assert "\n" not in str(info.value)
    assert len(list(decode_frames(path, 25, zero=0.0, stream=0))) == 25


def test_what_is_no_film_is_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("no film")
    with pytest.raises(InputError, match="notes.txt: cannot be read as a film"):
        film_zero(path, video=0, audio=0)
    film = tmp_path / "film.mkv"
    write_film(film, [0.0], [grey(9)], end=0.1)
    with pytest.raises(InputError, match="no video stream 2"):
        film_zero(film, video=2, audio=0)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A film that the simulation drew, as a file, with the truth from its script."""
    film = write_script(FilmSettings(seed=5, n_blocks=5, block_seconds=4.0, TR=0.608))
    path = tmp_path_factory.mktemp("drawn") / "film.mp4"
    watcher = Watcher(shot.first for shot in film.shots)
    sound = mix_sound(film)
    encode(path, watcher.watch(draw_frames(film)), sound)
    return film, path, describe(film, watcher.features(), sound)


def test_watching_a_file_finds_what_was_drawn_in_it(drawn):
    """The features measured in the file follow those of the pictures and sounds put in."""
    film, path, truth = drawn
    watcher, sound = watched(path, film.settings.n_frames)
    seen = watcher.features()
    # Columns of form; movement differs where a cut was missed or seen too many.
    form, known = seen[:, :80], truth["seen"].values[:, :80]
    moving = known.std(axis=0) > 0.01
    r = [np.corrcoef(a, b)[0, 1] for a, b in zip(form.T, known.T, strict=True)]
    assert np.median(np.array(r)[moving]) > 0.99
    heard = hear(sound)
    r = [np.corrcoef(a, b)[0, 1] for a, b in zip(heard.T, truth["heard"].values.T, strict=True)]
    # Above 10 kHz the encoder leaves little.
    assert min(r[:20]) > 0.95
    late = np.corrcoef(heard[1:, 24], truth["heard"].values[:-1, 24])[0, 1]
    assert np.corrcoef(heard[:, 24], truth["heard"].values[:, 24])[0, 1] > late


def test_the_truth_says_language_only_where_words_are_known(drawn):
    film, path, _ = drawn
    watcher, sound = watched(path, film.settings.n_frames)
    without = describe_own(film.settings, watcher, hear(sound), None, film=path)
    assert set(without["kind"].values) == {"visual", "auditory"}
    assert "understood" not in without
    words = [(w.item, w.onset, w.offset) for u in film.utterances for w in u.words]
    known = describe_own(film.settings, watcher, hear(sound), words, film=path)
    assert set(known["kind"].values) == {"visual", "auditory", "language"}
    np.testing.assert_allclose(known["planted"].std("time"), 1, rtol=1e-4)
    # What is seen is the same whether or not words are known.
    n_visual = int((without["kind"] == "visual").sum())
    np.testing.assert_array_equal(known["planted"][:, :n_visual], without["planted"][:, :n_visual])
    assert int(known["shot"].max()) == len(watcher.cuts)


def test_words_are_counted_at_their_pictures():
    rows = comprehend_words([("zee", 0.10, 0.50), ("molens", 0.60, 0.70), ("zee", 3.0, 3.1)], 100)
    assert np.flatnonzero(rows[:, 0]).tolist() == [2, 15, 75]
    # Seconds covered, then seconds weighted by letters.
    np.testing.assert_allclose(rows[:, 1].sum() / 25, 0.4 + 0.1 + 0.1)
    np.testing.assert_allclose(rows[:, 3].sum() / 25, 3 * 0.5 + 6 * 0.1)
    assert rows[:, 4].sum() == 2 and rows[:, 5].sum() == 2
    assert rows[51, 6] == 2 and rows[52, 6] == 1 and rows[99, 6] == 1


def test_a_film_in_which_nothing_happens_is_refused(tmp_path):
    settings = FilmSettings(seed=1, n_blocks=5, block_seconds=2.0, TR=0.608)
    watcher = Watcher()
    for _ in watcher.watch([grey(50)] * settings.n_frames):
        pass
    silence = np.zeros((settings.n_frames, 26))
    with pytest.raises(InputError, match="neither image nor sound ever changes"):
        describe_own(settings, watcher, silence, None, film=tmp_path / "still.mp4")


def test_tables_of_words_are_read_and_refused(tmp_path):
    path = tmp_path / "words.tsv"
    path.write_text("item\tonset\toffset\nna\t2.5\t2.75\nnull\t1\t1.5\n")
    assert read_words(path) == [("null", 1.0, 1.5), ("na", 2.5, 2.75)]
    path.write_text('item\tonset\toffset\n"na\t2\t3\nzei"\t4\t5\nn/a\t6\t7\n')
    assert read_words(path) == [('"na', 2.0, 3.0), ('zei"', 4.0, 5.0), ("", 6.0, 7.0)]
    path.write_text("onset\toffset\n1\t2\n")
    with pytest.raises(InputError, match="words.tsv: .*item"):
        read_words(path)
    path.write_text("item\tonset\toffset\nja\tone\t2\n")
    with pytest.raises(InputError, match="words.tsv: "):
        read_words(path)


def test_cuts_are_found_and_movement_is_not_taken_for_one():
    rng = np.random.default_rng(0)
    scenes = [
        np.clip(rng.integers(0, 256, 3) + rng.normal(0, 20, (120, 160, 3)), 0, 255)
        for _ in range(6)
    ]
    pictures = [
        np.roll(scene, 3 * k, axis=1).astype(np.uint8) for scene in scenes for k in range(10)
    ]
    watcher = Watcher()
    for _ in watcher.watch(pictures):
        pass
    assert watcher.cuts == {10, 20, 30, 40, 50}


def test_cuts_of_a_real_film(real_input):
    """Its blocks begin every 30 s with other clips; a shot lasts longer than a second."""
    watcher, sound = watched(real_input("real/film.mp4"), 61 * 25)
    assert {750, 1500} <= watcher.cuts
    assert np.diff(sorted(watcher.cuts)).min() > 25
    assert 0.02 < sound.std() < 0.5


def test_nothing_is_planted_where_language_is_understood_without_words():
    settings = ImageSettings(
        t1w_voxel=4.0, bold_voxel=8.0, ceiling=0.4, between_correlation=0.6, no_signal=False,
        motion_mm=0.5, motion_degrees=0.5, jerks=1, deformation_mm=4.0, noise_percent=1.5,
        ar1=0.4, drift_percent=0.5, physiology_percent=0.3, bias_percent=10.0,
        t1w_noise_percent=2.5,
    )  # fmt: skip
    courses = np.linalg.qr(np.random.default_rng(1).standard_normal((120, 6)))[0] * np.sqrt(120)
    kinds = np.array(["visual"] * 4 + ["auditory"] * 2)
    participant = simulate_participant(
        courses, kinds, np.array([0.25] * 4 + [0.5] * 2), settings, TR=0.608, seed=1, number=1
    )
    assert set(participant.voxels["kind"]) == {"visual", "auditory"}
    labels = np.unique(participant.regions.get_fdata())
    assert set(labels) == {-1, 0, 1, 2}
    assert np.isfinite(participant.signal).all() and participant.strength > 0
    assert participant.voxels["ceiling"].mean() == pytest.approx(0.4, abs=1e-3)
