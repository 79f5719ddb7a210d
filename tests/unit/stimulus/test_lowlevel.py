import numpy as np
import pytest
import xarray as xr
from shipped import shipped

from stim2bold.stimulus.lowlevel import (
    pitch_track,
    sound_features,
    video_features,
)
from stim2bold.stimulus.resampling import merge_at_volumes
from stim2bold.stimulus.spectrogram import SpectrogramSettings
from stim2bold.stimulus.timing import Timing, sample_times

SETTINGS = shipped(SpectrogramSettings)


def textured(level, seed=0):
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, 10, (32, 32, 1))
    return np.clip(level + noise + np.zeros(3), 0, 255).astype(np.uint8)


def test_luminance_and_contrast_of_known_frames():
    half = np.zeros((32, 32, 3), np.uint8)
    half[:, 16:] = 255
    rows = video_features([half, np.full((32, 32, 3), 51, np.uint8)], sample_times(0.08, 25))
    np.testing.assert_allclose(rows.sel(feature="video/luminance"), [0.5, 0.2], atol=1e-5)
    np.testing.assert_allclose(rows.sel(feature="video/contrast"), [0.5, 0.0], atol=1e-5)


def test_cuts_are_told_from_motion():
    # A bar moves; at frame 20 the scene changes; at frame 40 it changes again.
    frames = []
    for index in range(60):
        scene = textured((40, 180, 90)[index // 20], seed=index // 20)
        scene[:, (index * 2) % 30 : (index * 2) % 30 + 3] = 230
        frames.append(scene)
    rows = video_features(frames, sample_times(60 / 25, 25))
    assert np.flatnonzero(rows.sel(feature="video/cut")).tolist() == [20, 40]
    motion = rows.sel(feature="video/motion").values
    assert motion[20] == 0 and motion[1:20].min() > 0.5


def test_a_still_film_has_no_motion_and_no_cut():
    rows = video_features([textured(100)] * 30, sample_times(30 / 25, 25))
    assert rows.sel(feature=["video/motion", "video/cut"]).values.max() == 0


@pytest.mark.parametrize("frequency", [90.0, 131.3, 222.2, 410.0])
def test_pitch_of_harmonic_sounds(frequency):
    t = np.arange(16000) / 16000
    sound = 0.1 * sum(np.sin(2 * np.pi * k * frequency * t) / k for k in range(1, 9))
    pitch, voicing = pitch_track(sound, SETTINGS)
    assert np.median(pitch[5:-5]) == pytest.approx(frequency, rel=0.01)
    assert voicing[5:-5].min() > 0.9


def test_noise_and_silence_have_no_pitch():
    rng = np.random.default_rng(0)
    _, voicing = pitch_track(rng.normal(0, 0.1, 16000), SETTINGS)
    assert np.median(voicing) < 0.5
    _, voicing = pitch_track(np.zeros(16000), SETTINGS)
    assert voicing.max() == 0


def rows_of(modulation, depth=1.0):
    t = np.arange(10 * 16000) / 16000
    noise = np.random.default_rng(0).normal(0, 0.05, len(t))
    sound = noise * (1.0 + depth * np.clip(2 * np.sin(2 * np.pi * modulation * t), -1, 1))
    return sound_features(sound, SETTINGS).isel(time=slice(100, -100))


def test_syllables_are_told_from_other_rhythms():
    depth = {
        rate: float(rows_of(rate).sel(feature="sound/syllables").median()) for rate in (1, 4, 12)
    }
    assert depth[4] > 2 * max(depth[1], depth[12])


def test_speech_is_silent_between_its_syllables():
    broken, steady = rows_of(4), rows_of(4, depth=0.2)
    # A sine cut off at half its height is low for two fifths of the time.
    assert float(broken.sel(feature="sound/low_energy").mean()) == pytest.approx(0.42, abs=0.08)
    assert float(broken.sel(feature="sound/speech").mean()) > 0.95
    assert float(steady.sel(feature=["sound/low_energy", "sound/speech"]).max()) == 0


def test_a_click_and_a_flash_lie_where_they_were_put():
    sound = np.zeros(5 * 16000)
    sound[round(2.345 * 16000)] = 1.0
    rows = sound_features(sound, SETTINGS)
    energy = rows.sel(feature="sound/envelope").values.astype(float) ** 2
    assert (rows["time"].values * energy).sum() / energy.sum() == pytest.approx(2.345, abs=0.01)
    timing = Timing(TR=0.608)
    at_trs = merge_at_volumes([rows], timing=timing, duration=5.0)
    assert at_trs.sel(feature="sound/envelope").values.argmax() == int(2.345 / 0.608)


def test_tables_of_different_steps_are_merged():
    def table(step, name):
        times = np.arange(0, 10, step)
        return xr.DataArray(
            times[:, np.newaxis],
            dims=("time", "feature"),
            coords={"time": times, "feature": [name]},
            name="features",
        )

    rows = merge_at_volumes([table(0.04, "a"), table(0.016, "b")], timing=Timing(1.0), duration=9.0)
    assert rows.dims == ("time", "feature")
    assert rows["feature"].values.tolist() == ["a", "b"]
    np.testing.assert_allclose(rows.sel(feature="a"), rows["time"], atol=1e-5)
    np.testing.assert_allclose(rows.sel(feature="b"), rows["time"], atol=1e-5)
