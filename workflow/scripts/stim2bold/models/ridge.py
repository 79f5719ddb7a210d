"""Ridge and banded ridge regression on the delayed components of feature spaces (himalaya)."""

from dataclasses import dataclass

import numpy as np
from himalaya.backend import set_backend
from himalaya.kernel_ridge import generate_dirichlet_samples
from himalaya.ridge import GroupRidgeCV, RidgeCV

from stim2bold.models.design_matrix import component_bands, fold_design
from stim2bold.models.directions import Problem
from stim2bold.models.folds import Fold
from stim2bold.models.predictions import Fitted, collect, inner_folds, target_scale, usable


@dataclass(frozen=True, kw_only=True)
class RidgeSettings:
    """How the linear models are fitted.

    Parameters
    ----------
    components : int
        Principal components of the source that ridge sees.
    alphas : tuple of float
        Logarithm (base 10) of the smallest and the largest penalty, and their number.
    bins : int
        Stretches that the seconds after a moment of the film are averaged over.
    bands : tuple of int
        Numbers of the components at which banded ridge cuts a single feature space.
    draws : int
        Random proportions of the bands' penalties that banded ridge tries, beside equal ones.
    seed : int
        Of those.
    """

    components: int
    alphas: tuple[float, float, int] = (-1.0, 6.0, 15)
    bins: int
    bands: tuple[int, ...]
    draws: int
    seed: int


def r2_scores(truth: np.ndarray, predictions: np.ndarray) -> np.ndarray:
    """Return R2 of several predictions at once: himalaya's `r2_score`, without its checks.

    Parameters
    ----------
    truth : ndarray of shape (n_rows, n_targets)
    predictions : ndarray of shape (n_predictions, n_rows, n_targets)

    Returns
    -------
    ndarray of shape (n_predictions, n_targets)
        0 where the truth does not vary.
    """
    error = predictions - truth
    left = np.einsum("prt,prt->pt", error, error)
    centred = truth - truth.mean(axis=0)
    size = np.einsum("rt,rt->t", centred, centred)
    return np.where(size > 0, 1 - left / np.where(size > 0, size, 1), 0)


def inner_splits(problem: Problem, fold: Fold, train: np.ndarray) -> list[tuple]:
    """Return the fold's inner splits as positions within its training rows."""
    return [
        (np.searchsorted(train, split.train), np.searchsorted(train, split.test))
        for split in inner_folds(problem, fold)
    ]


def fit_fold(
    model: RidgeCV | GroupRidgeCV, problem: Problem, fold: Fold, regressors: np.ndarray
) -> tuple[Fold, np.ndarray, np.ndarray, np.ndarray]:
    """Fit a linear model to a fold's training rows and predict its test rows.

    Parameters
    ----------
    model : RidgeCV or GroupRidgeCV
        Changed in place. It sees targets standardised by the training rows.
    problem : Problem
    fold : Fold
    regressors : ndarray of shape (n_source_rows, n_regressors)

    Returns
    -------
    fold, fitted rows, test rows, values
        A part, as `collect` takes it; values in the target's units.
    """
    train, test = usable(problem, fold)
    mean, scale = target_scale(problem, fold, train)
    target = problem.target[train - problem.rows[0]]
    # In place: of long films another copy is a gigabyte.
    target -= mean
    target /= scale
    model.fit(regressors[train - problem.first_row], target)
    values = model.predict(regressors[test - problem.first_row]) * scale + mean
    return fold, train, test, values


def unfitted(
    problem: Problem, fold: Fold, settings: RidgeSettings, *, bands: np.ndarray | None = None
) -> RidgeCV | GroupRidgeCV:
    """Return a model that chooses its penalties on a fold's inner folds.

    Parameters
    ----------
    problem : Problem
    fold : Fold
    settings : RidgeSettings
    bands : ndarray of shape (n_regressors,), int, optional
        Which band each regressor belongs to: one penalty for each, found by random search [1]_;
        else one penalty for all.

    References
    ----------
    .. [1] Dupre la Tour, Eickenberg, Nunez-Elizalde & Gallant, NeuroImage 264:119728 (2022).
    """
    set_backend("numpy")
    first, last, number = settings.alphas
    alphas = np.logspace(first, last, int(number)).astype(np.float32)
    solver = {
        "warn": False,
        # So many that what is held at once stays in the processor's cache.
        "n_targets_batch": 2000,
        "score_func": r2_scores,
    }
    train, _ = usable(problem, fold)
    options = {"fit_intercept": False, "cv": inner_splits(problem, fold, train)}
    if bands is None:
        return RidgeCV(alphas=alphas, solver_params=solver, **options)
    search = {
        "alphas": alphas,
        "n_iter": proportions(bands.max() + 1, settings),
        "progress_bar": False,
    }
    return GroupRidgeCV(groups=bands, solver_params={**solver, **search}, **options)


def predict_ridge(
    problem: Problem, folds: list[Fold], settings: RidgeSettings, *, banded: bool = False
) -> Fitted:
    """Predict by ridge regression on the delayed principal components of the source.

    The penalty of each target is chosen on the fold's inner folds; with `banded` one for each
    band of regressors (`stim2bold.models.design_matrix.component_bands`).
    """
    parts, strength = [], []
    for fold in folds:
        train, _ = usable(problem, fold)
        design = fold_design(problem, train, components=settings.components, bins=settings.bins)
        bands = component_bands(design, edges=settings.bands) if banded else None
        model = unfitted(problem, fold, settings, bands=bands)
        parts.append(fit_fold(model, problem, fold, design.apply(problem.source)))
        strength.append(model.cv_scores_.max(axis=0) if banded else model.cv_scores_)
    return collect(parts, strength, extent=problem.extent)


def proportions(n_bands: int, settings: RidgeSettings) -> np.ndarray:
    """Return the proportions of the bands that are tried, (draws + 1, n_bands); equal ones first.

    Drawn half from a flat and half from a sparse Dirichlet distribution.
    """
    drawn = generate_dirichlet_samples(
        settings.draws, n_bands, concentration=[0.1, 1.0], random_state=settings.seed
    )
    return np.concatenate([np.full((1, n_bands), 1 / n_bands), drawn]).astype(np.float32)
