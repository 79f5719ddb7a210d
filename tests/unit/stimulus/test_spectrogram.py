import librosa
import numpy as np
import pytest
from shipped import shipped

from stim2bold.stimulus.resampling import frame_offsets, per_volume, spectrogram_at_volumes
from stim2bold.stimulus.spectrogram import (
    SpectrogramSettings,
    frame_times,
    log_magnitudes,
    log_mel,
    mel_centres,
    spectrogram,
)
from stim2bold.stimulus.timing import Timing


def noise(seconds, seed=0, rate=16000):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=round(seconds * rate)) * 0.1).astype(np.float32)


@pytest.mark.parametrize(
    "settings",
    [
        shipped(SpectrogramSettings),
        shipped(SpectrogramSettings, n_fft=512, hop=160, n_mels=40, fmin=0, fmax=8000),
        shipped(SpectrogramSettings, rate=22050, n_fft=2048, hop=300, n_mels=128, fmax=11025),
    ],
)
def test_log_mel_equals_librosa(settings):
    sound = noise(3.21, rate=settings.rate)
    expected = librosa.feature.melspectrogram(
        y=sound.astype(float),
        sr=settings.rate,
        n_fft=settings.n_fft,
        hop_length=settings.hop,
        power=1.0,
        n_mels=settings.n_mels,
        fmin=settings.fmin,
        fmax=settings.fmax,
        pad_mode="constant",
    )
    expected = np.log(np.maximum(expected, settings.floor)).T
    np.testing.assert_allclose(log_mel(sound, settings), expected, atol=1e-4)


def test_linear_equals_librosa():
    settings = shipped(SpectrogramSettings)
    sound = noise(1.0)
    expected = np.abs(librosa.stft(sound, n_fft=1024, hop_length=256, pad_mode="constant")).T
    expected = np.log(np.maximum(expected, settings.floor))
    np.testing.assert_allclose(log_magnitudes(sound, settings), expected, atol=1e-4)


def test_a_tone_is_found_in_its_band_and_a_click_at_its_time():
    settings = shipped(SpectrogramSettings)
    sound = np.zeros(32000, np.float32)
    sound[16000] = 1.0
    values = log_mel(sound, settings)
    energy = np.exp(values).sum(axis=1)
    centre = (frame_times(len(values), settings) * energy)[energy > energy.max() / 1e3]
    assert centre.sum() / energy[energy > energy.max() / 1e3].sum() == pytest.approx(1.0, abs=0.01)
    sine = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    band = log_mel(sine, settings)[20].argmax()
    assert mel_centres(settings)[band] == pytest.approx(1000, rel=0.06)


def test_a_tr_of_the_target_data_set_holds_38_of_the_own_frames():
    settings = shipped(SpectrogramSettings)
    timing = Timing(TR=0.608)
    values = log_mel(noise(6.08), settings)
    times = frame_times(len(values), settings)
    rows = per_volume(times, values, timing=timing, n_rows=10, fill=-9.0)
    assert rows.shape == (10, 38, 80)
    np.testing.assert_array_equal(rows.reshape(380, 80), values[:380])


@pytest.mark.parametrize(("tr", "onset"), [(0.608, 0.0), (0.7, 0.13), (2.2, -0.5), (1.0, 0.004)])
def test_frames_lie_where_time_plus_frame_says(tr, onset):
    # A spectrogram whose value is its own time.
    times = np.arange(2000) * 0.016
    timing = Timing(TR=tr, film_onset=onset)
    rows = per_volume(times, times[:, np.newaxis], timing=timing, n_rows=8, fill=np.nan)
    offsets = frame_offsets(tr, 0.016)
    assert len(offsets) == round(tr / 0.016)
    expected = timing.centres(8)[:, np.newaxis] + offsets
    inside = expected >= 0
    np.testing.assert_allclose(rows[..., 0][inside], expected[inside], atol=1e-5)
    # All rows together are one regular series.
    np.testing.assert_allclose(np.diff(expected.ravel()), tr / len(offsets), atol=1e-9)


def test_silence_where_there_is_no_film():
    settings = shipped(SpectrogramSettings)
    mel = spectrogram(noise(3.04), settings)
    rows = spectrogram_at_volumes(mel, timing=Timing(TR=0.608, film_onset=1.216), duration=3.04)
    assert rows.sizes["time"] == 7
    assert rows["inside"].values.tolist() == [0, 0, 1, 1, 1, 1, 1]
    np.testing.assert_allclose(rows.values[:2], np.log(settings.floor), atol=1e-5)
    assert rows.values[2].mean() > np.log(settings.floor) + 2


@pytest.mark.parametrize("values", [{"fmin": 9000.0}, {"hop": 2000}, {"floor": 0.0}])
def test_impossible_settings_are_refused(values):
    with pytest.raises(ValueError):
        shipped(SpectrogramSettings, **values)
