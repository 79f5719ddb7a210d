"""Gram matrices of targets over rows: all that a linear solution needs to know of many targets."""

import functools
from dataclasses import dataclass

import numpy as np

COLUMNS = 2048
"""Targets that are multiplied at a time."""


@dataclass(frozen=True)
class Grams:
    """Gram matrices of targets over rows, all that a solution needs to know of them.

    Parameters
    ----------
    each : ndarray of shape (n_participants, n_rows, n_rows)
    mean : ndarray of shape (n_rows, n_rows)
        Of the mean over participants, place by place.
    n_targets : int
        Of one participant.
    """

    each: np.ndarray
    mean: np.ndarray
    n_targets: int

    @functools.cached_property
    def factors(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Eigenvectors of each participant's Gram matrix and the roots of their eigenvalues."""
        found = []
        for gram in self.each:
            values, vectors = np.linalg.eigh(gram)
            kept = values > values[-1] * 1e-9
            found.append((vectors[:, kept], np.sqrt(values[kept])))
        return found

    def at(self, rows: np.ndarray) -> "Grams":
        """Return the Gram matrices of some rows."""
        block = np.ix_(rows, rows)
        each = np.stack([gram[block] for gram in self.each])
        return Grams(each, self.mean[block], self.n_targets)


def grams_of(targets: np.ndarray, *, participants: int, weights: np.ndarray | None = None) -> Grams:
    """Return the Gram matrices of targets.

    Parameters
    ----------
    targets : ndarray of shape (n_rows, participants * n_places)
        Standardised, one participant after the other, at the same places.
    participants : int
    weights : ndarray of shape (n_places,), optional
        How much each place counts, 1 on average; all alike by default.
    """
    n_rows, n_places = len(targets), targets.shape[1] // participants
    whole = targets.reshape(n_rows, participants, n_places)
    each = np.zeros((participants, n_rows, n_rows))
    mean = np.zeros((n_rows, n_rows))
    for start in range(0, n_places, COLUMNS):
        part = whole[:, :, start : start + COLUMNS]
        if weights is not None:
            part = part * np.sqrt(weights[start : start + COLUMNS]).astype(part.dtype)
        for number in range(participants):
            own = np.ascontiguousarray(part[:, number])
            each[number] += own @ own.T
        if participants > 1:
            average = part.mean(axis=1)
            mean += average @ average.T
    return Grams(each, mean if participants > 1 else each[0], n_places)
