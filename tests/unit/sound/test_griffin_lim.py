import librosa
import numpy as np
import pytest
import scipy.optimize
from shipped import shipped

from stim2bold.sound.griffin_lim import (
    InversionSettings,
    equally_loud,
    griffin_lim,
    invert,
    mel_to_linear,
)
from stim2bold.stimulus.spectrogram import SpectrogramSettings, log_mel, mel_filters


def voice(seconds=2.0, rate=16000):
    """Gliding harmonics with syllables' envelope."""
    t = np.arange(round(seconds * rate)) / rate
    pitch = 2 * np.pi * np.cumsum(120 + 30 * np.sin(2 * np.pi * 1.3 * t)) / rate
    tone = sum(np.sin(k * pitch) / k for k in range(1, 25))
    return (0.1 * tone * (1 + np.sin(2 * np.pi * 4 * t)) / 2).astype(np.float32)


def magnitude(sound, n_fft=1024, hop=256):
    return np.abs(librosa.stft(sound, n_fft=n_fft, hop_length=hop, pad_mode="constant")).T


def divergence(sound, target):
    """Spectral convergence: distance of magnitudes over the target's norm."""
    found = magnitude(sound)[: len(target)]
    return np.linalg.norm(found - target[: len(found)]) / np.linalg.norm(target)


def test_takes_the_same_path_as_librosa_from_the_same_phases():
    target = magnitude(voice(1.0))
    phases = 2 * np.pi * np.random.RandomState(0).random_sample(target.T.shape)
    for iterations in (1, 5, 40):
        ours = griffin_lim(target, n_fft=1024, hop=256, iterations=iterations, phases=phases.T)
        theirs = librosa.griffinlim(
            target.T, n_iter=iterations, hop_length=256, n_fft=1024, random_state=0
        )
        # Rounding of many iterations apart, they converge alike and to the same sound.
        assert divergence(ours, target) <= divergence(theirs, target) * 1.02
        if iterations <= 5:
            np.testing.assert_allclose(ours[6000:-6000], theirs[6000:-6000], atol=1e-3)


def test_more_iterations_come_closer():
    target = magnitude(voice(1.0))
    found = [
        divergence(griffin_lim(target, n_fft=1024, hop=256, iterations=n), target)
        for n in (1, 10, 100)
    ]
    assert found[0] > found[1] > found[2]


@pytest.mark.parametrize("hop", [256, 200, 300])
def test_length_and_frames_agree_for_any_hop(hop):
    target = magnitude(voice(0.7), hop=hop)
    sound = griffin_lim(target, n_fft=1024, hop=hop, iterations=40)
    assert len(sound) == (len(target) - 1) * hop
    assert np.abs(magnitude(sound, hop=hop) - target).max() < 0.5 * target.max()


def test_mel_inversion_is_as_good_as_exact_nnls():
    settings = shipped(SpectrogramSettings)
    filters = mel_filters(settings)
    spectra = magnitude(voice(0.3))[2:8]
    mel = spectra @ filters.T
    found = mel_to_linear(mel, filters, iterations=400)
    assert found.min() >= 0
    for row, wanted in zip(found, mel, strict=True):
        _, best = scipy.optimize.nnls(filters.astype(float), wanted.astype(float))
        residual = np.linalg.norm(filters @ row - wanted)
        assert residual <= best + 0.01 * np.linalg.norm(wanted)


def test_the_mel_of_the_rebuilt_sound_is_the_mel():
    settings = shipped(SpectrogramSettings)
    target = log_mel(voice(), settings)
    sound = invert(target, settings, shipped(InversionSettings))
    found = log_mel(sound, settings)
    loud = target[5:-5] > target.max() - 5
    assert np.corrcoef(found[5:-5][loud], target[5:-5][loud])[0, 1] > 0.97
    assert np.abs(found[5:-5][loud] - target[5:-5][loud]).mean() < 0.3


def test_same_seed_same_sound():
    target = log_mel(voice(0.5), shipped(SpectrogramSettings))
    first, again, other = (
        invert(
            target,
            shipped(SpectrogramSettings),
            shipped(InversionSettings, iterations=5, seed=seed),
        )
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3


def test_wild_predictions_stay_finite():
    settings = shipped(SpectrogramSettings)
    frames = np.random.default_rng(0).normal(scale=50, size=(40, settings.n_mels))
    assert np.isfinite(invert(frames, settings, shipped(InversionSettings, iterations=3))).all()


def test_equal_loudness_without_clipping():
    spike = np.zeros(1000)
    spike[500] = 1.0
    levelled = equally_loud({"spike": spike, "tone": voice(0.1), "silence": np.zeros(10)})
    level = {name: np.sqrt(np.mean(np.square(sound))) for name, sound in levelled.items()}
    assert level["spike"] == pytest.approx(level["tone"], rel=1e-5)
    assert np.abs(levelled["spike"]).max() <= 0.99 + 1e-6
    assert level["silence"] == 0
