import numpy as np
import pandas as pd
import pytest
import soundfile
import xarray as xr
from shipped import shipped

from stim2bold.io.files import read_table
from stim2bold.sound.griffin_lim import InversionSettings
from stim2bold.sound.ladder import frames_of, middle_segments, save_ladder, sound_ladder
from stim2bold.stimulus.resampling import spectrogram_at_volumes
from stim2bold.stimulus.spectrogram import SpectrogramSettings, spectrogram
from stim2bold.stimulus.timing import Timing

SETTINGS = shipped(SpectrogramSettings)
QUICK = shipped(InversionSettings, iterations=20, nnls_iterations=30)


def melody(seconds):
    """A tone that climbs one step a second, so that any shift in time shows."""
    t = np.arange(round(seconds * 16000)) / 16000
    frequency = 300 + 100 * np.floor(t)
    return (0.3 * np.sin(2 * np.pi * np.cumsum(frequency) / 16000)).astype(np.float32)


def test_segments_are_the_middles_of_the_blocks():
    blocks = pd.DataFrame(
        {"onset": [5.0, 35.0, 65.0], "offset": [35.0, 65.0, 70.0], "trial_type": ["m", "s p", "m"]}
    )
    got = middle_segments(blocks, seconds=10, film_onset=5.0, duration=64.0)
    assert got["segment"].tolist() == ["segment-00-m", "segment-01-s-p", "segment-02-m"]
    assert got["onset"].tolist() == [10.0, 40.0, 60.0]
    assert got["duration"].tolist() == [10.0, 10.0, 4.0]


@pytest.mark.parametrize("tr", [0.608, 0.7])
def test_rungs_are_in_time_and_equally_loud(tr, tmp_path):
    sound = melody(12)
    mel = spectrogram(sound, SETTINGS)
    rows = spectrogram_at_volumes(mel, timing=Timing(TR=tr), duration=12.0).drop_vars("inside")
    segments = middle_segments(
        pd.DataFrame({"onset": [0.0, 6.0], "offset": [6.0, 12.0], "trial_type": ["a", "b"]}),
        seconds=3.0,
        film_onset=0.0,
        duration=12.0,
    )
    ladder = sound_ladder(
        sound,
        mel,
        {"vae": rows, "video": rows, "latent": rows},
        segments,
        spectrogram=SETTINGS,
        inversion=QUICK,
    )
    save_ladder(tmp_path, segments, ladder, rate=16000)
    rungs = read_table(tmp_path / "rungs.tsv")
    assert rungs["rung"].tolist() == ["original", "griffinlim", "latent", "video", "vae"]
    assert rungs["what"].tolist()[:2] == ["the film's sound", "its own spectrogram, inverted"]
    for segment in segments.itertuples():
        loudness = []
        for rung in rungs["rung"]:
            got, rate = soundfile.read(tmp_path / f"{segment.segment}_{rung}.wav")
            assert (rate, len(got)) == (16000, 48000)
            loudness.append(np.sqrt(np.mean(got**2)))
            for second in np.arange(np.ceil(segment.onset), segment.onset + 2.4):
                start = round((second - segment.onset + 0.1) * 16000)
                spectrum = np.abs(np.fft.rfft(got[start : start + 12800]))
                peak = spectrum.argmax() * 16000 / 12800
                assert peak == pytest.approx(300 + 100 * second, abs=25), (rung, second)
        np.testing.assert_allclose(loudness, loudness[0], rtol=1e-3)


def test_rows_with_a_gap_cover_only_what_they_cover():
    mel = spectrogram(melody(12), SETTINGS)
    rows = spectrogram_at_volumes(mel, timing=Timing(TR=0.608), duration=12.0)
    holed = rows.isel(time=[*range(6), *range(9, 19)])
    assert frames_of(holed, 0.5, 2.0, 0.016) is not None
    assert frames_of(holed, 3.0, 2.0, 0.016) is None
    assert frames_of(holed, 20.0, 2.0, 0.016) is None
    first, frames = frames_of(rows, 1.0, 2.0, 0.016)
    np.testing.assert_allclose(frames, mel.values[first : first + len(frames)], atol=1e-5)
    assert first == 63


def test_a_model_without_the_rows_has_no_rung():
    sound = melody(6)
    mel = spectrogram(sound, SETTINGS)
    rows = spectrogram_at_volumes(mel, timing=Timing(TR=0.608), duration=6.0).isel(time=slice(0, 3))
    segments = pd.DataFrame(
        {"segment": ["segment-00-a"], "trial_type": "a", "onset": [3.0], "duration": [2.0]}
    )
    ladder = sound_ladder(
        sound, mel, {"short": rows}, segments, spectrogram=SETTINGS, inversion=QUICK
    )
    assert set(ladder["segment-00-a"]) == {"original", "griffinlim"}
    assert isinstance(mel, xr.DataArray)
