"""Circular shifts: what chance gives to series that are autocorrelated and come in blocks."""

from typing import Any

import numpy as np

#: Seconds by which a shift must miss the film's own time, and its blocks, where these allow it.
MARGIN = 6.0


def allowed_shifts(n_rows: int, *, tr: float, period: float | None = None) -> np.ndarray:
    """Return the shifts, in rows, that bring nothing near to where it was.

    Parameters
    ----------
    n_rows : int
        Length of the circle.
    tr : float
        Seconds from row to row.
    period : float, optional
        Seconds after which blocks come again: shifts near multiples of it, which would put blocks
        on blocks of their own kind, are left out.

    Returns
    -------
    ndarray of int
        At least `MARGIN` seconds, or a quarter of the period (of the circle), from 0 and from every
        multiple of the period, for the greater part of the circle: with half a period left over,
        as in a film that ends as it began, what comes round the end is shifted by as much more.
        Empty when there is no such shift.
    """
    seconds = np.arange(1, n_rows) * tr
    length = n_rows * tr
    every = min(period or length, length)
    margin = min(MARGIN, every / 4)
    # Forward by s is backward by length - s: the shorter way is that of the greater part.
    way = np.minimum(seconds, length - seconds)
    kept = np.abs(way - np.round(way / every) * every) >= margin - 1e-9
    return np.flatnonzero(kept) + 1


def block_period(content: dict[str, Any]) -> float:
    """Return the seconds after which blocks come again: the usual length of a pair of blocks.

    Parameters
    ----------
    content : dict
        The fold file.
    """
    starts = [fold["interval"][0] for fold in content["folds"]]
    # A fold of a long film holds several pairs.
    pairs = [len(fold["blocks"]) // 2 for fold in content["folds"][:-1]]
    return float(np.median(np.diff(starts) / pairs))
