"""Low-level features of video and sound: the plain competitors of what networks see."""

from collections.abc import Iterable

import numpy as np
import xarray as xr
from scipy import fft, signal

from stim2bold.stimulus.spectrogram import SpectrogramSettings, frame_times, log_mel

# ITU-R BT.709.
LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
# Named as annotations are: by what they describe.
VIDEO = tuple(f"video/{name}" for name in ("luminance", "contrast", "motion", "cut"))
SOUND = tuple(
    f"sound/{name}"
    for name in ("envelope", "flux", "pitch", "voicing", "syllables", "low_energy", "speech")
)
# A cut changes the histogram of grey values by more than this (0 to 1), and by more than three
# times what the frames around it do.
CUT_DISTANCE = 0.25
CUT_CONTRAST = 3.0
PITCH_RANGE = (70.0, 500.0)
VOICED = 0.5
# What tells speech from music (Scheirer & Slaney, ICASSP 1997): modulation at the syllables' rate,
# and the share of frames that are quieter than half the mean, both over some two seconds.
SYLLABLES = (2.5, 6.5)
RHYTHM_SECONDS = 2.0
QUIET = 0.5
SPEECH_FROM = 0.3


def _named(values: np.ndarray, times: np.ndarray, names: tuple[str, ...]) -> xr.DataArray:
    return xr.DataArray(
        np.asarray(values, np.float32),
        dims=("time", "feature"),
        coords={"time": ("time", times, {"units": "s"}), "feature": list(names)},
        name="features",
        attrs={"units": "1"},
    )


def video_features(frames: Iterable[np.ndarray], times: np.ndarray) -> xr.DataArray:
    """Luminance, contrast, motion energy and cuts of a film.

    Parameters
    ----------
    frames : iterable of ndarray of uint8, each of shape (height, width, 3)
        The film, small: 64 pixels a side will do.
    times : ndarray of shape (n,)
        Their film times in seconds, not necessarily even.

    Returns
    -------
    DataArray, dims (time, feature)
        luminance and contrast: mean and standard deviation of the grey values, 0 to 1. motion: mean
        magnitude of the change of grey value per second since the frame before, cuts left out.
        cut: 1 at the first frame after a cut, else 0.
    """
    rows, histograms, previous = [], [], None
    for frame in frames:
        grey = frame.astype(np.float32) @ LUMA / 255
        change = 0.0 if previous is None else float(np.abs(grey - previous).mean())
        rows.append((float(grey.mean()), float(grey.std()), change))
        histograms.append(np.histogram(grey, bins=32, range=(0, 1))[0] / grey.size)
        previous = grey
    values = np.zeros((len(rows), len(VIDEO)))
    values[:, :3] = rows
    values[1:, 2] /= np.diff(times[: len(rows)])
    values[:, 3] = find_cuts(np.array(histograms))
    values[values[:, 3] > 0, 2] = 0
    return _named(values, times[: len(values)], VIDEO)


def find_cuts(histograms: np.ndarray) -> np.ndarray:
    """Find the frames that follow a cut.

    Parameters
    ----------
    histograms : ndarray of shape (n_frames, n_bins)
        Shares of grey values.

    Returns
    -------
    ndarray of shape (n_frames,)
        1 or 0.
    """
    distance = np.zeros(len(histograms))
    distance[1:] = np.abs(np.diff(histograms, axis=0)).sum(axis=1) / 2
    around = np.array(
        [
            np.median(np.delete(distance[max(1, i - 6) : i + 7], min(i - 1, 6)))
            if 0 < i < len(distance) and len(distance) > 3
            else 0.0
            for i in range(len(distance))
        ]
    )
    return ((distance > CUT_DISTANCE) & (distance > CUT_CONTRAST * around)).astype(float)


def pitch_track(sound: np.ndarray, settings: SpectrogramSettings) -> tuple[np.ndarray, np.ndarray]:
    """Find the pitch by the autocorrelation of windowed frames over that of the window.

    Boersma (1993), without the search for a path through the frames.

    Parameters
    ----------
    sound : ndarray of shape (n_samples,)
        Sampled at ``settings.rate``.
    settings : SpectrogramSettings
        Window and hop.

    Returns
    -------
    pitch : ndarray of shape (n_frames,)
        Hz.
    voicing : ndarray of shape (n_frames,)
        Height of the peak of the autocorrelation, 0 to 1; 0 in silence.
    """
    n = settings.n_fft
    window = signal.get_window("hann", n)
    padded = np.pad(np.asarray(sound, float), n // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, n)[:: settings.hop]
    own = fft.irfft(np.abs(fft.rfft(window, 2 * n)) ** 2)[:n]
    shortest = int(settings.rate / PITCH_RANGE[1])
    longest = min(int(settings.rate / PITCH_RANGE[0]), n // 2)
    pitch, voicing = np.zeros(len(frames)), np.zeros(len(frames))
    for start in range(0, len(frames), 2048):
        block = frames[start : start + 2048]
        block = (block - block.mean(axis=1, keepdims=True)) * window
        raw = fft.irfft(np.abs(fft.rfft(block, 2 * n, axis=1)) ** 2, axis=1)[:, :longest]
        energy = raw[:, :1]
        normal = raw / np.maximum(energy, 1e-12) * (own[0] / own[:longest])
        # Slightly less for long lags, lest an octave below win by rounding.
        weighed = normal * (1 - 0.05 * np.arange(longest) / longest)
        best = shortest + weighed[:, shortest:].argmax(axis=1)
        inner = np.clip(best, 1, longest - 2)
        row = np.arange(len(block))
        left, middle, right = (normal[row, inner + k] for k in (-1, 0, 1))
        curve = left - 2 * middle + right
        shift = np.where(curve < 0, 0.5 * (left - right) / np.where(curve < 0, curve, -1), 0)
        audible = energy[:, 0] > (1e-4 * n / 4) ** 2 / n
        pitch[start : start + 2048] = settings.rate / (inner + np.clip(shift, -0.5, 0.5))
        voicing[start : start + 2048] = np.clip(middle, 0, 1) * audible
    return pitch, voicing


def sound_features(sound: np.ndarray, settings: SpectrogramSettings) -> xr.DataArray:
    """Envelope, spectral flux, pitch, voicing, and what tells speech from music.

    Parameters
    ----------
    sound : ndarray of shape (n_samples,)
        Sampled at ``settings.rate``, from film time 0 on.
    settings : SpectrogramSettings
        Window, hop and mel bands.

    Returns
    -------
    DataArray, dims (time, feature)
        envelope: root mean square of the windowed frame. flux: mean rise of the log-mel spectrum
        since the frame before. pitch: octaves above 100 Hz, 0 where voicing is below 0.5.
        voicing: 0 to 1. syllables: depth of the modulation at 2.5-6.5 Hz over the mean. low_energy:
        share of frames below half the mean. speech: 1 where that share is above 0.3, else 0.
    """
    window = signal.get_window("hann", settings.n_fft)
    padded = np.pad(np.asarray(sound, float), settings.n_fft // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, settings.n_fft)[:: settings.hop]
    envelope = np.sqrt(
        np.concatenate(
            [
                (frames[start : start + 4096] ** 2) @ (window / window.sum())
                for start in range(0, len(frames), 4096)
            ]
        )
    )
    mel = log_mel(sound, settings)
    flux = np.zeros(len(mel))
    flux[1:] = np.maximum(np.diff(mel, axis=0), 0).mean(axis=1)
    pitch, voicing = pitch_track(sound, settings)
    octaves = np.where(voicing >= VOICED, np.log2(pitch / 100), 0)
    syllables, low_energy = rhythm(envelope, settings.step)
    speech = low_energy > SPEECH_FROM
    values = np.stack([envelope, flux, octaves, voicing, syllables, low_energy, speech], axis=1)
    return _named(values, frame_times(len(values), settings), SOUND)


def rhythm(envelope: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray]:
    """Measure what tells speech from music in an envelope.

    Parameters
    ----------
    envelope : ndarray of shape (n_frames,)
        Root mean square of the frames.
    step : float
        Seconds from frame to frame.

    Returns
    -------
    syllables : ndarray of shape (n_frames,)
        Depth of the modulation at 2.5-6.5 Hz of the envelope's square root, over its mean.
    low_energy : ndarray of shape (n_frames,)
        Share of frames below half the mean envelope.
    """
    n = max(3, round(RHYTHM_SECONDS / step))
    weights = np.hanning(n + 2)[1:-1]
    # Near the ends what is there counts in full.
    total = np.convolve(np.ones(len(envelope)), weights, mode="same")

    def around(values: np.ndarray) -> np.ndarray:
        return np.convolve(values, weights, mode="same")[: len(values)] / total[: len(values)]

    loudness = np.sqrt(envelope)
    edges = (SYLLABLES[0], min(SYLLABLES[1], 0.45 / step))
    band = signal.butter(2, edges, "bandpass", fs=1 / step, output="sos")
    modulation = signal.sosfiltfilt(band, loudness, padlen=min(len(loudness) - 1, 3 * n))
    depth = np.sqrt(around(modulation**2)) / np.maximum(around(loudness), 1e-3)
    return depth, around((envelope < QUIET * around(envelope)).astype(float))
