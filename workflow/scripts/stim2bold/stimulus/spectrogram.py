"""Spectrograms: what a sound holds, frame by frame, on the film's clock.

Frame m is centred on film time ``m * hop / rate``, as `librosa.stft` with ``center=True`` does it,
with silence before the first and after the last sample.
"""

import logging
from collections.abc import Iterator
from dataclasses import asdict

import librosa
import numpy as np
import xarray as xr
from scipy import fft, signal

from stim2bold.stimulus.audio import examine
from stim2bold.stimulus.spectrogram_settings import SpectrogramSettings
from stim2bold.stimulus.timing import Timing, inside, interpolate

log = logging.getLogger(__name__)


def mel_filters(settings: SpectrogramSettings) -> np.ndarray:
    """Triangular filters from FFT bins to mel bands, shape (n_mels, n_fft // 2 + 1)."""
    return librosa.filters.mel(
        sr=settings.rate,
        n_fft=settings.n_fft,
        n_mels=settings.n_mels,
        fmin=settings.fmin,
        fmax=settings.fmax,
    )


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
    sound : ndarray, shape (n_samples,)
        Sampled at ``settings.rate``.
    settings : SpectrogramSettings
        Window and hop.
    at_once : int
        Frames per block, which bounds the memory.

    Yields
    ------
    ndarray of float64, shape (n_frames of the block, n_fft // 2 + 1)
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
    sound : ndarray, shape (n_samples,)
        Sampled at ``settings.rate``; full scale is 1.
    settings : SpectrogramSettings
        See there.
    filters : ndarray, shape (n_bands, n_fft // 2 + 1), optional
        From FFT bins to bands, as `mel_filters`; None: the FFT bins themselves.

    Returns
    -------
    ndarray of float32, shape (1 + n_samples // hop, n_bands)
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


def frame_offsets(TR: float, step: float) -> np.ndarray:
    """Return the times of the frames of one TR, relative to its middle.

    The frames divide the TR evenly and the first lies on its start, so that the frames of all TRs
    together are one regular series; where a TR is a whole number of steps (0.608 s is 38 of 16 ms)
    they are the spectrogram's own frames.

    Parameters
    ----------
    TR : float
        Seconds.
    step : float
        Seconds from frame to frame of the spectrogram.

    Returns
    -------
    ndarray, shape (round(TR / step),)
        Seconds.
    """
    n_frames = max(1, round(TR / step))
    return (np.arange(n_frames) / n_frames - 0.5) * TR


def per_volume(
    times: np.ndarray, frames: np.ndarray, *, timing: Timing, n_rows: int, fill: float
) -> np.ndarray:
    """Cut a spectrogram into the frames of each TR.

    Parameters
    ----------
    times : ndarray, shape (n,)
        Film times of the frames, a regular series.
    frames : ndarray, shape (n, n_bands)
        The spectrogram.
    timing : Timing
        TR and onset of the film.
    n_rows : int
        Number of TRs.
    fill : float
        Value where there is no film: silence.

    Returns
    -------
    ndarray of float32, shape (n_rows, n_frames, n_bands)
        Interpolated linearly in time where no frame lies on the wanted instant.
    """
    step = (times[-1] - times[0]) / (len(times) - 1)
    offsets = frame_offsets(timing.TR, step)
    wanted = (timing.centres(n_rows)[:, np.newaxis] + offsets).ravel()
    rows = interpolate(times, frames, wanted)
    outside = (wanted < times[0] - step / 2) | (wanted > times[-1] + step / 2)
    rows[outside] = fill
    return rows.reshape(n_rows, len(offsets), -1).astype(np.float32)


def spectrogram(
    sound: np.ndarray, settings: SpectrogramSettings, scale: str = "mel"
) -> xr.DataArray:
    """Compute the log spectrogram of a film's sound, with times, units and its condition.

    Parameters
    ----------
    sound : ndarray, shape (n_samples,)
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


def spectrogram_at_volumes(whole: xr.DataArray, *, timing: Timing, duration: float) -> xr.DataArray:
    """Cut a log spectrogram into the frames of each TR, see `per_volume`.

    Parameters
    ----------
    whole : DataArray, dims (time, mel) or (time, frequency)
        As `spectrogram` returns it.
    timing : Timing
        TR and onset of the film.
    duration : float
        Length of the film, seconds.

    Returns
    -------
    DataArray of float32, dims (time, frame, mel) or (time, frame, frequency)
        Row k is volume k; `time` is its middle, `frame` the frames' times relative to it, so that
        ``time + frame`` is film time.
    """
    n_rows = timing.n_rows(duration)
    band = whole.dims[1]
    times = whole["time"].to_numpy()
    rows = per_volume(
        times,
        whole.to_numpy(),
        timing=timing,
        n_rows=n_rows,
        fill=float(np.log(whole.attrs["floor"])),
    )
    step = (times[-1] - times[0]) / (len(times) - 1)
    return xr.DataArray(
        rows,
        dims=("time", "frame", band),
        coords={
            "time": ("time", timing.centres(n_rows), {"units": "s"}),
            "frame": ("frame", frame_offsets(timing.TR, step), {"units": "s"}),
            band: (band, whole[band].to_numpy(), {"units": "Hz"}),
            "inside": ("time", inside(timing.edges(n_rows), duration).astype(np.int8)),
        },
        name=whole.name,
        attrs=whole.attrs | {"TR": timing.TR},
    )
