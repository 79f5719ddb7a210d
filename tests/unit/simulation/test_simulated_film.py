"""The simulated film, against what can be decoded from the file it is written to."""

import json
import sys
import time
from itertools import islice
from pathlib import Path

import av
import espeakng_loader
import numpy as np
import pandas as pd
import processes
import pytest
import xarray as xr
from nilearn.glm.first_level import spm_hrf
from scipy.signal import fftconvolve

from stim2bold.simulation.film import music, scenery, scenes, speech
from stim2bold.simulation.film.annotations import annotate_sound, annotate_video
from stim2bold.simulation.film.faces import MOUTH, SPEAKERS
from stim2bold.simulation.film.features import hear
from stim2bold.simulation.film.filmmaking import mix_sound, write_script
from stim2bold.simulation.film.planted_dimensions import (
    haemodynamic_response,
    high_passed,
    independent_dimensions,
    respond,
)
from stim2bold.simulation.film.sentences import SENTENCES
from stim2bold.simulation.film.settings import FRAME_RATE, SOUND_RATE, FilmSettings
from stim2bold.simulation.film.shooting import draw_frames, write_film
from stim2bold.simulation.film.watcher import Watcher

SCRIPTS = Path(__file__).parents[3] / "workflow" / "scripts"
SECTION = {"seed": 4, "n_blocks": 5, "block_seconds": 3.0, "TR": 0.608}
SETTINGS = FilmSettings(**SECTION)


def make(folder: Path, **changes) -> Path:
    """Run the script as the rule does."""
    section = {**SECTION, "participants": None, "images": None, **changes}
    done = processes.run(
        [sys.executable, SCRIPTS / "simulate_film.py", "--film", folder / "film.mp4",
         "--annotations", folder / "annotations", "--truth", folder / "film_features.nc",
         "--settings", json.dumps(section)],
        seconds=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make(tmp_path_factory.mktemp("film"))


@pytest.fixture(scope="module")
def decoded(folder):
    """Pictures with their times, sound with the time of its first sample."""
    with av.open(str(folder / "film.mp4")) as container:
        frames = list(container.decode(video=0))
        times = np.array([frame.time for frame in frames])
        pictures = np.stack([frame.to_ndarray(format="rgb24") for frame in frames])
    with av.open(str(folder / "film.mp4")) as container:
        chunks = list(container.decode(audio=0))
        sound = np.concatenate([chunk.to_ndarray()[0] for chunk in chunks])
        return times, pictures, sound, chunks[0]


def mouth_pixels(pictures):
    """Count the pixels of each picture that have the colour of the inside of a mouth."""
    count = np.zeros(len(pictures), dtype=int)
    for number, picture in enumerate(pictures):
        inside = np.abs(picture.astype(np.int16) - np.array(MOUTH, dtype=np.int16)).sum(axis=-1)
        count[number] = (inside < 45).sum()
    return count


@pytest.fixture(scope="module")
def film():
    return write_script(SETTINGS)


def test_film_has_the_promised_streams(folder, decoded):
    times, pictures, sound, chunk = decoded
    assert pictures.shape == (5 * 75, 240, 320, 3)
    np.testing.assert_allclose(times, np.arange(375) / 25, atol=1e-9)
    assert chunk.sample_rate == 44100 and chunk.layout.nb_channels == 1
    # The last AAC frame may be filled up.
    assert 0 <= len(sound) - 15 * 44100 < 1024
    with av.open(str(folder / "film.mp4")) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"
        assert container.streams.audio[0].codec_context.name == "aac"
        assert container.duration == 15_000_000


def test_decoded_sound_lies_where_it_was_mixed(decoded, film):
    _, _, sound, _ = decoded
    mixed = mix_sound(film)
    lag = np.argmax(fftconvolve(sound, mixed[::-1])) - len(mixed) + 1
    assert abs(lag) <= 1
    assert np.corrcoef(sound[: len(mixed)], mixed)[0, 1] > 0.98


def test_words_lie_where_the_sound_is(decoded, folder):
    """Every pause between words is quieter than the words on both sides of it."""
    _, _, sound, _ = decoded
    words = pd.read_csv(
        folder / "annotations/sound/sound_annotation_words.tsv", sep="\t", keep_default_na=False
    )
    assert len(words) >= 10
    assert (words.offset > words.onset).all() and words.onset.is_monotonic_increasing

    def loudness(onset, offset):
        part = sound[round(onset * SOUND_RATE) : round(offset * SOUND_RATE)]
        return np.sqrt(np.mean(part**2))

    pauses = 0
    for before, after in zip(words[:-1].itertuples(), words[1:].itertuples(), strict=True):
        if 0.15 < after.onset - before.offset < 1.0:
            pauses += 1
            silence = loudness(before.offset + 0.04, after.onset - 0.01)
            assert silence < 0.1 * loudness(before.onset, before.offset)
            assert silence < 0.1 * loudness(after.onset, after.offset)
    assert pauses >= 1
    # Speech starts with the first word of a block, to 30 ms.
    for block in (3.0, 9.0):
        first = words.onset[words.onset >= block].iloc[0]
        start = round((block + 0.03) * SOUND_RATE)
        envelope = np.abs(sound[start : round((first + 0.5) * SOUND_RATE)])
        heard = (start + np.argmax(envelope > 0.02)) / SOUND_RATE
        assert heard == pytest.approx(first, abs=0.03)


def test_mouths_open_with_the_voice(decoded, film):
    _, pictures, sound, _ = decoded
    open_pixels = mouth_pixels(pictures)
    frames = sound[: 375 * 1764].reshape(375, 1764)
    loudness = np.sqrt((frames**2).mean(axis=1))
    correlations = []
    for shot in film.shots:
        if shot.speaker is not None and shot.last - shot.first > 20:
            inside = slice(shot.first, shot.last)
            r = [
                np.corrcoef(np.roll(open_pixels[inside], lag), loudness[inside])[0, 1]
                for lag in (-4, 0, 4)
            ]
            correlations.append(r)
    early, together, late = np.mean(correlations, axis=0)
    assert together > 0.6
    assert together > early + 0.1 and together > late + 0.1


def test_mouths_are_shut_in_silence(decoded, film):
    _, pictures, _, _ = decoded
    said = np.zeros(375, dtype=bool)
    for utterance in film.utterances:
        said[int(utterance.onset * 25) - 1 : int(utterance.offset * 25) + 2] = True
    silent = [k for s in film.shots if s.speaker for k in range(s.first, s.last) if not said[k]]
    assert len(silent) > 5
    assert mouth_pixels(pictures[silent]).max() <= 12
    assert mouth_pixels(pictures).max() > 100


def test_every_cut_is_seen(decoded, film):
    _, pictures, _, _ = decoded
    pairs = zip(pictures[:-1], pictures[1:], strict=True)
    change = np.array([np.abs(b.astype(np.int16) - a).mean() for a, b in pairs])
    cuts = np.array([shot.first for shot in film.shots[1:]])
    inside = np.setdiff1d(np.arange(1, 375), cuts)
    assert change[cuts - 1].min() > np.median(change[inside - 1]) * 3


def test_annotations_have_the_format_of_ds003688(folder, real_input):
    real = real_input("ds003688/bids/stimuli/annotations")
    for kind, name in (("video", "facial expression"), ("sound", "words"), ("sound", "sentences")):
        file = f"{kind}/{kind}_annotation_{name}.tsv"
        ours = pd.read_csv(folder / "annotations" / file, sep="\t")
        theirs = pd.read_csv(real / file, sep="\t")
        assert list(ours.columns) == list(theirs.columns)
        assert len(ours)


def test_video_annotations_keep_the_grid_and_the_shots(film):
    tables = annotate_video(film)
    for table in tables.values():
        for column in ("onset", "offset"):
            steps = table[column] / 0.04
            np.testing.assert_allclose(steps, steps.round(), atol=1e-6)
        assert (table.offset > table.onset).all()
        assert (table.onset[1:].to_numpy() > table.offset[:-1].to_numpy()).all()
    music_seconds = (tables["music"].offset - tables["music"].onset).sum()
    face_seconds = (tables["face"].offset - tables["face"].onset).sum()
    assert music_seconds == pytest.approx(9.0) and face_seconds == pytest.approx(6.0)


def test_sound_annotations_agree_with_each_other(film):
    tables = annotate_sound(film)
    words, sentences = tables["words"], tables["sentences"]
    by_speaker = pd.concat([tables[speaker.name] for speaker in SPEAKERS])
    assert sorted(by_speaker.onset) == list(words.onset)
    said = " ".join(sentences.item).lower()
    assert all(word in said for word in words.item)
    for sentence in sentences.itertuples():
        assert sentence.item in SENTENCES
        inside = words[(words.onset >= sentence.onset) & (words.offset <= sentence.offset)]
        assert len(inside) == len(sentence.item.split())
    assert (words.onset // 3 % 2 == 1).all() and (words.offset // 3 % 2 == 1).all()
    assert set(tables["questions"].item) == {s for s in sentences.item if s.endswith("?")}
    # A syllable is some of the phonemes, in order.
    assert tables["syllables"].onset.isin(tables["phonemes"].onset).all()
    assert len(words) <= len(tables["syllables"]) < len(tables["phonemes"])


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(folder, tmp_path):
    again = make(tmp_path / "again")
    names = sorted(path.relative_to(folder) for path in folder.rglob("*.tsv"))
    assert names == sorted(path.relative_to(again) for path in again.rglob("*.tsv"))
    for name in [*names, Path("film.mp4")]:
        assert (folder / name).read_bytes() == (again / name).read_bytes(), name
    one, other = (xr.open_dataset(f / "film_features.nc") for f in (folder, again))
    xr.testing.assert_identical(one.load(), other.load())
    assert (
        write_script(FilmSettings(**{**SECTION, "seed": 5})).shots != write_script(SETTINGS).shots
    )


def test_blocks_must_be_whole_frames():
    with pytest.raises(ValueError, match="whole number of frames"):
        FilmSettings(seed=1, n_blocks=5, block_seconds=3.01, TR=0.608)


def test_standard_film_has_the_volumes_of_ds003688():
    assert FilmSettings(seed=1, n_blocks=13, block_seconds=30.0, TR=0.608).n_volumes == 641
    assert FilmSettings(seed=1, n_blocks=13, block_seconds=12.0, TR=0.608).n_volumes == 256


def test_truth_says_what_was_drawn_and_heard(folder, decoded, film):
    _, pictures, sound, _ = decoded
    truth = xr.open_dataset(folder / "film_features.nc")
    # Independent of the file's own measure: brightness of the decoded picture's top left twelfth.
    grey = pictures[:, :80, :80] @ np.array([0.299, 0.587, 0.114]) / 255
    assert np.corrcoef(truth.seen[:, 0], grey.mean(axis=(1, 2)))[0, 1] > 0.999
    # Loudness of the decoded sound in the 80 ms about each picture.
    padded = np.pad(sound, 882)
    level = [10 * np.log10((padded[k * 1764 :][:3528] ** 2).mean() + 1e-9) for k in range(375)]
    assert np.corrcoef(truth.heard[:, 24], level)[0, 1] > 0.9
    n_words = sum(len(utterance.words) for utterance in film.utterances)
    assert truth.understood[:, 0].sum() == n_words


def test_planted_dimensions_are_independent_and_their_shares_add_up(folder):
    truth = xr.open_dataset(folder / "film_features.nc")
    assert truth.sizes["time"] == int(15 / 0.608)
    np.testing.assert_allclose(truth.time, (np.arange(24) + 0.5) * 0.608)
    for kind in ("visual", "auditory", "language"):
        mine = truth.planted.values[:, truth.kind.values == kind]
        np.testing.assert_allclose(mine.T @ mine / 24, np.eye(mine.shape[1]), atol=1e-4)
        shares = truth.share.values[truth.kind.values == kind]
        assert shares.sum() == pytest.approx(1) and (np.diff(shares) <= 0).all()


def test_response_is_spms():
    """Against nilearn's sampled kernel, which starts one of its fine steps late."""
    step = 0.01
    time = np.arange(0, 32, step)
    kernel = spm_hrf(t_r=1.0, oversampling=100, time_length=32.0)
    ours = haemodynamic_response(time - step)
    assert np.abs(ours / ours.sum() - kernel).max() < 2e-3 * kernel.max()
    assert haemodynamic_response(np.linspace(0, 60, 60001)).mean() * 60 == pytest.approx(
        1, abs=1e-3
    )


def test_response_is_a_convolution_at_the_right_time():
    """A picture shown alone at 4 s is answered by the kernel from its middle on."""
    features = np.zeros((500, 1))
    features[100] = 1
    times = np.array([3.9, 9.0, 12.3])
    expected = haemodynamic_response(times - (100.5 / FRAME_RATE)) / FRAME_RATE
    np.testing.assert_allclose(respond(features, times, rate=FRAME_RATE)[:, 0], expected)


def test_high_pass_keeps_the_blocks_and_removes_the_drift():
    time = (np.arange(641) + 0.5) * 0.608
    blocks, drift = np.sin(2 * np.pi * time / 60), np.cos(np.pi * time / 389.7)
    kept = high_passed(np.column_stack([blocks, drift]), TR=0.608)
    assert kept[:, 0].std() > 0.98 * blocks.std()
    assert kept[:, 1].std() < 0.01 * drift.std()


def test_independent_dimensions_of_nothing_are_none():
    components, shares = independent_dimensions(np.ones((50, 4)), 3, TR=0.608)
    assert components.shape == (50, 0) and shares.shape == (0,)


@pytest.mark.parametrize("text", SENTENCES[::9])
def test_speech_gives_every_word_its_time(text):
    said = speech.say(text, SPEAKERS[0].voice)
    assert [word.item for word in said.words] == [w.strip(".,!?").lower() for w in text.split()]
    edges = [time for word in said.words for time in (word.onset, word.offset)]
    assert edges == sorted(edges) and edges[-1] <= said.duration
    for sound in said.phonemes:
        assert any(w.onset - 0.02 <= sound.onset < w.offset + 0.02 for w in said.words)


def test_a_film_is_the_same_bytes_whatever_lay_in_memory(folder, tmp_path):
    with av.open(str(folder / "film.mp4")) as film:
        pictures = [f.to_ndarray(format="rgb24") for f in islice(film.decode(video=0), 60)]
    sound = np.zeros(3 * SOUND_RATE, np.float32)
    rng = np.random.default_rng(0)
    written = set()
    for number in range(12):
        # Freed at once: what the encoder is given next holds it.
        left = [np.full(size, number, np.uint8) for size in rng.integers(10_000, 4_000_000, 20)]
        del left
        write_film(tmp_path / f"{number}.mp4", iter(pictures), sound)
        written.add((tmp_path / f"{number}.mp4").read_bytes())
    assert len(written) == 1


def test_speech_is_the_same_in_every_process_at_any_time():
    program = (
        "import hashlib; from stim2bold.simulation.film import speech\n"
        f"for name in {[speaker.voice.name for speaker in SPEAKERS]!r}:\n"
        "    said = speech.say('Waar woon jij nu?', speech.Voice(name, 50, 150))\n"
        "    print(name, hashlib.sha256(said.samples.tobytes()).hexdigest())\n"
    )
    said = set()
    for _ in range(2):
        done = processes.run(
            [sys.executable, "-c", program],
            env={"PYTHONPATH": str(Path(speech.__file__).parents[3])},
            seconds=60,
        )
        assert done.returncode == 0, done.stderr
        said.add(done.stdout)
        # eSpeak NG knows the time to the second.
        time.sleep(1)
    assert len(said) == 1, said


def test_speech_is_found_however_deep_its_environment_lies(tmp_path):
    deep = tmp_path / ("d" * 100) / ("e" * 100) / "espeak-ng-data"
    deep.parent.mkdir(parents=True)
    deep.symlink_to(espeakng_loader.get_data_path(), target_is_directory=True)
    program = (
        "import espeakng_loader; from stim2bold.simulation.film import speech\n"
        f"espeakng_loader.get_data_path = lambda: {str(deep)!r}\n"
        "print(len(speech.say('Waar woon jij nu?', speech.Voice('nl', 50, 150)).samples))\n"
    )
    done = processes.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(Path(speech.__file__).parents[3])},
        seconds=60,
    )
    assert done.returncode == 0 and int(done.stdout) > 10_000, done.stderr


def test_voices_differ_in_pitch():
    """The strongest spacing of the waveform is longer in a deeper voice."""
    periods = []
    for speaker in SPEAKERS:
        samples = speech.say("Waar woon jij nu?", speaker.voice).samples
        spectrum = np.abs(np.fft.rfft(samples, 2 * len(samples))) ** 2
        correlation = np.fft.irfft(spectrum)
        low, high = speech.RATE // 400, speech.RATE // 60
        periods.append(low + np.argmax(correlation[low:high]))
    assert periods[0] < periods[1] and len(set(periods)) == len(SPEAKERS)


def test_music_passages_differ_and_fill_their_time():
    passages = music.draw_passages(0.0, 30.0, np.random.default_rng(0))
    assert passages[0].onset == 0 and passages[-1].offset == 30
    for before, after in zip(passages[:-1], passages[1:], strict=True):
        assert before.offset == after.onset and before.timbre != after.timbre
    sound = music.play(passages[0], rate=SOUND_RATE)
    assert len(sound) == round(passages[0].offset * SOUND_RATE)
    assert np.abs(sound).max() <= passages[0].loudness + 1e-6
    spectra = np.stack([hear(music.play(p, rate=SOUND_RATE)).mean(axis=0) for p in passages])
    distances = np.abs(spectra[:, None] - spectra[None]).mean(axis=-1)
    assert distances[~np.eye(len(passages), dtype=bool)].min() > 0.5


@pytest.mark.parametrize("name", sorted(scenes.SCENES))
def test_scenes_move_and_are_their_own(name):
    def paint(pace):
        setting = scenery.Setting(np.random.default_rng(5), pace, 0.5)
        return scenes.make_scene(name, setting)

    one, other = paint(1.0), paint(1.0)
    np.testing.assert_array_equal(one(0.7), other(0.7))
    assert one(0.7).shape == (240, 320, 3) and one(0.7).dtype == np.uint8
    assert (one(0.7) != one(0.9)).any()


def test_watcher_sees_direction_and_no_movement_across_a_cut():
    pattern = np.random.default_rng(0).integers(0, 255, (30, 50, 1)).repeat(3, axis=2)
    picture = np.kron(pattern, np.ones((8, 8, 1))).astype(np.uint8)
    pictures = [picture[:, 4 * k : 320 + 4 * k] for k in range(10)]
    watcher = Watcher([0, 5])
    assert len(list(watcher.watch(pictures))) == 10
    seen = watcher.features()
    # 80 features of form, then rightward, leftward, downward, upward movement by speed.
    motion = seen[2, 80 : 80 + 12].reshape(3, 4).sum(axis=0)
    assert motion.argmax() == 1
    assert seen[5, -1] == 1 and seen[4, -1] == 0
    # Before the cut only what came before it counts, after it only what came after.
    assert seen[4, 80:105].sum() != 0
    np.testing.assert_allclose(np.abs(seen[4, 80:92]).sum() * 2,
                               np.abs(seen[3, 80:92]).sum(), rtol=0.35)  # fmt: skip


def test_pictures_are_as_many_as_promised(film):
    assert sum(1 for _ in draw_frames(film)) == SETTINGS.n_frames
