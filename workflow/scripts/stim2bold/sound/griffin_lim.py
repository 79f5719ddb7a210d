"""From a log-mel spectrogram back to sound.

Mel bands are turned into FFT bins by non-negative least squares, phases are found by the fast
Griffin-Lim algorithm (Perraudin, Balazs & Sondergaard, WASPAA 2013).
"""

from dataclasses import dataclass

import numpy as np
from scipy import fft, signal, sparse

from stim2bold.stimulus.spectrogram import SpectrogramSettings, mel_filters


@dataclass(frozen=True, kw_only=True)
class InversionSettings:
    """How spectrograms become sound.

    Parameters
    ----------
    iterations : int
        Of Griffin-Lim.
    momentum : float
        0 is plain Griffin-Lim, 0.99 the accelerated form.
    nnls_iterations : int
        Of the mel inversion.
    seed : int
        Of the first phases.
    """

    iterations: int
    momentum: float
    nnls_iterations: int
    seed: int

    def __post_init__(self) -> None:
        if self.iterations < 1 or self.nnls_iterations < 0:
            raise ValueError("iterations must be at least 1 and nnls_iterations at least 0")
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum must be in [0, 1), not {self.momentum}")


def mel_to_linear(mel: np.ndarray, filters: np.ndarray, *, iterations: int = 100) -> np.ndarray:
    """Find non-negative FFT magnitudes that have a given mel spectrum.

    Accelerated projected gradient descent (FISTA) on ``|| filters @ s - mel ||^2, s >= 0``, begun
    from the clipped least-squares solution of least norm.

    Parameters
    ----------
    mel : ndarray of shape (n_frames, n_mels)
        Magnitudes.
    filters : ndarray of shape (n_mels, n_bins)
        The mel filters.
    iterations : int
        Gradient steps.

    Returns
    -------
    ndarray of shape (n_frames, n_bins), float32
    """
    # Bands of equal weight, lest the wide bands at the top count for little.
    gain = 1 / np.linalg.norm(filters, axis=1, keepdims=True)
    dense = (filters * gain).astype(np.float32)
    wanted = (mel.T * gain).astype(np.float32)
    step = np.float32(1 / np.linalg.norm(dense, 2) ** 2)
    spectrum = np.maximum(np.linalg.pinv(dense) @ wanted, 0)
    # A bin lies in two bands at the most.
    bank = sparse.csr_array(dense)
    across = bank.T.tocsr()
    ahead, speed = spectrum, 1.0
    for _ in range(iterations):
        following = ahead - across @ (step * (bank @ ahead - wanted))
        np.maximum(following, 0, out=following)
        speed, previous = (1 + np.sqrt(1 + 4 * speed**2)) / 2, speed
        ahead = following + np.float32((previous - 1) / speed) * (following - spectrum)
        spectrum = following
    return np.ascontiguousarray(spectrum.T)


class _Transform:
    """Short-time Fourier transform with centred Hann windows, and its least-squares inverse."""

    def __init__(self, n_frames: int, *, n_fft: int, hop: int) -> None:
        self.n_fft, self.hop, self.n_frames = n_fft, hop, n_frames
        self.window = signal.get_window("hann", n_fft).astype(np.float32)
        self.length = n_fft + hop * (n_frames - 1)
        # Windows overlap in n_fft / hop pieces of one hop: adding piece by piece needs no loop over
        # frames. Where the hop does not divide the window, the last piece is filled with zeros.
        self.n_pieces = -(-n_fft // hop)
        weight = self._overlap_add(np.broadcast_to(self.window**2, (n_frames, n_fft)))
        self.weight = np.where(weight > 1e-8, weight, 1).astype(np.float32)

    def _overlap_add(self, frames: np.ndarray) -> np.ndarray:
        pieces = self.n_pieces
        if pieces * self.hop != self.n_fft:
            frames = np.pad(frames, ((0, 0), (0, pieces * self.hop - self.n_fft)))
        parts = frames.reshape(self.n_frames, pieces, self.hop)
        out = np.zeros((self.n_frames + pieces - 1, self.hop), np.float32)
        for piece in range(pieces):
            out[piece : piece + self.n_frames] += parts[:, piece]
        return out.ravel()[: self.length]

    def inverse(self, spectrum: np.ndarray) -> np.ndarray:
        frames = fft.irfft(spectrum, self.n_fft, axis=1)
        frames *= self.window
        sound = self._overlap_add(frames) / self.weight
        # Silence lies beyond the first and the last frame's centre: so the frames were made.
        half = self.n_fft // 2
        sound[:half] = sound[self.length - half :] = 0
        return sound

    def forward(self, padded: np.ndarray) -> np.ndarray:
        frames = np.lib.stride_tricks.sliding_window_view(padded, self.n_fft)[:: self.hop]
        return fft.rfft(frames * self.window, axis=1)


def griffin_lim(
    magnitude: np.ndarray,
    *,
    n_fft: int,
    hop: int,
    iterations: int = 60,
    momentum: float = 0.99,
    seed: int = 0,
    phases: np.ndarray | None = None,
) -> np.ndarray:
    """Find a sound with given spectral magnitudes.

    Parameters
    ----------
    magnitude : ndarray of shape (n_frames, n_fft // 2 + 1)
        Frame m is centred on sample ``m * hop``.
    n_fft, hop : int
        Hann window and step, samples.
    iterations, momentum, seed
        See `InversionSettings`.
    phases : ndarray, shape as `magnitude`, optional
        First phases in radians, in place of random ones.

    Returns
    -------
    ndarray of float32, shape ((n_frames - 1) * hop,)
    """
    magnitude = np.asarray(magnitude, np.float32)
    transform = _Transform(len(magnitude), n_fft=n_fft, hop=hop)
    if phases is None:
        phases = 2 * np.pi * np.random.default_rng(seed).random(magnitude.shape, np.float32)
    spectrum = magnitude * np.exp(1j * phases).astype(np.complex64)
    previous = np.zeros_like(spectrum)
    # The gain of librosa's form of the same algorithm.
    gain = np.float32(momentum / (1 + momentum))
    for _ in range(iterations):
        rebuilt = transform.forward(transform.inverse(spectrum))
        ahead = rebuilt - gain * previous
        previous = rebuilt
        size = np.abs(ahead)
        size += np.float32(1e-16)
        np.divide(magnitude, size, out=size)
        np.multiply(ahead, size, out=spectrum)
    half = n_fft // 2
    return transform.inverse(spectrum)[half : transform.length - half]


def invert(
    log_mel: np.ndarray, spectrogram: SpectrogramSettings, inversion: InversionSettings
) -> np.ndarray:
    """Turn a log-mel spectrogram into sound.

    Parameters
    ----------
    log_mel : ndarray of shape (n_frames, n_mels)
        Natural logarithm of the magnitudes; frame m is centred on sample ``m * hop``.
    spectrogram : SpectrogramSettings
        How it was made.
    inversion : InversionSettings
        How it is inverted.

    Returns
    -------
    ndarray of float32, shape ((n_frames - 1) * hop,)
    """
    floor = np.log(spectrogram.floor)
    # A prediction may overshoot: nothing a microphone records exceeds full scale in all bins.
    mel = np.exp(np.clip(log_mel, floor, np.log(spectrogram.n_fft)))
    linear = mel_to_linear(mel, mel_filters(spectrogram), iterations=inversion.nnls_iterations)
    return griffin_lim(
        linear,
        n_fft=spectrogram.n_fft,
        hop=spectrogram.hop,
        iterations=inversion.iterations,
        momentum=inversion.momentum,
        seed=inversion.seed,
    )


def equally_loud(sounds: dict[str, np.ndarray], *, rms: float = 0.08) -> dict[str, np.ndarray]:
    """Bring sounds to one root mean square, as low as it takes for none of them to clip.

    Parameters
    ----------
    sounds : dict of str to ndarray
        Any lengths.
    rms : float
        Wanted root mean square; full scale is 1.

    Returns
    -------
    dict of str to ndarray
        Silent sounds stay silent.
    """
    level = {name: float(np.sqrt(np.mean(np.square(s, dtype=float)))) for name, s in sounds.items()}
    for name, sound in sounds.items():
        if level[name] > 0:
            rms = min(rms, 0.99 * level[name] / float(np.abs(sound).max()))
    return {
        name: sound * (rms / level[name]) if level[name] > 0 else sound
        for name, sound in sounds.items()
    }
