"""Ridge whose response is flexible for the feature spaces that want it, and the delays it finds."""

from dataclasses import dataclass

import numpy as np

from stim2bold.models.design_matrix import Design, fold_design, refiltered
from stim2bold.models.directions import Problem
from stim2bold.models.folds import Fold
from stim2bold.models.hrf import FilterBank, stretches_before
from stim2bold.models.predictions import Fitted, collect, usable
from stim2bold.models.ridge import RidgeSettings, fit_fold, unfitted

#: Seconds of a stretch over which a flexible response is even, about.
STRETCH = 1.5


@dataclass(frozen=True)
class Delayed:
    """What ridge with flexible delays predicts, and by which delays.

    Attributes
    ----------
    fixed : Fitted
        Held-out predictions of ridge, all responses fixed.
    fitted : Fitted
        Held-out predictions, responses as inner folds want them.
    flexible : list of tuple of int
        In each fold the feature spaces whose response is flexible, by their numbers.
    """

    fixed: Fitted
    fitted: Fitted
    flexible: list[tuple[int, ...]]


def stretches(problem: Problem) -> FilterBank:
    """Return the filters of a flexible response: means over stretches of the past.

    They see the same rows as the fixed response, no row more.
    """
    return stretches_before(
        problem.tr, reach=problem.reach, bins=max(2, round(problem.reach / STRETCH))
    )


def candidates(n_spaces: int) -> list[tuple[int, ...]]:
    """Return the sets of spaces that are tried as flexible: none first, each one, and all."""
    one = [(space,) for space in range(n_spaces)]
    return [(), *one, *([tuple(range(n_spaces))] if n_spaces > 1 else [])]


def designs(problem: Problem, train: np.ndarray, settings: RidgeSettings) -> tuple[Design, Design]:
    """Return the designs of the fixed response and of stretches, fitted on training rows."""
    fixed = fold_design(problem, train, components=settings.components, bins=settings.bins)
    rows = train - problem.first_row
    return fixed, refiltered(fixed, problem.source, rows, stretches(problem))


def stretched_columns(problem: Problem, stretched: Design) -> np.ndarray:
    """Return the regressors of stretches, a space's sum of squares as by the fixed response.

    So one penalty is fair to both.
    """
    return stretched.apply(problem.source) / np.float32(np.sqrt(len(stretched.filters.weights)))


def regressors(
    fixed: np.ndarray, stretched: np.ndarray, components: tuple[int, ...], flexible: tuple[int, ...]
) -> np.ndarray:
    """Return the regressors of a model in which some spaces have a flexible response.

    Parameters
    ----------
    fixed : ndarray of shape (n_source_rows, n_components)
        All spaces by the fixed response.
    stretched : ndarray of shape (n_source_rows, n_stretches * n_components)
        As `stretched_columns` returns them.
    components : tuple of int
        Of each space, in their order.
    flexible : tuple of int
        Numbers of the spaces that are taken from `stretched`.

    Returns
    -------
    ndarray of shape (n_source_rows, n_regressors)
    """
    chosen = np.isin(np.repeat(np.arange(len(components)), components), flexible)
    n_stretches = stretched.shape[1] // len(chosen)
    return np.concatenate([fixed[:, ~chosen], stretched[:, np.tile(chosen, n_stretches)]], axis=1)


def predict_flexible(problem: Problem, folds: list[Fold], settings: RidgeSettings) -> Delayed:
    """Predict by ridge, the response of each feature space fixed or flexible by inner folds.

    In each fold that set of flexible spaces is taken whose mean R2 over targets is largest on the
    inner folds, each target with its own best penalty; of equal ones the first of `candidates`.

    Parameters
    ----------
    problem : Problem
        BOLD from the film.
    folds : list of Fold
    settings : RidgeSettings
    """
    tried = candidates(len(problem.spaces))
    fixed, best, chosen = [], [], []
    for fold in folds:
        train, _ = usable(problem, fold)
        design, stretched = designs(problem, train, settings)
        columns = design.apply(problem.source), stretched_columns(problem, stretched)
        parts, scores = [], []
        for flexible in tried:
            model = unfitted(problem, fold, settings)
            seen = regressors(*columns, design.components, flexible)
            parts.append(fit_fold(model, problem, fold, seen))
            scores.append(float(np.mean(model.cv_scores_)))
        fixed.append(parts[0])
        best.append(parts[int(np.argmax(scores))])
        chosen.append(tried[int(np.argmax(scores))])
    collected = (collect(parts, extent=problem.extent) for parts in (fixed, best))
    return Delayed(*collected, chosen)


def predict_by_delay(
    problem: Problem, folds: list[Fold], settings: RidgeSettings
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Predict by ridge with all responses flexible, and take the prediction apart by delay.

    Parameters
    ----------
    problem, folds, settings
        As of `predict_flexible`.

    Returns
    -------
    delays : ndarray of shape (n_stretches,)
        The middle of each stretch, seconds before the volume.
    parts : list of ndarray of shape (n_stretches, n_test_rows, n_targets)
        Of each fold, held out and in the target's units; their sum, with the training mean, is
        what is predicted.
    """
    bank = stretches(problem)
    delays = np.asarray(bank.weights) @ -np.asarray(bank.offsets, dtype=float) * problem.tr
    n_stretches, parts = len(delays), []
    for fold in folds:
        train, test = usable(problem, fold)
        columns = stretched_columns(problem, designs(problem, train, settings)[1])
        model = unfitted(problem, fold, settings)
        fit_fold(model, problem, fold, columns)
        scale = problem.target[train - problem.rows[0]].std(axis=0)
        here = columns[test - problem.first_row].reshape(len(test), n_stretches, -1)
        weights = model.coef_.reshape(n_stretches, -1, model.coef_.shape[1])
        parts.append(np.einsum("tsc,scv->stv", here, weights) * scale)
    return delays, parts


def delay_shares(problem: Problem, folds: list[Fold], parts: list[np.ndarray]) -> np.ndarray:
    """Return how much of the agreement with the target each delay brings.

    Parameters
    ----------
    problem : Problem
    folds : list of Fold
    parts : list of ndarray of shape (n_stretches, n_test_rows, n_targets)
        As `predict_by_delay` returns them.

    Returns
    -------
    ndarray of shape (n_stretches, n_targets)
        Covariance of each part with the target over held-out rows, by folds (the product measure,
        Pratt 1987), as a share of their sum where that is positive, else NaN.
    """
    total = np.zeros((len(parts[0]), problem.target.shape[1]))
    for fold, part in zip(folds, parts, strict=True):
        _, test = usable(problem, fold)
        target = problem.target[test - problem.rows[0]]
        centred = part - part.mean(axis=1, keepdims=True)
        total += np.einsum("stv,tv->sv", centred, target - target.mean(axis=0))
    agreement = total.sum(axis=0)
    return np.divide(total, agreement, out=np.full_like(total, np.nan), where=agreement > 0)


def best_delay(delays: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return the mean delay of what agrees with the target, each delay weighted by its share.

    Parameters
    ----------
    delays : ndarray of shape (n_stretches,)
        Seconds.
    shares : ndarray of shape (n_stretches, n_targets)
        Negative ones, which chance brings, count as none.

    Returns
    -------
    ndarray of shape (n_targets,)
        Seconds; NaN where nothing agrees.
    """
    positive = np.where(shares > 0, shares, 0)
    known = np.isfinite(shares).all(axis=0)
    size = positive.sum(axis=0)
    return np.where(known, delays @ positive / np.where(size > 0, size, 1), np.nan)
