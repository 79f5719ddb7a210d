"""How strongly each place of the simulated brain follows each dimension of the film.

Weights are smooth random fields over MNI space, of one length at every place. A participant's are a
mixture of fields that all share and fields of their own, so that the signals of two participants at
one place correlate as the configuration says.
"""

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from stim2bold.simulation.brain.deformation import apply_affine
from stim2bold.simulation.brain.planted_regions import KIND_NUMBERS
from stim2bold.simulation.film.planted_dimensions import KINDS

STEP = 4.0
"""Millimetres between the points of the MNI grid of the truth."""
SHAPE = (50, 59, 48)
"""Points of that grid: nilearn's template at 4 mm."""
AFFINE = np.array([[STEP, 0, 0, -98.0], [0, STEP, 0, -134.0], [0, 0, STEP, -72.0], [0, 0, 0, 1.0]])
"""Indices of that grid to MNI millimetres."""
SMOOTHNESS = 12.0
"""Full width at half maximum of the weights in millimetres."""


def draw_weights(
    shares: np.ndarray,
    *,
    correlation: float,
    shared: np.random.Generator,
    own: np.random.Generator,
) -> np.ndarray:
    """Draw the weights of the dimensions of one kind.

    Parameters
    ----------
    shares : ndarray of shape (n_components,)
        Share of each dimension in the variance of the signal, on average over places.
    correlation : float
        Of the signals of two participants at one place, 0 to 1.
    shared, own : numpy Generator
        The chance that all participants have in common, and the participant's.

    Returns
    -------
    ndarray of shape (n_components, 50, 59, 48), float32
        On the grid `AFFINE`; at each point the squares add up to one.
    """
    common = _fields(shares, shared)
    individual = _fields(shares, own)
    weights = np.sqrt(correlation) * common + np.sqrt(1 - correlation) * individual
    return (weights / np.linalg.norm(weights, axis=0)).astype(np.float32)


def draw_all_weights(
    kinds: np.ndarray, shares: np.ndarray, *, correlation: float, seed: int, number: int
) -> dict[str, np.ndarray]:
    """Draw what each kind of region does with the planted components; see `draw_weights`.

    Parameters
    ----------
    kinds : ndarray of shape (n_components,), str
        Kind of region that follows each component of the film.
    shares : ndarray of shape (n_components,)
        Of each component in the variance planted for its kind.
    correlation : float
        Of the signals of two participants at one place, 0 to 1.
    seed : int
        Of the data set.
    number : int
        Of the participant, from 1.

    Returns
    -------
    dict of str to ndarray
        By kind, those that are planted.
    """
    return {
        kind: draw_weights(
            shares[kinds == kind],
            correlation=correlation,
            shared=np.random.default_rng([seed, 0, KIND_NUMBERS[kind]]),
            own=np.random.default_rng([seed, number, 100 + KIND_NUMBERS[kind]]),
        )
        for kind in KINDS
        if (kinds == kind).any()
    }


def _fields(shares: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    # A margin keeps what is smoothed free of the edge.
    sigma = SMOOTHNESS / np.sqrt(8 * np.log(2)) / STEP
    margin = int(np.ceil(3 * sigma))
    shape = tuple(length + 2 * margin for length in SHAPE)
    inner = tuple(slice(margin, -margin) for _ in SHAPE)
    fields = np.stack(
        [
            np.sqrt(share) * _standard(gaussian_filter(rng.standard_normal(shape), sigma)[inner])
            for share in shares
        ]
    )
    # Of one length at each place, that the mixture of two may have the right angle to another.
    return fields / np.linalg.norm(fields, axis=0)


def _standard(field: np.ndarray) -> np.ndarray:
    return field / field.std()


def weights_at(weights: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Read weights at points of MNI space.

    Parameters
    ----------
    weights : ndarray of shape (n_components, 50, 59, 48)
        From `draw_weights`.
    points : ndarray of shape (n, 3)
        MNI millimetres.

    Returns
    -------
    ndarray of shape (n, n_components), float32
        Interpolated linearly.
    """
    where = apply_affine(np.linalg.inv(AFFINE), points).T
    return np.stack([map_coordinates(part, where, order=1) for part in weights], axis=1)
