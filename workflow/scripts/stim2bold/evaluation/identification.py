"""Identification: whether a prediction is more like its own stretch of film than like others."""

from dataclasses import dataclass

import numpy as np
from scipy.special import comb

from stim2bold.evaluation.significance import reached


def cut_segments(rows: np.ndarray, fold: np.ndarray, *, length: int) -> list[np.ndarray]:
    """Cut held-out rows into segments of equal length that do not leave their fold.

    Parameters
    ----------
    rows, fold : ndarray of shape (n_predicted,)
        Row number and fold of each predicted row, in order of time.
    length : int
        Rows of a segment.

    Returns
    -------
    list of ndarray of int, each of shape (length,)
        Positions among the predicted rows. What is left at the end of a stretch is not used.
    """
    breaks = np.flatnonzero((np.diff(rows) != 1) | (np.diff(fold) != 0)) + 1
    return [
        part[start : start + length]
        for part in np.split(np.arange(len(rows)), breaks)
        for start in range(0, len(part) - length + 1, length)
    ]


def stretches(rows: np.ndarray, parts: np.ndarray) -> list[np.ndarray]:
    """Return positions of rows that follow each other within one part."""
    breaks = np.flatnonzero((np.diff(rows) != 1) | (np.diff(parts) != 0)) + 1
    return np.split(np.arange(len(rows)), breaks)


@dataclass(frozen=True)
class Likeness:
    """How like each segment of film the prediction is, wherever in its stretch it is taken.

    Parameters
    ----------
    r : ndarray of shape (n_rows, n_segments)
        Row t: the stretch of prediction that starts at row t, the end of the stretch followed by
        its beginning, correlated with the truth of each segment. A prediction that does not vary
        correlates 0.
    start : ndarray of shape (n_segments,), int
        First row of each segment.
    first, length : ndarray of shape (n_segments,), int
        First row, and number of rows, of the stretch that a segment is cut from.
    part : ndarray of shape (n_segments,), int
        Part of the film that a segment is cut from.
    """

    r: np.ndarray
    start: np.ndarray
    first: np.ndarray
    length: np.ndarray
    part: np.ndarray

    @property
    def own(self) -> np.ndarray:
        """Prediction of each segment with the truth of each, (n_segments, n_segments)."""
        return self.r[self.start]

    @property
    def varies(self) -> bool:
        """Whether any prediction does."""
        return bool(self.own.any())

    def shifted(self, *, seed: int, n: int) -> np.ndarray:
        """Shift the prediction of every stretch round within it, at random.

        Returns
        -------
        ndarray of shape (n, n_segments, n_segments)
            Such a prediction is as smooth and as strong as the true one, and every part of it has
            been predicted by the fold's own fit; only the moment is wrong. Shifts depend on seed
            and part alone: those of all participants are the same.
        """
        drawn = np.empty((n, len(self.start)), dtype=int)
        for first in np.unique(self.first):
            here = np.flatnonzero(self.first == first)
            rng = np.random.default_rng([seed, int(self.part[here[0]]), int(first)])
            drawn[:, here] = rng.integers(self.length[here[0]], size=(n, 1))
        return self.r[self.first + (self.start - self.first + drawn) % self.length]


@dataclass(frozen=True)
class Products:
    """Products of rows, from which segments of any length are correlated.

    Parameters
    ----------
    cross : ndarray of shape (n_rows, n_rows)
        Of a predicted row, then of a measured one.
    predicted, truth : ndarray of shape (2, n_rows)
        Sum of each row over columns, and sum of its squares.
    n_columns : int
    """

    cross: np.ndarray
    predicted: np.ndarray
    truth: np.ndarray
    n_columns: int


def row_products(truth: np.ndarray, predicted: np.ndarray) -> Products:
    """Return the products of rows of shape (n_rows, n_columns), parts' means taken off."""
    sums = [np.stack([x.sum(axis=1), np.einsum("rc,rc->r", x, x)]) for x in (predicted, truth)]
    return Products(predicted @ truth.T, *sums, truth.shape[1])


def likeness(products: Products, *, rows: np.ndarray, parts: np.ndarray, length: int) -> Likeness:
    """Correlate predicted with measured segments that do not leave their part of the film.

    Parameters
    ----------
    products : Products
        Of truth and prediction, the parts' means taken off (`centred`).
    rows, parts : ndarray of shape (n_rows,), int
        Row number, and the part of the film (a fold, or a block in it) that each row lies in.
    length : int
        Rows of a segment.
    """
    stretch = stretches(rows, parts)
    segments = cut_segments(rows, parts, length=length)
    starts = np.array([part[0] for part in stretch])
    of = np.searchsorted(starts, [segment[0] for segment in segments], side="right") - 1
    lengths = np.array([len(part) for part in stretch])
    # Place of the k-th row of the piece that starts at each row.
    first = np.repeat(starts, lengths)
    turned = (np.arange(len(rows)) - first)[:, None] + np.arange(length)
    places = first[:, None] + turned % np.repeat(lengths, lengths)[:, None]
    r = np.zeros((len(rows), len(segments)))
    at = np.array(segments, dtype=int).reshape(-1, length)
    for k in range(length):
        r += products.cross[np.ix_(places[:, k], at[:, k])]
    size = length * products.n_columns
    sums, energy = products.predicted[:, places].sum(axis=2)
    own_sums, own_energy = products.truth[:, at].sum(axis=2)
    r -= np.outer(sums, own_sums) / size
    norms = []
    for part, square in ((sums, energy), (own_sums, own_energy)):
        left = square - part**2 / size
        norms.append(np.sqrt(np.where(left > 1e-9 * np.abs(energy).max(initial=0), left, np.inf)))
    return Likeness(
        r=r / np.outer(*norms),
        start=at[:, 0],
        first=starts[of],
        length=lengths[of],
        part=np.asarray(parts)[at[:, 0]],
    )


def segment_correlations(
    truth: np.ndarray, predicted: np.ndarray, segments: list[np.ndarray]
) -> np.ndarray:
    """Correlate the prediction of each segment with the truth of each.

    Parameters
    ----------
    truth, predicted : ndarray of shape (n_predicted, n_columns)
        What a fold's training mean predicts taken out of both: it is alike in all segments.
    segments : list of ndarray of int
        As `cut_segments` returns them.

    Returns
    -------
    ndarray of shape (n_segments, n_segments)
        Row i: prediction of segment i, over all its rows and columns. A prediction that does not
        vary correlates 0.
    """

    def standardised(values: np.ndarray) -> np.ndarray:
        flat = np.stack([values[segment].ravel() for segment in segments]).astype(np.float64)
        flat -= flat.mean(axis=1, keepdims=True)
        length = np.linalg.norm(flat, axis=1, keepdims=True)
        return flat / np.where(length > 0, length, 1)

    return standardised(predicted) @ standardised(truth).T


def pairwise_identification(
    correlations: np.ndarray, among: np.ndarray | None = None
) -> np.ndarray:
    """Return the share of pairs of segments in which each prediction is nearer to its own.

    For segments i and j the two assignments are compared, r_ii + r_jj with r_ij + r_ji (Mitchell et
    al., Science 320:1191, 2008); a tie counts half.

    Parameters
    ----------
    correlations : ndarray of shape (..., n_segments, n_segments)
        Row i: prediction of segment i with the truth of each.
    among : ndarray of shape (n_segments,), optional
        Kinds of segments: only pairs of one kind are compared.

    Returns
    -------
    ndarray of shape (...)
        NaN where there is no pair.
    """
    own = np.diagonal(correlations, axis1=-2, axis2=-1)
    first, second = np.triu_indices(own.shape[-1], k=1)
    if among is not None:
        same = among[first] == among[second]
        first, second = first[same], second[same]
    if not len(first):
        return np.full(correlations.shape[:-2], np.nan)
    right = own[..., first] + own[..., second]
    difference = right - correlations[..., first, second] - correlations[..., second, first]
    # Rounding must not decide between what is alike.
    alike = np.abs(difference) <= 1e-12
    return np.where(alike, 0.5, difference > 0).mean(axis=-1)


def identification_of(correlations: np.ndarray, ways: int) -> np.ndarray:
    """Return how often the right one of several segments is the most like a prediction.

    The mean over all sets of the right segment and ``ways - 1`` others, by counting. Where others
    are exactly as like as the right one, one of them is drawn.

    Parameters
    ----------
    correlations : ndarray of shape (..., n_segments, n_segments)
        Row i: prediction of segment i with the truth of each.
    ways : int
        At most the number of segments.

    Returns
    -------
    ndarray of shape (...)
    """
    own = np.diagonal(correlations, axis1=-2, axis2=-1)[..., None]
    lower = (correlations < own).sum(axis=-1)
    ties = (correlations == own).sum(axis=-1) - 1
    others = ways - 1
    number = np.arange(correlations.shape[-1])
    found = 0.0
    for tied in range(min(others, int(ties.max())) + 1):
        # Of each number of segments, looked up: there are few, and many draws.
        found = found + comb(number, tied)[ties] * comb(number, others - tied)[lower] / (1 + tied)
    return (found / comb(correlations.shape[-1] - 1, others)).mean(axis=-1)


@dataclass(frozen=True)
class Identified:
    """A share of segments identified, beside what chance gives.

    Parameters
    ----------
    value, p : float
        NaN where the prediction does not vary.
    null : ndarray of shape (n_draws,)
    n : int
        Segments.
    """

    value: float
    p: float
    null: np.ndarray
    n: int

    @property
    def chance(self) -> float:
        """Mean of the null."""
        return float(self.null.mean())

    @property
    def interval(self) -> tuple[float, float]:
        """Where 95 % of the null lie."""
        return tuple(float(end) for end in np.quantile(self.null, [0.025, 0.975]))


def judged(value: float, null: np.ndarray, *, n: int) -> Identified:
    """Compare a share identified with its null."""
    if not np.isfinite(value):
        null = np.full(len(null), np.nan)
    return Identified(float(value), reached(float(value), null), null, n)


def permuted(correlations: np.ndarray, *, seed: int, n: int = 999) -> Identified:
    """Judge pairs of segments far apart by exchanging which prediction belongs to which.

    Parameters
    ----------
    correlations : ndarray of shape (n_segments, n_segments)
    seed : int
    n : int
        Random orders.
    """
    rng = np.random.default_rng(seed)
    orders = np.argsort(rng.random((n, len(correlations))), axis=1)
    value = pairwise_identification(correlations) if correlations.any() else np.nan
    return judged(value, pairwise_identification(correlations[orders]), n=len(correlations))
