"""A model's held-out predictions, with the rows that each fold was fitted on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from stim2bold.models.design_matrix import standardisation
from stim2bold.models.directions import Problem, held_out
from stim2bold.models.folds import FEWEST_ROWS, Fold, Split
from stim2bold.models.leakage import fit_record
from stim2bold.runtime.errors import InputError


@dataclass(frozen=True)
class Fitted:
    """Predictions of one model for the held-out rows of all folds.

    Parameters
    ----------
    values : ndarray of shape (n_predicted, n_targets)
    rows, fold : ndarray of shape (n_predicted,)
        Row number, and number of the fold that predicted it.
    fitted : dict
        Row numbers that reached the fit, for each fold.
    extent, reads : tuple of float
        Seconds before (negative) and after a fitted row, and a predicted row, that are looked at.
    strength : ndarray of shape (n_folds, n_targets), optional
        Score of each target on the fold's inner folds: what may select targets without a look at
        the held-out rows.
    """

    values: np.ndarray
    rows: np.ndarray
    fold: np.ndarray
    fitted: dict[int, np.ndarray]
    extent: tuple[float, float]
    reads: tuple[float, float]
    strength: np.ndarray | None = None


def within(problem: Problem, rows: np.ndarray) -> np.ndarray:
    """Return which of some row numbers the problem has, as row numbers."""
    return rows[np.isin(rows, problem.rows)]


def usable(problem: Problem, fold: Fold) -> tuple[np.ndarray, np.ndarray]:
    """Return a fold's training and test row numbers that the problem has.

    Raises
    ------
    InputError
        When nothing can be fitted.
    """
    train, test = within(problem, fold.train), within(problem, fold.test)
    if train.size < FEWEST_ROWS:
        raise InputError(
            problem.direction,
            f"fold {fold.number} has {train.size} rows to fit",
            "the recording is too short for the fold file",
        )
    if not test.size:
        raise InputError(
            problem.direction,
            f"no volume of fold {fold.number} was scanned, so that nothing can be predicted there",
            "leave the participant out by exclude",
        )
    return train, test


def inner_folds(problem: Problem, fold: Fold) -> list[Split]:
    """Return a fold's inner splits that the problem has, as row numbers.

    Raises
    ------
    InputError
        When there is none, so that nothing could be chosen.
    """
    splits = [Split(within(problem, s.train), within(problem, s.test)) for s in fold.inner]
    found = [s for s in splits if s.train.size >= FEWEST_ROWS and s.test.size]
    if not found:
        raise InputError(
            problem.direction,
            (
                f"fold {fold.number} has no inner fold with {FEWEST_ROWS} rows to fit, to choose "
                "penalties by"
            ),
            "the recording is too short: lower folds.gap, or leave the participant out by exclude",
        )
    return found


def target_scale(problem: Problem, fold: Fold, train: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and scale of the targets over a fold's training rows, (n_targets,) each.

    Raises
    ------
    InputError
        When no target varies there.
    """
    mean, scale = standardisation(problem.target[train - problem.rows[0]])
    first = problem.target[train[0] - problem.rows[0]]
    if not any(
        (problem.target[row - problem.rows[0]] != first).any() for row in train[1:].tolist()
    ):
        raise InputError(
            problem.direction,
            (
                f"no target varies in the rows that fold {fold.number} fits, so that there is "
                "nothing to predict"
            ),
            "look at the target's table and its mask",
        )
    return mean, scale


def collect(
    parts: list[tuple[Fold, np.ndarray, np.ndarray, np.ndarray]],
    strength: list[np.ndarray] | None = None,
    *,
    extent: tuple[float, float],
    reads: tuple[float, float] | None = None,
) -> Fitted:
    """Bring the folds' predictions together; a part is (fold, fitted rows, test rows, values).

    Without `reads` a predicted row looks as far as a fitted one.
    """
    return Fitted(
        values=np.concatenate([values for *_, values in parts], dtype=np.float32),
        rows=np.concatenate([test for _, _, test, _ in parts]),
        fold=np.concatenate([np.full(len(test), f.number) for f, _, test, _ in parts]),
        fitted={fold.number: train for fold, train, *_ in parts},
        extent=extent,
        reads=reads or extent,
        strength=None if strength is None else np.stack(strength).astype(np.float32),
    )


def stacked(predictions: Sequence[np.ndarray], fold: np.ndarray) -> np.ndarray:
    """Return the mean of several models' predictions, all as far from their mean as the first's.

    Some models are calibrated and others are not: the plain mean would be that of the loudest.

    Parameters
    ----------
    predictions : sequence of ndarray of shape (n_rows, ...)
        Means over the rows of a fold are those of the first.
    fold : ndarray of shape (n_rows,)
        Number of the fold that predicted a row; spreads are those over its rows and all targets.
    """
    out = np.empty_like(predictions[0])
    for number in np.unique(fold):
        here = fold == number
        parts = [values[here] - values[here].mean(axis=0) for values in predictions]
        spreads = [np.sqrt((part.astype(np.float64) ** 2).sum()) for part in parts]
        scaled = [
            part * (spreads[0] / spread if spread else 0)
            for part, spread in zip(parts, spreads, strict=True)
        ]
        out[here] = predictions[0][here].mean(axis=0) + sum(scaled) / len(scaled)
    return out


def prediction_array(
    problem: Problem, fitted: Fitted, *, model: str, sources: list[str], target: str, **said: str
) -> xr.DataArray:
    """Return a model's predictions as an array that says what they were fitted on.

    Parameters
    ----------
    problem : Problem
    fitted : Fitted
    model : str
        Its name.
    sources, target : list of str, str
        Names of the tables.
    **said
        Further attributes.
    """
    out = held_out(problem, fitted.values, rows=fitted.rows, fold=fitted.fold)
    out.attrs = fit_record(fitted.fitted, fitted.extent, reads=fitted.reads) | {
        "model": model,
        **said,
        "direction": problem.direction,
        "units": problem.target_array.attrs.get("units", ""),
        "source": f"{' + '.join(sources)} -> {target}",
    }
    return out


def training_strength(problem: Problem, fitted: Fitted, *, spread: float) -> xr.DataArray:
    """Return a fit's score of each target inside training, dims (fold, voxel or column).

    Parameters
    ----------
    problem : Problem
    fitted : Fitted
    spread : float
        `stim2bold.evaluation.null_inflation.chance_spread` of the problem, which goes with the
        scores.
    """
    like = problem.target_array
    dims = ("fold", like.dims[-1] if like.ndim == 2 else "column")
    return xr.DataArray(
        fitted.strength,
        dims=dims,
        coords={"fold": list(fitted.fitted)},
        name="training_score",
        attrs={
            "units": "R2",
            "source": "ridge on the inner folds of each fold's training rows",
            "chance_spread": spread,
        },
    )
