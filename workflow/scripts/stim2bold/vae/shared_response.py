"""The shared response model in the space of rows (Chen et al., NIPS 2015)."""

from dataclasses import dataclass

import numpy as np

from stim2bold.vae.grams import Grams
from stim2bold.vae.penalised_regression import Part


@dataclass(frozen=True)
class SharedResponse:
    """Maps of participants to a course that they share.

    Parameters
    ----------
    course : ndarray of shape (n_rows, n_dimensions)
        Mean over participants of their targets times their maps.
    maps : ndarray of shape (n_participants, n_rows, n_dimensions)
        A participant's orthonormal map is W = Y' M, with the targets Y (n_rows, n_targets).
    """

    course: np.ndarray
    maps: np.ndarray


def shared_response(grams: Grams, dimensions: int, *, iterations: int = 15) -> SharedResponse:
    """Fit the shared response model in the space of rows.

    Alternates between the course, the mean of Y W over participants, and each participant's
    orthonormal W that is nearest to it (Chen et al. 2015, without their prior on the course); the
    start is the principal components of all participants' targets side by side.

    Parameters
    ----------
    grams : Grams
    dimensions : int
    iterations : int
    """
    factors = grams.factors
    values, vectors = np.linalg.eigh(grams.each.sum(axis=0))
    top = slice(-1, -dimensions - 1, -1)
    course = vectors[:, top] * np.sqrt(np.maximum(values[top], 0) / len(factors))
    turns = []
    for _ in range(iterations):
        turns = []
        for basis, scale in factors:
            left, _, right = np.linalg.svd((basis * scale).T @ course, full_matrices=False)
            turns.append(left @ right)
        course = np.mean(
            [(basis * scale) @ turn for (basis, scale), turn in zip(factors, turns, strict=True)],
            axis=0,
        )
    maps = [(basis / scale) @ turn for (basis, scale), turn in zip(factors, turns, strict=True)]
    return SharedResponse(course, np.stack(maps))


def shared_part(shared: SharedResponse, grams: Grams) -> Part:
    """Return the regression of the shared course; its held-out rows are the mean of Y W there."""
    n = len(shared.course)
    across = np.mean(
        [gram[n:, :n] @ own for gram, own in zip(grams.each, shared.maps, strict=True)], axis=0
    )
    whole = np.concatenate([shared.course, across])
    return Part(whole @ whole.T, whole.shape[1])


def rest_part(
    shared: SharedResponse, grams: Grams, x_test: np.ndarray, solution: np.ndarray
) -> Part:
    """Return the regression of what the shared course leaves of each participant's targets.

    Parameters
    ----------
    shared : SharedResponse
    grams : Grams
        At the rows fitted first, then at those held out.
    x_test : ndarray of shape (n_held_out, n_regressors)
    solution : ndarray of shape (n_regressors, n_fitted)
        From the shared course to its weights.
    """
    n = len(shared.course)
    course = np.concatenate([shared.course, x_test @ solution @ shared.course])
    total = np.zeros_like(grams.each[0])
    for gram, own in zip(grams.each, shared.maps, strict=True):
        less = np.eye(len(gram))
        less[:, :n] -= course @ own.T
        total += less @ gram @ less.T
    return Part(total, grams.n_targets * len(grams.each))
