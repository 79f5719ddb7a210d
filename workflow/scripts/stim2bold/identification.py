"""Identification: whether a prediction is more like its own stretch of film than like others."""

import numpy as np
from scipy.special import comb


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


def pairwise_identification(correlations: np.ndarray) -> float:
    """Return the share of pairs of segments in which each prediction is nearer to its own.

    For segments i and j the two assignments are compared, r_ii + r_jj with r_ij + r_ji (Mitchell et
    al., Science 320:1191, 2008); a tie counts half, so that chance is 0.5.

    Parameters
    ----------
    correlations : ndarray of shape (n_segments, n_segments)
        As `segment_correlations` returns them.
    """
    own = np.diag(correlations)
    right = own[:, None] + own
    crossed = correlations + correlations.T
    upper = np.triu_indices(len(own), k=1)
    difference = (right - crossed)[upper]
    return float(((difference > 0) + 0.5 * (difference == 0)).mean())


def identification_of(correlations: np.ndarray, ways: int) -> float:
    """Return how often the right one of several segments is the most like a prediction.

    The mean over all sets of the right segment and ``ways - 1`` others, by counting: chance is
    ``1 / ways``. Where others are exactly as like as the right one, one of them is drawn.

    Parameters
    ----------
    correlations : ndarray of shape (n_segments, n_segments)
        As `segment_correlations` returns them.
    ways : int
        At most the number of segments.
    """
    own = np.diag(correlations)[:, None]
    lower = (correlations < own).sum(axis=1)
    ties = (correlations == own).sum(axis=1) - 1
    others = ways - 1
    found = sum(
        comb(ties, tied) * comb(lower, others - tied) / (1 + tied) for tied in range(others + 1)
    )
    return float((found / comb(len(own) - 1, others)).mean())
