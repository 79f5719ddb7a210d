"""What each feature space contributes to the prediction of BOLD: video, sound, annotations.

One banded ridge sees all spaces at once. Its prediction is the sum of one part a space, so the
covariance of prediction and measurement is a sum too, and each space's share of it is the space's
share of what is explained (the product measure; Dupre la Tour et al., NeuroImage 264:119728, 2022).
What two spaces both tell is divided between them. What a space alone tells, the loss of R2 without
it (`stim2bold.evaluation.left_out_spaces`), needs far more film: in 390 s chance makes different
spaces correlate, and what a model lacks is noise to it (docs/decisions.md).
"""

from dataclasses import dataclass

import numpy as np

from stim2bold.models.design_matrix import component_bands, fold_design, standardisation
from stim2bold.models.directions import Problem
from stim2bold.models.folds import Fold
from stim2bold.models.predictions import usable
from stim2bold.models.ridge import RidgeSettings, fit_fold, unfitted


@dataclass(frozen=True)
class Partition:
    """Covariance of each space's part of the prediction with the measurement.

    Parameters
    ----------
    by_voxel : ndarray of shape (n_spaces, n_voxels)
        Over all held-out rows, as a share of the voxel's variance.
    by_row : ndarray of shape (n_rows, n_spaces)
        Sum over voxels of the products at each held-out row.
    rows : ndarray of shape (n_rows,)
    fitted : dict
        Row numbers that reached the fit, for each fold.
    """

    by_voxel: np.ndarray
    by_row: np.ndarray
    rows: np.ndarray
    fitted: dict[int, np.ndarray]


def partition(
    problem: Problem,
    folds: list[Fold],
    settings: RidgeSettings,
    *,
    voxels: np.ndarray | None = None,
) -> Partition:
    """Fit all spaces together in every fold, and split what is explained on its held-out rows.

    Parameters
    ----------
    problem : Problem
        With several spaces in its source.
    folds : list of Fold
    settings : RidgeSettings
    voxels : ndarray of shape (n_voxels,), bool, optional
        Those that are summed over; all by default.
    """
    n_spaces = len(problem.spaces)
    counted = np.ones(problem.target.shape[1], bool) if voxels is None else voxels
    products = np.zeros((n_spaces, problem.target.shape[1]))
    variance = np.zeros(problem.target.shape[1])
    by_row, rows, fitted = [], [], {}
    for fold in folds:
        train, test = usable(problem, fold)
        design = fold_design(problem, train, components=settings.components, bins=settings.bins)
        bands = component_bands(design, edges=())
        model = unfitted(problem, fold, settings, bands=bands)
        regressors = design.apply(problem.source)
        fit_fold(model, problem, fold, regressors)
        mean, scale = standardisation(problem.target[train - problem.rows[0]])
        truth = (problem.target[test - problem.rows[0]] - mean) / scale
        truth = truth - truth.mean(axis=0)
        here = regressors[test - problem.first_row]
        here = here - here.mean(axis=0)
        shares = np.zeros((len(test), n_spaces))
        for space in range(n_spaces):
            mine = bands == space
            product = (here[:, mine] @ model.coef_[mine]) * truth
            products[space] += product.sum(axis=0)
            shares[:, space] = product[:, counted].sum(axis=1)
        variance += (truth**2).sum(axis=0)
        by_row.append(shares)
        rows.append(test)
        fitted[fold.number] = train
    return Partition(
        by_voxel=products / np.where(variance > 0, variance, 1),
        by_row=np.concatenate(by_row),
        rows=np.concatenate(rows),
        fitted=fitted,
    )


def drawn_sums(columns: np.ndarray, blocks: np.ndarray, *, seed: int, n: int) -> np.ndarray:
    """Return sums over rows, whole blocks of which are drawn with replacement.

    Parameters
    ----------
    columns : ndarray of shape (n_rows, n_columns)
    blocks : ndarray of shape (n_rows,)
        Which block each row lies in.
    seed, n : int
        Draws.

    Returns
    -------
    ndarray of shape (n, n_columns)
    """
    names, number = np.unique(blocks, return_inverse=True)
    sums = np.stack([np.bincount(number, weights=column) for column in columns.T], axis=1)
    drawn = np.random.default_rng(seed).integers(len(names), size=(n, len(names)))
    return sums[drawn].sum(axis=1)


def shares(
    by_row: np.ndarray, blocks: np.ndarray, *, seed: int, n: int = 1000
) -> tuple[np.ndarray, np.ndarray]:
    """Return each space's share of what is explained, with its interval.

    Parameters
    ----------
    by_row : ndarray of shape (n_rows, n_spaces)
        As of `Partition`.
    blocks : ndarray of shape (n_rows,)
        Which block each row lies in; blocks are drawn with replacement for the interval.
    seed, n : int
        Draws.

    Returns
    -------
    share : ndarray of shape (n_spaces,)
        They sum to 1; NaN where the interval of what is explained in all reaches 0: a part of
        next to nothing is any number.
    interval : ndarray of shape (2, n_spaces)
        95 %; over the draws in which anything is explained.
    """
    totals = drawn_sums(by_row, blocks, seed=seed, n=n)
    whole = by_row.sum(axis=0)
    if min(whole.sum(), np.quantile(totals.sum(axis=1), 0.025)) <= 0:
        return np.full(by_row.shape[1], np.nan), np.full((2, by_row.shape[1]), np.nan)
    some = totals[totals.sum(axis=1) > 0]
    interval = np.quantile(some / some.sum(axis=1, keepdims=True), [0.025, 0.975], axis=0)
    return whole / whole.sum(), interval
