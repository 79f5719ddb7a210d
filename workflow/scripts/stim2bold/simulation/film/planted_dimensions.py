"""The independent dimensions of the film that a simulated brain follows: responses to features.

What follows is written for the simulation alone: the analysis has its own haemodynamic response and
high-pass filter, and is measured against this one.
"""

import numpy as np
from scipy.stats import gamma

KINDS = ("visual", "auditory", "language")
"""Kinds of features, and of brain regions that follow them."""
HIGH_PASS = 1 / 128
"""Slower changes than this, in Hz, are no part of the planted signal."""


def haemodynamic_response(time: np.ndarray) -> np.ndarray:
    """Return SPM's canonical response: two gamma densities, peaks near 5 s and 15 s, ratio 1/6.

    Parameters
    ----------
    time : ndarray
        Seconds since the event.

    Returns
    -------
    ndarray
        Response a second; its integral over time is 1.
    """
    return (gamma.pdf(time, 6) - gamma.pdf(time, 16) / 6) / (1 - 1 / 6)


def respond(features: np.ndarray, times: np.ndarray, *, rate: float) -> np.ndarray:
    """Return the haemodynamic response to features at given times.

    Parameters
    ----------
    features : ndarray of shape (n_frames, n_features)
        Constant during each frame, zero before and after the film.
    times : ndarray of shape (n_times,)
        Film time in seconds.
    rate : float
        Frames a second.

    Returns
    -------
    ndarray of shape (n_times, n_features)
        The convolution, with the response sampled at the middle of each frame.
    """
    middles = (np.arange(len(features)) + 0.5) / rate
    response = haemodynamic_response(times[:, None] - middles) / rate
    return response @ features


def slow_cosines(n_volumes: int, *, TR: float) -> np.ndarray:
    """Return the constant and the cosines slower than `HIGH_PASS`, orthonormal.

    Parameters
    ----------
    n_volumes : int
        Volumes.
    TR : float
        Seconds between them.

    Returns
    -------
    ndarray of shape (n_volumes, n_cosines)
        Basis II of the discrete cosine transform, as in SPM.
    """
    order = int(2 * n_volumes * TR * HIGH_PASS)
    place = (np.arange(n_volumes) + 0.5) / n_volumes
    basis = np.cos(np.pi * place[:, None] * np.arange(order + 1))
    return basis / np.linalg.norm(basis, axis=0)


def high_passed(series: np.ndarray, *, TR: float) -> np.ndarray:
    """Remove the mean and all changes slower than `HIGH_PASS` from columns.

    Parameters
    ----------
    series : ndarray of shape (n_volumes, ...)
        Time first.
    TR : float
        Seconds between volumes.

    Returns
    -------
    ndarray of shape (n_volumes, ...)
        What is left.
    """
    basis = slow_cosines(len(series), TR=TR).astype(series.dtype)
    flat = series.reshape(len(series), -1)
    return (flat - basis @ (basis.T @ flat)).reshape(series.shape)


def independent_dimensions(
    responses: np.ndarray, n_components: int, *, TR: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the principal components of responses, each of unit variance, and their shares.

    Parameters
    ----------
    responses : ndarray of shape (n_volumes, n_features)
        Haemodynamic responses.
    n_components : int
        At most this many; fewer where the responses span fewer.
    TR : float
        Seconds between volumes.

    Returns
    -------
    components : ndarray of shape (n_volumes, <= n_components)
        Uncorrelated, of mean 0 and standard deviation 1, without slow drifts.
    shares : ndarray of shape (<= n_components,)
        Share of the planted variance that each is to have: in proportion to the square root of its
        share in the responses. In proportion to the variance itself, the few components that tell
        music from speech would be nearly all; all alike, most of the signal would lie in
        directions that barely occur in the film.
    """
    centred = high_passed(responses, TR=TR)
    spread = centred.std(axis=0)
    used = spread > 1e-9 * max(spread.max(initial=0.0), 1e-30)
    if not used.any():
        return np.zeros((len(responses), 0)), np.zeros(0)
    left, strength, _ = np.linalg.svd(centred[:, used] / spread[used], full_matrices=False)
    kept = strength > 1e-3 * strength[0]
    kept[n_components:] = False
    components = left[:, kept]
    return components / components.std(axis=0), strength[kept] / strength[kept].sum()
