"""Echoes of a run combined into one series, weighted by T2*.

The steps and their constants are those of tedana (DuPre et al., 2021): the number of usable
echoes of a voxel (its adaptive mask, by dropout), T2* by a log-linear fit over all volumes, and the
weights of Posse et al. (1999). tedana itself refuses the release of nilearn that is used here.
"""

import numpy as np

#: The voxel that stands for others is at this percentile of the first echo within the brain.
EXEMPLAR = 33
#: An echo with less than this share of the exemplar's signal has dropped out.
LEAST_SHARE = 1 / 3
#: T2* where the signal does not decay at all, seconds.
NO_DECAY = 0.5
#: T2* where the signal grows from echo to echo, seconds.
GROWS = 0.001
#: Voxels that are fitted at once.
STEP = 20_000


def usable_echoes(echoes: np.ndarray, brain: np.ndarray) -> np.ndarray:
    """Return how many echoes of each voxel have signal.

    Parameters
    ----------
    echoes : ndarray of shape (n_echoes, n_voxels, n_volumes)
        Not negative.
    brain : ndarray of shape (n_voxels,), bool
        Voxels from which the exemplar is taken.

    Returns
    -------
    ndarray of shape (n_voxels,), int
        From 2: the first two are always used, as in tedana.
    """
    means = echoes.mean(axis=-1, dtype=np.float64)
    inside = means[:, brain & (means[0] > 0)]
    if not inside.size:
        return np.full(means.shape[1], 2)
    level = np.percentile(inside[0], EXEMPLAR, method="higher")
    exemplars = inside[:, inside[0] == level]
    least = exemplars[:, exemplars.sum(axis=0).argmax()] * LEAST_SHARE
    number = np.arange(1, len(echoes) + 1)[:, None]
    last = (number * (means > least[:, None])).max(axis=0)
    # An echo that is 0 somewhere ends what can be fitted.
    whole = np.cumprod((echoes > 0).all(axis=-1), axis=0).sum(axis=0)
    return np.maximum(np.minimum(last, whole), 2)


def fit_T2star(echoes: np.ndarray, times: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """Fit an exponential decay to each voxel, as a line to the logarithm of its signal.

    Parameters
    ----------
    echoes : ndarray of shape (n_echoes, n_voxels, n_volumes)
    times : ndarray of shape (n_echoes,)
        Echo times, seconds.
    usable : ndarray of shape (n_voxels,)
        Echoes of each voxel, see `usable_echoes`.

    Returns
    -------
    ndarray of shape (n_voxels,)
        T2* in seconds.
    """
    slopes = np.empty(echoes.shape[1])
    for n in np.unique(usable):
        own = np.flatnonzero(usable == n)
        centred = times[:n] - times[:n].mean()
        for first in range(0, len(own), STEP):
            some = own[first : first + STEP]
            # The mean of the logarithms over volumes gives the slope of the fit to all of them.
            logs = np.log(echoes[:n, some] + 1.0).mean(axis=-1, dtype=np.float64)
            slopes[some] = centred @ logs / (centred @ centred)
    with np.errstate(divide="ignore"):
        T2star = np.where(slopes == 0, NO_DECAY, -1 / slopes)
    T2star[T2star <= 0] = GROWS
    # So short that the weight of the last echo rounds to nothing.
    T2star[np.exp(-times[-1] / T2star) == 0] = -times[-1] / np.log(np.finfo(float).eps)
    return T2star


def combine_echoes(
    echoes: np.ndarray, times: np.ndarray, brain: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Combine echoes by the weights that bring out T2* contrast best.

    Parameters
    ----------
    echoes : ndarray of shape (n_echoes, x, y, z, n_volumes), float32
    times : ndarray of shape (n_echoes,)
        Echo times, seconds.
    brain : ndarray of shape (x, y, z), bool

    Returns
    -------
    series : ndarray of shape (x, y, z, n_volumes), float32
        The mean of each voxel's usable echoes, weighted by TE exp(-TE / T2*).
    T2star : ndarray of shape (x, y, z), float32
        Seconds.
    """
    times = np.asarray(times, dtype=float)
    flat = echoes.reshape(len(echoes), -1, echoes.shape[-1])
    usable = usable_echoes(flat, brain.ravel())
    T2star = fit_T2star(flat, times, usable)
    weights = times[:, None] * np.exp(-times[:, None] / T2star)
    weights[np.arange(len(times))[:, None] >= usable] = 0
    weights = (weights / weights.sum(axis=0)).astype(np.float32)
    series = np.zeros(flat.shape[1:], dtype=np.float32)
    for echo, weight in zip(flat, weights, strict=True):
        series += weight[:, None] * echo
    return series.reshape(echoes.shape[1:]), T2star.reshape(brain.shape).astype(np.float32)
