"""Spectrograms: what a sound holds, frame by frame, on the film's clock.

Frame m is centred on film time ``m * hop / rate``, as `librosa.stft` with ``center=True`` does it,
with silence before the first and after the last sample.
"""

import functools
import logging
from collections.abc import Iterator
from dataclasses import asdict

import librosa
import numpy as np
import xarray as xr
from scipy import fft, signal

from stim2bold.stimulus.audio import examine
from stim2bold.stimulus.spectrogram_settings import SpectrogramSettings

log = logging.getLogger(__name__)


@functools.lru_cache
def mel_filters(settings: SpectrogramSettings) -> np.ndarray:
    """Triangular filters from FFT bins to mel bands, shape (n_mels, n_fft // 2 + 1); read only."""
    filters = librosa.filters.mel(
        sr=settings.rate,
        n_fft=settings.n_fft,
        n_mels=settings.n_mels,
        fmin=settings.fmin,
        fmax=settings.fmax,
    )
    filters.setflags(write=False)
    return filters


def mel_centres(settings: SpectrogramSettings) -> np.ndarray:
    """Centre frequencies of the mel bands in Hz, shape (n_mels,)."""
    edges = librosa.mel_frequencies(settings.n_mels + 2, fmin=settings.fmin, fmax=settings.fmax)
    return edges[1:-1]


def magnitudes(
    sound: np.ndarray, settings: SpectrogramSettings, *, at_once: int = 2048
) -> Iterator[np.ndarray]:
    """Yield the magnitudes of the short-time Fourier transform, some frames at a time.

    Parameters
    ----------
    sound : ndarray of shape (n_samples,)
        Sampled at ``settings.rate``.
    settings : SpectrogramSettings
        Window and hop.
    at_once : int
        Frames per block, which bounds the memory.

    Yields
    ------
    ndarray of shape (n_frames of the block, n_fft // 2 + 1), float64
        In single precision a loud tone's rounding would drown the quiet bins, of which the
        logarithm makes as much as of the loud.
    """
    window = signal.get_window("hann", settings.n_fft)
    padded = np.pad(np.asarray(sound, float), settings.n_fft // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, settings.n_fft)[:: settings.hop]
    for start in range(0, len(frames), at_once):
        yield np.abs(fft.rfft(frames[start : start + at_once] * window, axis=1))


def log_magnitudes(
    sound: np.ndarray, settings: SpectrogramSettings, filters: np.ndarray | None = None
) -> np.ndarray:
    """Compute the logarithm of the magnitude in every band.

    Parameters
    ----------
    sound : ndarray of shape (n_samples,)
        Sampled at ``settings.rate``; full scale is 1.
    settings : SpectrogramSettings
        See there.
    filters : ndarray of shape (n_bands, n_fft // 2 + 1), optional
        From FFT bins to bands, as `mel_filters`; None: the FFT bins themselves.

    Returns
    -------
    ndarray of shape (1 + n_samples // hop, n_bands), float32
        Natural logarithm.
    """
    blocks = magnitudes(sound, settings)
    if filters is not None:
        blocks = (block @ filters.T for block in blocks)
    return np.concatenate(
        [np.log(np.maximum(block, settings.floor)).astype(np.float32) for block in blocks]
    )


def log_mel(sound: np.ndarray, settings: SpectrogramSettings) -> np.ndarray:
    """Compute `log_magnitudes` of the mel bands."""
    return log_magnitudes(sound, settings, mel_filters(settings))


def frame_times(n_frames: int, settings: SpectrogramSettings) -> np.ndarray:
    """Film times of the frames' centres, shape (n_frames,), seconds."""
    return np.arange(n_frames) * settings.step


def spectrogram(
    sound: np.ndarray, settings: SpectrogramSettings, scale: str = "mel"
) -> xr.DataArray:
    """Compute the log spectrogram of a film's sound, with times, units and its condition.

    Parameters
    ----------
    sound : ndarray of shape (n_samples,)
        Sampled at ``settings.rate``, from film time 0 on.
    settings : SpectrogramSettings
        See there.
    scale : {'mel', 'linear'}
        Mel bands, or the FFT's own bins.

    Returns
    -------
    DataArray of float32, dims (time, mel) or (time, frequency)
        Silence and clipping are told in the attributes.
    """
    if scale == "mel":
        band, values, centres = "mel", log_mel(sound, settings), mel_centres(settings)
    else:
        band, values = "frequency", log_magnitudes(sound, settings)
        centres = fft.rfftfreq(settings.n_fft, 1 / settings.rate)
    condition = asdict(examine(sound, settings.rate))
    log.info("sound: %s", condition)
    return xr.DataArray(
        values,
        dims=("time", band),
        coords={
            "time": ("time", frame_times(len(values), settings), {"units": "s"}),
            band: (band, centres, {"units": "Hz"}),
        },
        name=f"log_{scale}",
        attrs=asdict(settings) | condition | {"units": "log magnitude (natural)"},
    )
