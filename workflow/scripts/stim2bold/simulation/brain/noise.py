"""What disturbs a measurement: coils, drift, pulse and breathing, AR(1) and thermal noise."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.signal import lfilter

_SMOOTHNESS = 1.25
"""Full width at half maximum of the AR(1) noise in voxels: what is random in a brain is not so from
one voxel to the next."""
_THERMAL_PERCENT = 0.15


@dataclass(frozen=True)
class NoiseSettings:
    """How strong each disturbance is.

    Parameters
    ----------
    noise_percent, ar1 : float
        AR(1) noise: standard deviation in per cent of the voxel, and its autocorrelation.
    drift_percent, physiology_percent : float
        Standard deviation of slow drift, and of pulse and breathing in grey matter.
    """

    noise_percent: float
    ar1: float
    drift_percent: float
    physiology_percent: float


def draw_coil(points: np.ndarray, percent: float, rng: np.random.Generator) -> np.ndarray:
    """Return a smooth unevenness of brightness.

    Parameters
    ----------
    points : ndarray of shape (n, 3)
        Millimetres of scanner space.
    percent : float
        Standard deviation of its logarithm over the points, times 100.
    rng : numpy Generator
        Source of chance.

    Returns
    -------
    ndarray of shape (n,)
        Positive factors whose logarithm has mean 0.
    """
    # A polynomial of second order and two coil elements beside the head.
    near = points / 90.0
    terms = [near[:, a] for a in range(3)]
    terms += [near[:, a] * near[:, b] for a in range(3) for b in range(a, 3)]
    bias = sum(rng.standard_normal() * term for term in terms)
    for _ in range(2):
        centre = rng.normal(0, 1, 3)
        centre *= 1.2 / np.linalg.norm(centre)
        bias = bias + 1.5 * np.exp(-((near - centre) ** 2).sum(axis=1) / 1.2)
    bias = bias - bias.mean()
    return np.exp(percent / 100 * bias / bias.std())


def draw_physiology(n_volumes: int, *, TR: float, rng: np.random.Generator) -> np.ndarray:
    """Return pulse, breathing and depth of breathing as they alias into the volumes.

    Parameters
    ----------
    n_volumes : int
        Volumes.
    TR : float
        Seconds between them.
    rng : numpy Generator
        Source of chance.

    Returns
    -------
    ndarray of shape (n_volumes, 5)
        Pulse and breathing, cosine and sine each, and depth of breathing; unit variance.
    """
    time = np.arange(n_volumes) * TR
    series = []
    for rate, wander in ((rng.uniform(0.95, 1.25), 0.006), (rng.uniform(0.22, 0.32), 0.003)):
        # The rate wanders slowly about its mean.
        change = lfilter([1], [1, -0.98], wander * rng.standard_normal(n_volumes))
        phase = 2 * np.pi * (rate * time + TR * np.cumsum(change))
        series += [np.cos(phase), np.sin(phase)]
    depth = lfilter([1], [1, -np.exp(-TR / 8)], rng.standard_normal(n_volumes))
    series = np.column_stack([*series, depth])
    return (series - series.mean(axis=0)) / series.std(axis=0)


def draw_drift(n_volumes: int, *, TR: float, rng: np.random.Generator) -> np.ndarray:
    """Return the courses of slow drift: straight, bent and two waves slower than 1/128 Hz.

    Parameters
    ----------
    n_volumes : int
        Volumes.
    TR : float
        Seconds between them.
    rng : numpy Generator
        Source of chance.

    Returns
    -------
    ndarray of shape (n_volumes, 4)
        Unit variance.
    """
    place = np.linspace(-1, 1, n_volumes)
    time = np.arange(n_volumes) * TR
    courses = [place, 1.5 * place**2 - 0.5]
    for period in (max(n_volumes * TR / 1.3, 150.0), max(n_volumes * TR / 2.2, 150.0)):
        courses.append(np.cos(2 * np.pi * time / period + rng.uniform(0, 2 * np.pi)))
    courses = np.column_stack(courses)
    return courses / courses.std(axis=0)


def disturb(
    clean: np.ndarray,
    *,
    settings: NoiseSettings,
    TR: float,
    voxel: float,
    grey: np.ndarray,
    fluid: np.ndarray,
    coil: np.ndarray,
    brightness: float,
    rng: np.random.Generator,
) -> None:
    """Turn what is there into what is measured, in place.

    Parameters
    ----------
    clean : ndarray of shape (n_volumes, nx, ny, nz), float32
        The moving head; overwritten with magnitudes.
    settings : NoiseSettings
        How strong.
    TR : float
        Seconds between volumes.
    voxel : float
        Millimetres.
    grey, fluid : ndarray of shape (nx, ny, nz)
        Fractions of grey matter and of cerebrospinal fluid.
    coil : ndarray of shape (nx, ny, nz)
        Factors of brightness.
    brightness : float
        Of a voxel of fluid, to which thermal noise relates.
    rng : numpy Generator
        Source of chance.
    """
    shape = clean.shape[1:]
    n_volumes = len(clean)

    def smooth_map(millimetres: float) -> np.ndarray:
        field = gaussian_filter(rng.standard_normal(shape), millimetres / voxel)
        return (field / field.std()).astype(np.float32)

    drift = draw_drift(n_volumes, TR=TR, rng=rng)
    drift *= settings.drift_percent / np.sqrt(drift.shape[1])
    drift_maps = np.stack([smooth_map(18.0) for _ in range(drift.shape[1])])
    beats = draw_physiology(n_volumes, TR=TR, rng=rng)
    beats *= settings.physiology_percent / np.sqrt(beats.shape[1])
    # Fluid and vessels pulse several times as strongly as grey matter; how deep one breathes
    # changes the blood of all grey matter together.
    tissue = (0.5 + 0.3 * grey + 3.0 * fluid).astype(np.float32)
    beat_maps = np.stack([tissue * smooth_map(12.0) for _ in range(beats.shape[1])])
    beat_maps[-1] = grey * (1 + 0.3 * smooth_map(20.0))

    sigma = _SMOOTHNESS / np.sqrt(8 * np.log(2))
    # What smoothing takes from white noise is the norm of its kernel.
    impulse = np.zeros((15, 15, 15))
    impulse[7, 7, 7] = 1
    norm = np.linalg.norm(gaussian_filter(impulse, sigma))
    noise = np.zeros(shape, dtype=np.float32)
    for number in range(n_volumes):
        fresh = gaussian_filter(rng.standard_normal(shape, dtype=np.float32), sigma) / norm
        # The first volume has the variance of all others.
        share = 1.0 if number == 0 else np.sqrt(1 - settings.ar1**2)
        noise = settings.ar1 * noise + share * fresh
        percent = settings.noise_percent * noise
        percent += np.tensordot(drift[number].astype(np.float32), drift_maps, axes=1)
        percent += np.tensordot(beats[number].astype(np.float32), beat_maps, axes=1)
        thermal = rng.standard_normal((2, *shape), dtype=np.float32)
        thermal *= _THERMAL_PERCENT / 100 * brightness
        real = coil * clean[number] * (1 + percent / 100) + thermal[0]
        clean[number] = np.hypot(real, thermal[1])
