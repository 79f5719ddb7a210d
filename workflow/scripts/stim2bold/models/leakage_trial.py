"""Whether a model leaks, by trying: what it must not have seen is overwritten with noise.

Two things of one fold are overwritten: the targets of its test and gap rows, and the source in the
last part of its test interval. Whatever was fitted, and every prediction of a row that comes before
what was overwritten, must stay as it was, bit by bit.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from stim2bold.models.directions import Problem
from stim2bold.models.folds import Fold
from stim2bold.models.predictions import Fitted, usable

Predict = Callable[[Problem, list[Fold]], Fitted]

LATE = 1 / 3
"""Share of a fold's test rows, the last ones, whose source is overwritten."""


@dataclass(frozen=True)
class Trial:
    """What overwriting changed in the predictions of one fold.

    Parameters
    ----------
    earlier, later : int
        Predicted rows that must not move, and rows that look at what was overwritten.
    moved : int
        Of the earlier ones, those that moved.
    largest : float
        Largest difference in an earlier row, in the target's units.
    later_moved : int
        Of the later ones: none, where a model does not look at the source.
    """

    earlier: int
    later: int
    moved: int
    largest: float
    later_moved: int


def noise_like(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return noise of the mean and ten times the spread of values, in their type."""
    drawn = values.mean() + 10 * (values.std() or 1) * rng.standard_normal(values.shape)
    return drawn.astype(values.dtype)


def overwritten(
    problem: Problem, fold: Fold, *, seed: int, source: bool = True
) -> tuple[Problem, int]:
    """Return a problem with noise in place of what a fold's model must not see.

    Parameters
    ----------
    problem : Problem
    fold : Fold
    seed : int
    source : bool
        Whether the late part of the source is overwritten beside the targets.

    Returns
    -------
    problem : Problem
    first : int
        The first row number whose source is overwritten.
    """
    rng = np.random.default_rng(seed)
    train, test = usable(problem, fold)
    target = problem.target.copy()
    hidden = np.setdiff1d(problem.rows, train) - problem.rows[0]
    target[hidden] = noise_like(target[hidden], rng)
    first = int(test[-max(1, round(LATE * len(test)))])
    changed = problem.source.copy()
    if source:
        late = np.arange(first, test[-1] + 1) - problem.first_row
        changed[late] = noise_like(changed[late], rng)
    array = problem.target_array.copy(data=target.reshape(problem.target_array.shape))
    return replace(problem, source=changed, target=target, target_array=array), first


def try_model(
    predict: Predict, problem: Problem, fold: Fold, *, seed: int = 0, source: bool = True
) -> Trial:
    """Fit a model to one fold as it is, and once more with noise where it must not look.

    Parameters
    ----------
    predict : callable
        Fits the folds it is given and returns their held-out predictions.
    problem : Problem
    fold : Fold
    seed : int
        Of the noise.
    source : bool
        As of `overwritten`; not for a model that is given the source of wrong moments.
    """
    noisy, first = overwritten(problem, fold, seed=seed, source=source)
    honest, other = predict(problem, [fold]), predict(noisy, [fold])
    _, after = honest.reads
    # A row that looks ahead sees the overwritten source before it comes.
    earlier = honest.rows + round(after / problem.tr) < first if source else honest.rows >= 0
    same = (honest.values == other.values) | (np.isnan(honest.values) & np.isnan(other.values))
    moved = ~same.reshape(len(same), -1).all(axis=1)
    apart = np.abs(honest.values[earlier].astype(float) - other.values[earlier])
    return Trial(
        earlier=int(earlier.sum()),
        later=int((~earlier).sum()),
        moved=int(moved[earlier].sum()),
        largest=float(np.nanmax(apart, initial=0.0)),
        later_moved=int(moved[~earlier].sum()),
    )
