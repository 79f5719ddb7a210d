"""Spectro-temporal modulation of a sound: what its spectrogram does over time and over frequency.

After the cortical stage of Chi, Ru & Shamma, JASA 118:887 (2005), as used for the human auditory
cortex by Santoro et al., PLoS Computational Biology 10:e1003412 (2014): the magnitude of a
spectrogram, filtered by rate (Hz), scale (cycles an octave) and direction of the sweep. Here the
spectrogram is `librosa.vqt`.
"""

from dataclasses import dataclass

import librosa
import numpy as np
import xarray as xr
from scipy import fft

RATES = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Hz, centres of filters an octave wide."""
SCALES = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Cycles an octave, likewise."""
LOWEST, OCTAVES, BINS = 110.0, 6, 24
"""Lowest frequency in Hz, octaves above it, bins an octave."""
STEP = 6
"""Frames of the spectrogram to a row."""
CHUNK, MARGIN = 60.0, 4.0
"""Seconds that are filtered at a time, and seconds on both sides that only lead in and out."""


@dataclass(frozen=True)
class Filter:
    """A filter of modulations: ``direction`` is 1 for sweeps upwards and -1 for downwards."""

    rate: float
    scale: float
    direction: int

    @property
    def name(self) -> str:
        """Such as ``4 Hz, 0.5 cycles/octave, up``."""
        sweep = "up" if self.direction > 0 else "down"
        return f"{self.rate:g} Hz, {self.scale:g} cycles/octave, {sweep}"


FILTERS = tuple(
    Filter(rate, scale, direction) for rate in RATES for scale in SCALES for direction in (1, -1)
)


def hop_of(rate: int) -> int:
    """Return the samples from frame to frame: some 16 ms, and what the transform can halve."""
    halvings = 2 ** (OCTAVES - 1)
    return halvings * max(1, round(0.016 * rate / halvings))


def log_spectrogram(sound: np.ndarray, *, rate: int, floor: float) -> np.ndarray:
    """Return a spectrogram on a logarithmic axis of frequency: log of the magnitude, 0 in silence.

    Parameters
    ----------
    sound : ndarray of shape (n_samples,)
    rate : int
        Samples a second.
    floor : float
        Magnitudes below it count as it.

    Returns
    -------
    ndarray of shape (n_frames, OCTAVES * BINS), float32
        Filters of constant bandwidth below some 500 Hz, so that fast modulations are kept there.
    """
    n_bins = OCTAVES * BINS
    highest = LOWEST * 2 ** (n_bins / BINS)
    if highest > rate / 2:
        n_bins = int(BINS * np.log2(rate / 2 / LOWEST)) - 1
    found = librosa.vqt(
        np.asarray(sound, np.float32),
        sr=rate,
        hop_length=hop_of(rate),
        fmin=LOWEST,
        n_bins=n_bins,
        bins_per_octave=BINS,
        gamma=None,
        dtype=np.complex64,
    )
    return np.log(np.maximum(np.abs(found.T) / floor, 1)).astype(np.float32)


def octave_filter(frequencies: np.ndarray, centre: float) -> np.ndarray:
    """Return a gain, Gaussian over log frequency and an octave wide at half its height."""
    away = np.log2(np.maximum(frequencies, 1e-9) / centre)
    return np.exp(-4 * np.log(2) * away**2).astype(np.float32)


def filtered(spectrogram: np.ndarray, *, step: float) -> np.ndarray:
    """Return the magnitude of every filter, averaged over each octave.

    Parameters
    ----------
    spectrogram : ndarray of shape (n_frames, n_bins)
        As `log_spectrogram` returns it.
    step : float
        Seconds from frame to frame.

    Returns
    -------
    ndarray of float32, shape (n_frames, len(FILTERS), n_octaves)
    """
    n_frames, n_bins = spectrogram.shape
    # Twice as high: what leaves the top of the spectrogram must not come back at its bottom.
    shape = (fft.next_fast_len(n_frames), 2 * n_bins)
    transformed = fft.fft2(spectrogram, s=shape)
    rates = fft.fftfreq(shape[0], step)
    scales = fft.fftfreq(shape[1], 1 / BINS)
    edges = list(range(0, n_bins, BINS))
    out = np.empty((n_frames, len(FILTERS), len(edges)), np.float32)
    for number, one in enumerate(FILTERS):
        # One quadrant is passed: what rises has a phase that falls with frequency.
        along_time = octave_filter(rates, one.rate) * (rates > 0)
        sign = -one.direction
        along_frequency = octave_filter(sign * scales, one.scale) * (sign * scales > 0)
        gain = along_time[:, np.newaxis] * along_frequency
        strength = np.abs(fft.ifft2(transformed * gain)[:n_frames, :n_bins])
        sums = np.add.reduceat(strength, edges, axis=1)
        out[:, number] = sums / np.diff([*edges, n_bins])
    return out


def modulation(sound: np.ndarray, *, rate: int, floor: float) -> xr.DataArray:
    """Measure the modulations of a sound.

    Parameters
    ----------
    sound : ndarray of shape (n_samples,)
        From film time 0 on.
    rate, floor
        As of `log_spectrogram`.

    Returns
    -------
    DataArray of float32, dims (time, feature)
        A row every `STEP` frames, the mean over them; a feature for each filter and octave, named
        by both.
    """
    whole = log_spectrogram(sound, rate=rate, floor=floor)
    step = hop_of(rate) / rate
    chunk, margin = (STEP * round(seconds / step / STEP) for seconds in (CHUNK, MARGIN))
    # Before the first and after the last frame all is as they are: no edge, no wrapping round.
    padded = np.pad(whole, ((margin, margin), (0, 0)), mode="edge")
    rows = []
    for start in range(0, len(whole), chunk):
        n_frames = min(chunk, len(whole) - start)
        part = filtered(padded[start : start + n_frames + 2 * margin], step=step)
        part = part[margin : margin + n_frames]
        edges = np.arange(0, len(part), STEP)
        counts = np.diff([*edges, len(part)])
        rows.append(np.add.reduceat(part, edges, axis=0) / counts[:, np.newaxis, np.newaxis])
    values = np.concatenate(rows)
    names = [
        f"sound/modulation {one.name}, {LOWEST * 2**octave:.0f} Hz"
        for one in FILTERS
        for octave in range(values.shape[2])
    ]
    starts = np.arange(len(values)) * STEP
    middles = (starts + np.minimum(starts + STEP, len(whole)) - 1) / 2 * step
    return xr.DataArray(
        values.reshape(len(values), -1),
        dims=("time", "feature"),
        coords={"time": ("time", middles, {"units": "s"}), "feature": names},
        name="features",
        attrs={"units": "magnitude of the log spectrogram", "rate": rate, "hop": hop_of(rate)},
    )
