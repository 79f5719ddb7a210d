"""Moments of the film: where a course is high or low, and what each adds to a correlation."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from stim2bold.evaluation.metrics import comparable


def contributions(truth: np.ndarray, predicted: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Return what each row adds to a correlation of prediction and truth.

    Within a window of seconds r is unstable: it is that of a handful of independent values, and
    large where nothing happens. The product of the two, each in its standard deviations, is not:
    its mean over all rows is r, `stim2bold.evaluation.metrics.voxel_r`.

    Parameters
    ----------
    truth, predicted : ndarray of shape (n_rows,)
    fold : ndarray of shape (n_rows,)

    Returns
    -------
    ndarray of shape (n_rows,)
        NaN throughout where truth or prediction varies in no fold.
    """
    truth, predicted = (part[:, 0] for part in comparable(truth[:, None], predicted[:, None], fold))
    size = np.sqrt((truth**2).mean() * (predicted**2).mean())
    return truth * predicted / (size if size > 0 else np.nan)


def extreme_windows(
    values: np.ndarray, rows: np.ndarray, fold: np.ndarray, *, length: int, n: int
) -> tuple[list[tuple[int, float]], list[tuple[int, float]]]:
    """Find the windows with the highest and with the lowest mean, none of which overlap.

    The highest is taken first, then the lowest, then the highest of what is left, and so on.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
    rows, fold : ndarray of shape (n_rows,)
        Row number, in rising order, and fold of each value: a window lies in one fold, and misses
        no row.
    length : int
        Rows of a window.
    n : int
        Windows of each kind, at the most: fewer where no more fit, or values are missing.

    Returns
    -------
    highest, lowest : list of (int, float)
        Position of a window's first row among the rows, and its mean; the most extreme first.
    """
    highest, lowest = [], []
    if len(values) < length:
        return highest, lowest
    stretch = np.cumsum(
        (np.diff(rows, prepend=rows[0]) > 1) | (np.diff(fold, prepend=fold[0]) != 0)
    )
    means = sliding_window_view(np.asarray(values, dtype=np.float64), length).mean(axis=1)
    free = (stretch[length - 1 :] == stretch[: len(means)]) & np.isfinite(means)
    for _ in range(n):
        for found, sign in ((highest, 1), (lowest, -1)):
            if not free.any():
                return highest, lowest
            best = int(np.where(free, sign * means, -np.inf).argmax())
            found.append((best, float(means[best])))
            free[max(0, best - length + 1) : best + length] = False
    return highest, lowest
