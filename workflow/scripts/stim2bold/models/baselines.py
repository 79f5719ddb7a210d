"""What a model must beat: what is known without the source, and linear models of it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from stim2bold.models.circular_shifts import block_period
from stim2bold.models.directions import Problem, assemble, is_bold
from stim2bold.models.folds import Fold
from stim2bold.models.hrf import FilterBank, film_to_bold
from stim2bold.models.predictions import Fitted, collect, usable
from stim2bold.models.ridge import RidgeSettings, predict_ridge


def predict_mean(problem: Problem, folds: list[Fold]) -> Fitted:
    """Predict the training mean of every target."""
    parts = []
    for fold in folds:
        train, test = usable(problem, fold)
        mean = problem.target[train - problem.rows[0]].mean(axis=0)
        parts.append((fold, train, test, np.repeat(mean[None], len(test), axis=0)))
    return collect(parts, extent=(0.0, 0.0))


def predict_least_squares(
    problem: Problem, folds: list[Fold], *, known: np.ndarray, filters: FilterBank | None = None
) -> Fitted:
    """Predict from a few series that are known beforehand, by ordinary least squares.

    Parameters
    ----------
    problem : Problem
    folds : list of Fold
    known : ndarray of shape (n_known_rows, n_series)
        Row 0 is row number 0.
    filters : FilterBank, optional
        The haemodynamic delay.
    """
    known = known.astype(np.float32)
    delayed = filters.apply(known) if filters else known
    parts = []
    for fold in folds:
        train, test = usable(problem, fold)
        centre = delayed[train].mean(axis=0)
        target = problem.target[train - problem.rows[0]]
        mean = target.mean(axis=0)
        # Labels of blocks sum to one, so the least-squares solution is not unique: lstsq takes the
        # shortest, and all of them predict the same.
        weights, *_ = np.linalg.lstsq(delayed[train] - centre, target - mean, rcond=1e-4)
        parts.append((fold, train, test, (delayed[test] - centre) @ weights + mean))
    return collect(parts, extent=filters.extent(problem.tr) if filters else (0.0, 0.0))


def film_problem(problem: Problem, table: xr.DataArray, content: dict[str, Any]) -> Problem:
    """Return the problem of predicting the same target from a table of the film.

    Parameters
    ----------
    problem : Problem
        Gives the target. Where that is sound, the table's columns that describe sound are left
        out: they would not be a rival of the prediction, but what is to be predicted.
    table : DataArray of shape (n_rows, n_features)
        What is known of the film at the TRs.
    content : dict
        The fold file.
    """
    if not is_bold(problem.target_array):
        table = table.isel(feature=[not is_heard(str(name)) for name in table["feature"].values])
    return assemble(problem.direction, source=[table], target=problem.target_array, content=content)


def is_heard(feature: str) -> bool:
    """Tell whether an annotation or a low-level feature describes the sound."""
    return feature.startswith("sound/")


def wrong_moment(problem: Problem, content: dict[str, Any]) -> Problem:
    """Return the problem with its source at the wrong moments: shifted round by half the film.

    The shift is a quarter of a period of blocks more than whole periods, so that blocks neither
    coincide nor alternate with their own.
    """
    period = block_period(content) / problem.tr
    n_rows = len(problem.source)
    shift = (max(0, round(n_rows / 2 / period - 0.25)) + 0.25) * period
    return replace(problem, source=np.roll(problem.source, round(shift), axis=0))


Predict = Callable[[Problem, list[Fold]], Fitted]


def baseline_models(
    problem: Problem,
    *,
    content: dict[str, Any],
    known: dict[str, xr.DataArray],
    settings: RidgeSettings,
) -> dict[str, tuple[Problem, Predict]]:
    """Return the problem of each baseline of a unit, and what predicts it from some folds.

    Parameters
    ----------
    problem : Problem
    content : dict
        The fold file.
    known, settings
        As of `fit_baselines`.

    Returns
    -------
    dict
        By name of the model: ``mean``; ``elapsed``, from film time; ``blocks``, from the label of
        the block; the names of the other tables; ``shuffled``, from the source at the wrong
        moments; ``ridge`` and ``banded``, from the source.
    """
    to_bold = is_bold(problem.target_array)
    filters = film_to_bold(problem.tr, reach=problem.reach) if to_bold else None
    elapsed = np.linspace(-1, 1, content["n_rows"])[:, None]
    ridge = partial(predict_ridge, settings=settings)
    return {
        "mean": (problem, predict_mean),
        "elapsed": (problem, partial(predict_least_squares, known=elapsed)),
        "blocks": (
            problem,
            partial(predict_least_squares, known=known["blocks"].values, filters=filters),
        ),
        **{
            name: (film_problem(problem, table, content), ridge)
            for name, table in known.items()
            if name != "blocks"
        },
        "shuffled": (wrong_moment(problem, content), ridge),
        "ridge": (problem, ridge),
        "banded": (problem, partial(ridge, banded=True)),
    }


def fit_baselines(
    problem: Problem,
    folds: list[Fold],
    *,
    content: dict[str, Any],
    known: dict[str, xr.DataArray],
    settings: RidgeSettings,
) -> Iterator[tuple[str, Fitted]]:
    """Fit every baseline of a unit, one after the other: all at once are too much for memory.

    Parameters
    ----------
    problem : Problem
    folds : list of Fold
    content : dict
        The fold file.
    known : dict
        Tables of the film at the TRs: ``blocks``, fractions of each TR that each label of a block
        covers, and others (annotations, low-level features) that ridge predicts from.
    settings : RidgeSettings

    Yields
    ------
    name, fitted
        As `baseline_models` names them.
    """
    models = baseline_models(problem, content=content, known=known, settings=settings)
    for name, (own, predict) in models.items():
        yield name, predict(own, folds)
