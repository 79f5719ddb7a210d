"""What a feature space alone tells of BOLD: what is lost without it, on the same folds.

Beside the shares of `stim2bold.models.variance_partition`, which divide what two spaces both tell:
here such a part is nobody's.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from stim2bold.evaluation.metrics import centred
from stim2bold.models.directions import Problem
from stim2bold.models.folds import Fold
from stim2bold.models.ridge import RidgeSettings, predict_ridge
from stim2bold.models.variance_partition import drawn_sums


@dataclass(frozen=True)
class LeftOut:
    """What banded ridge loses when some feature spaces are taken from it.

    Parameters
    ----------
    by_voxel : ndarray of shape (n_groups, n_voxels)
        Loss of R2 over all held-out rows; negative where the spaces only added noise.
    by_row : ndarray of shape (n_rows, n_groups)
        Squared error that is added at each held-out row, sum over voxels of unit variance.
    size : ndarray of shape (n_rows,)
        Sum of the squared series themselves.
    rows : ndarray of shape (n_rows,)
    fitted : dict
        Row numbers that reached the fit, for each fold.
    """

    by_voxel: np.ndarray
    by_row: np.ndarray
    size: np.ndarray
    rows: np.ndarray
    fitted: dict[int, np.ndarray]


def without_spaces(problem: Problem, spaces: Collection[int]) -> Problem:
    """Return a problem without some of its feature spaces, by their numbers."""
    number = np.repeat(np.arange(len(problem.spaces)), problem.spaces)
    kept = ~np.isin(number, list(spaces))
    sizes = tuple(n for k, n in enumerate(problem.spaces) if k not in spaces)
    return replace(problem, source=np.ascontiguousarray(problem.source[:, kept]), spaces=sizes)


def left_out(
    problem: Problem, folds: list[Fold], settings: RidgeSettings, groups: Sequence[Collection[int]]
) -> LeftOut:
    """Fit banded ridge with all feature spaces, and again without each group of them.

    Parameters
    ----------
    problem : Problem
        With several spaces in its source.
    folds : list of Fold
    settings : RidgeSettings
    groups : sequence of collection of int
        Numbers of the spaces that are left out together; never all of them.
    """
    whole = predict_ridge(problem, folds, settings, banded=True)
    truth = centred(problem.target[whole.rows - problem.rows[0]], whole.fold)
    predicted = centred(whole.values, whole.fold)
    scale = truth.std(axis=0)
    scale = np.where(scale > 0, scale, 1)
    error = ((truth - predicted) / scale) ** 2
    size = (truth / scale) ** 2
    by_voxel, by_row = [], []
    for group in groups:
        less = predict_ridge(without_spaces(problem, group), folds, settings, banded=True)
        added = ((truth - centred(less.values, less.fold)) / scale) ** 2 - error
        by_voxel.append(added.sum(axis=0) / np.maximum(size.sum(axis=0), 1e-12))
        by_row.append(added.sum(axis=1))
    return LeftOut(
        by_voxel=np.stack(by_voxel),
        by_row=np.stack(by_row, axis=1),
        size=size.sum(axis=1),
        rows=whole.rows,
        fitted=whole.fitted,
    )


def losses(
    found: LeftOut, blocks: np.ndarray, *, seed: int, n: int = 1000
) -> tuple[np.ndarray, np.ndarray]:
    """Return the loss of R2 without each group, over all voxels, with its 95 % interval.

    Parameters
    ----------
    found : LeftOut
    blocks : ndarray of shape (n_rows,)
        Which block each row lies in; blocks are drawn with replacement for the interval.
    seed, n : int
        Draws.
    """
    columns = np.column_stack([found.by_row, found.size])
    totals = drawn_sums(columns, blocks, seed=seed, n=n)
    ends = np.quantile(totals[:, :-1] / totals[:, -1:], [0.025, 0.975], axis=0)
    return found.by_row.sum(axis=0) / found.size.sum(), ends
