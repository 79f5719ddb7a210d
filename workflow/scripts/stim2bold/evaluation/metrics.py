"""Measures of how near predictions come to what was measured."""

import numpy as np


def correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return Pearson's r of each column of two arrays over their rows.

    Parameters
    ----------
    a, b : ndarray of shape (n_rows, n_columns)

    Returns
    -------
    ndarray of shape (n_columns,)
        NaN where a column of either does not vary: there is no correlation with a constant.
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    # The test for "constant" is on the values themselves: after centring, rounding would pass.
    still = (np.ptp(a, axis=0) == 0) | (np.ptp(b, axis=0) == 0)
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    norm = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    r = (a * b).sum(axis=0) / np.where(still, 1, norm)
    return np.where(still, np.nan, np.clip(r, -1, 1))


def explained(truth: np.ndarray, predicted: np.ndarray, *, mean: np.ndarray) -> np.ndarray:
    """Return R2 of each column: the share of squared deviations from `mean` that is explained.

    Parameters
    ----------
    truth, predicted : ndarray of shape (n_rows, n_columns)
    mean : ndarray of shape (n_rows, n_columns) or (n_columns,)
        What is to be improved on: the training mean, which knows nothing of the held-out rows.

    Returns
    -------
    ndarray of shape (n_columns,)
    """
    truth = np.asarray(truth, dtype=np.float64)
    error = ((truth - predicted) ** 2).sum(axis=0)
    total = ((truth - mean) ** 2).sum(axis=0)
    return np.where(total > 0, 1 - error / np.where(total > 0, total, 1), np.nan)


def mean_r(r: np.ndarray) -> float:
    """Return the mean correlation over the columns that have one; NaN where none has.

    A prediction that does not vary has no correlation. It is not 0: nothing was predicted.
    """
    scored = r[np.isfinite(r)]
    return float(scored.mean()) if scored.size else float("nan")


def centred(values: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Return series less their mean in each part of the film.

    A fold's training mean runs against what the fold holds: a predictor that knows nothing else
    says of each segment what is least like it, and chance would be less than one half.
    """
    values = np.array(values, dtype=np.float64)
    for number in np.unique(parts):
        values[parts == number] -= values[parts == number].mean(axis=0)
    return values


def comparable(
    truth: np.ndarray, predicted: np.ndarray, fold: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return truth and prediction of all held-out rows, the folds made comparable.

    Truth is centred and the prediction standardised within each fold. Without it a model with no
    skill scores below zero: where its folds disagree by chance, they predict little and wrongly,
    where they agree, much and rightly, so the sum is 0 on average but the ratio is not; and the
    training means, which differ from fold to fold, correlate negatively with what was left out.

    Parameters
    ----------
    truth, predicted : ndarray of shape (n_rows, n_columns)
    fold : ndarray of shape (n_rows,)

    Returns
    -------
    truth, predicted : ndarray of shape (n_rows, n_columns)
        A prediction that does not vary in a fold is 0 there.
    """
    truth, predicted = np.array(truth, dtype=np.float64), np.array(predicted, dtype=np.float64)
    for number in np.unique(fold):
        here = fold == number
        still = np.ptp(predicted[here], axis=0) == 0
        part = predicted[here] - predicted[here].mean(axis=0)
        spread = part.std(axis=0)
        predicted[here] = np.where(still, 0, part / np.where(still | (spread == 0), 1, spread))
        truth[here] -= truth[here].mean(axis=0)
    return truth, predicted


def voxel_r(truth: np.ndarray, predicted: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Return each column's correlation over all held-out rows, see `comparable`.

    Parameters
    ----------
    truth, predicted : ndarray of shape (n_rows, n_columns)
    fold : ndarray of shape (n_rows,)

    Returns
    -------
    ndarray of shape (n_columns,)
        NaN where a column of either does not vary in any fold.
    """
    return correlation(*comparable(truth, predicted, fold))


def column_space(columns: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis of what columns span, without directions of rounding.

    Parameters
    ----------
    columns : ndarray of shape (n_rows, n_columns)

    Returns
    -------
    ndarray of shape (n_rows, rank)
    """
    if columns.shape[1] > len(columns):
        # Of tens of thousands of voxels, by the Gram matrix of the rows: a decomposition of the
        # columns themselves took half of the time of all scores.
        squares, left = np.linalg.eigh(columns @ columns.T)
        size = np.sqrt(np.maximum(squares, 0))
    else:
        left, size, _ = np.linalg.svd(columns, full_matrices=False)
    return left[:, size > 1e-5 * size.max(initial=0)]


def without(values: np.ndarray, course: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Return series less all that is a linear function of known courses, fold by fold.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
        Centred within each fold.
    course : ndarray of shape (n_rows, n_courses)
    fold : ndarray of shape (n_rows,)

    Returns
    -------
    ndarray of shape (n_rows, n_columns)
        A column of which nothing but rounding is left in a fold is 0 there.
    """
    out = np.zeros(values.shape)
    for number in np.unique(fold):
        here = fold == number
        known = course[here] - course[here].mean(axis=0)
        basis = column_space(known)
        part = values[here]
        rest = part - basis @ (basis.T @ part)
        kept = (rest**2).sum(axis=0) > 1e-9 * (part**2).sum(axis=0)
        out[here] = np.where(kept, rest, 0)
    return out
