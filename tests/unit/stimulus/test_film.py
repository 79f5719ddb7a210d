import json
import sys
from pathlib import Path

import numpy as np
import processes
import pytest
from planted_film import grey, write_film
from shipped import configuration, shipped

from stim2bold.runtime.errors import InputError
from stim2bold.stimulus.film import probe, sample
from stim2bold.stimulus.film_streams import StreamSettings

LEVELS = [20, 50, 80, 110, 140, 170, 200, 230]


@pytest.fixture
def uneven(tmp_path):
    """A film of eight frames, none as long as the next, whose sound starts 0.25 s before it."""
    times = np.array([0.25, 0.29, 0.40, 0.43, 0.60, 0.61, 0.90, 1.00])
    path = tmp_path / "uneven film.mkv"
    write_film(path, times, [grey(level) for level in LEVELS], sounds=[np.zeros(20000)], end=1.04)
    return path, times


def test_true_times_of_a_variable_rate(uneven):
    path, times = uneven
    frames, film = probe(path, shipped(StreamSettings))
    np.testing.assert_allclose(frames["time"], times, atol=6e-4)
    np.testing.assert_allclose(frames["duration"][:-1], np.diff(times), atol=1.1e-3)
    assert film["zero"] == 0
    assert film["video"]["start"] == pytest.approx(0.25, abs=6e-4)
    assert film["duration"] == pytest.approx(1.04, abs=2e-3)
    assert not film["video"]["constant_rate"]
    assert film["audio"]["end"] == pytest.approx(1.25, abs=2e-3)


def test_the_frame_on_screen_at_any_time(uneven):
    path, times = uneven
    at = np.sort(np.random.default_rng(0).uniform(0, 1.3, 300))
    at = at[np.abs(at[:, np.newaxis] - times).min(axis=1) > 2e-3]
    seen = [frame.mean() for frame in sample(path, at, zero=0.0, short_side=32, crop=16)]
    index = np.searchsorted(times, at, side="right") - 1
    expected = np.where(index < 0, 0, np.array(LEVELS)[np.maximum(index, 0)])
    np.testing.assert_allclose(seen, expected, atol=3)


def test_film_time_starts_with_whatever_comes_first(tmp_path):
    path = tmp_path / "late.mkv"
    frames = [grey(level) for level in LEVELS]
    write_film(
        path,
        3 + np.arange(8) * 0.04,
        frames,
        sounds=[np.zeros(16000)],
        sound_starts=[3.1],
        end=3.32,
    )
    frames, film = probe(path, shipped(StreamSettings))
    assert film["zero"] == pytest.approx(3.0, abs=2e-3)
    assert frames["time"][0] == 0
    assert film["audio"]["start"] == pytest.approx(0.1, abs=2e-3)
    seen = [
        frame.mean()
        for frame in sample(path, [0.02, 0.06], zero=film["zero"], short_side=32, crop=16)
    ]
    np.testing.assert_allclose(seen, LEVELS[:2], atol=3)


def test_gaps_and_repeats_are_counted(tmp_path):
    path = tmp_path / "gap.mkv"
    times = [0, 0.04, 0.08, 0.20, 0.24, 0.28]
    write_film(path, times, [grey(level) for level in (20, 20, 90, 150, 200, 200)], end=0.32)
    frames, film = probe(path, shipped(StreamSettings))
    assert film["video"]["gaps"] == 1
    assert frames["repeat"].tolist() == [0, 1, 0, 0, 0, 1]
    assert film["audio"] is None


def test_a_wide_picture_loses_its_sides_not_its_shape(tmp_path):
    path = tmp_path / "wide.mkv"
    frame = np.zeros((64, 160, 3), np.uint8)
    frame[:, 48:112] = 255  # the middle square
    write_film(path, [0, 0.04], [frame, frame], end=0.08)
    (seen,) = sample(path, [0.02], zero=0.0, short_side=32, crop=32)
    assert seen.shape == (32, 32, 3)
    assert seen[:, 2:-2].min() > 235


def test_choice_among_streams(tmp_path):
    path = tmp_path / "languages.mkv"
    write_film(path, [0, 0.5], [grey(20)] * 2, sounds=[np.zeros(800), np.zeros(1600)], end=1.0)
    assert probe(path, shipped(StreamSettings, audio=1))[1]["audio"]["samples"] == 1600
    with pytest.raises(InputError, match="has 2 audio stream.*0-1"):
        probe(path, shipped(StreamSettings, audio=2))
    with pytest.raises(InputError, match="has 1 video stream"):
        probe(path, shipped(StreamSettings, video=1))


def test_missing_empty_and_other_files(tmp_path):
    with pytest.raises(InputError, match="no such film; set 'film'"):
        probe(tmp_path / "none.mp4", shipped(StreamSettings))
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(InputError, match="is empty"):
        probe(tmp_path / "empty.mp4", shipped(StreamSettings))
    (tmp_path / "text.mp4").write_text("This is no film.\n" * 200)
    with pytest.raises(InputError, match="cannot be read as a film"):
        probe(tmp_path / "text.mp4", shipped(StreamSettings))
    with pytest.raises(InputError, match="is a folder"):
        probe(tmp_path, shipped(StreamSettings))


def test_truncated_film(tmp_path):
    path = tmp_path / "whole.mp4"
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 255, (64, 64, 3), dtype=np.uint8) for _ in range(100)]
    write_film(path, np.arange(100) * 0.04, frames, end=4.0)
    content = path.read_bytes()
    # The index of an MP4 stands at its end unless it is written for streaming.
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match="cannot be read as a film"):
        probe(cut, shipped(StreamSettings))


def test_truncated_film_whose_index_is_whole(tmp_path):
    path = tmp_path / "whole.mkv"
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 255, (64, 64, 3), dtype=np.uint8) for _ in range(150)]
    write_film(path, np.arange(150) * 0.04, frames, end=6.0)
    content = path.read_bytes()
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match="breaks off at 2.*of 6.0 s|breaks off at 3.*of 6.0 s"):
        probe(cut, shipped(StreamSettings))


def test_sound_without_pictures(tmp_path):
    from stim2bold.stimulus.audio import write_wav

    write_wav(tmp_path / "sound.wav", np.zeros(1000), 16000)
    with pytest.raises(InputError, match="has no video stream"):
        probe(tmp_path / "sound.wav", shipped(StreamSettings))


def test_an_unknown_codec_is_named(tmp_path):
    path = tmp_path / "whole.mkv"
    write_film(path, [0, 0.04], [grey(20), grey(90)], end=0.08)
    content = path.read_bytes()
    assert content.count(b"V_MPEG4/ISO/AVC") == 1
    path.write_bytes(content.replace(b"V_MPEG4/ISO/AVC", b"V_UNHEARDOF/XYZ"))
    with pytest.raises(InputError, match="unknown codec; convert it to H.264"):
        probe(path, shipped(StreamSettings))


def test_every_fault_is_one_line_of_a_script(tmp_path):
    (tmp_path / "text.mp4").write_text("This is no film.\n" * 200)
    script = Path(__file__).parents[3] / "workflow" / "scripts" / "probe_film.py"
    settings = ["--settings", json.dumps(configuration()["streams"])]
    for name in ("none.mp4", "text.mp4"):
        out = ["--frames", str(tmp_path / "f.tsv"), "--clock", str(tmp_path / "c.json")]
        result = processes.run(
            [sys.executable, str(script), "--film", str(tmp_path / name), *out, *settings],
            seconds=120,
        )
        assert result.returncode == 1
        lines = result.stderr.strip().splitlines()
        assert len(lines) == 1 and lines[0].startswith(f"error: {tmp_path / name}: ")
        assert not (tmp_path / "f.tsv").exists()
