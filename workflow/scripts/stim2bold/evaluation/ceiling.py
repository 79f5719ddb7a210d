"""What others' brains tell of one: the ceiling that a prediction from the film can be held to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from stim2bold.evaluation.metrics import comparable
from stim2bold.evaluation.significance import bootstrap_r, phase_test
from stim2bold.io.bold_grid import check_grid, places_of
from stim2bold.models.folds import read_folds, row_times
from stim2bold.runtime.errors import InputError

FEWEST = 3
# Volumes that all have in common.
FEWEST_ROWS = 20
LIMITS = (
    "Correlation of a participant with the mean of the others, who saw the same film once. What is "
    "a participant's own response to the film is missing from it, and the others' mean has noise "
    "of its own: it is a lower bound of what can be predicted. What is common to all but not the "
    "film's, such as drifts or breathing at the same moment, is in it."
)


@dataclass(frozen=True)
class Places:
    """Sum of all participants' standardised series at each voxel of the grid.

    Parameters
    ----------
    total : ndarray of shape (n_rows, n_places)
    count : ndarray of shape (n_places,)
        Participants who have a voxel there.
    times : ndarray of shape (n_rows,)
        Film times at which all were scanned, to the millisecond.
    fold : ndarray of shape (n_rows,), int
        Which fold holds each out.
    """

    total: np.ndarray
    count: np.ndarray
    times: np.ndarray
    fold: np.ndarray


def film_times(table: xr.DataArray) -> np.ndarray:
    """Return a table's film times to the millisecond."""
    return np.round(table["time"].values, 3)


def standardised(table: xr.DataArray, times: np.ndarray) -> np.ndarray:
    """Return a participant's series at some film times, of mean 0 and variance 1.

    A voxel that does not vary is 0.
    """
    values = table.values[np.isin(film_times(table), times)].astype(np.float64)
    values -= values.mean(axis=0)
    spread = values.std(axis=0)
    return values / np.where(spread > 0, spread, 1)


def held_out_times(content: dict[str, Any]) -> dict[float, int]:
    """Return the fold that holds each film time out, to the millisecond.

    Parameters
    ----------
    content : dict
        The fold file.
    """
    folds = read_folds(content)
    last = max(int(fold.test.max()) for fold in folds)
    times = row_times(last + 1, tr=content["TR"], film_onset=content["film_onset"]).round(3)
    return {float(times[row]): fold.number for fold in folds for row in fold.test}


def add_up(
    read: Callable[[str], xr.DataArray],
    names: list[str],
    folds: Mapping[float, int] | None = None,
) -> Places:
    """Add up all participants, one in memory at a time.

    Parameters
    ----------
    read : callable
        Returns a participant's BOLD table by name.
    names : list of str
    folds : mapping of float to int, optional
        Film times that count, and the fold of each, as `held_out_times` returns them: those that
        models are scored on. All, as one fold, where it is not told.

    Raises
    ------
    InputError
        When the participants' grids differ, or they saw no part of the film in common.
    """
    first = read(names[0])
    times = film_times(first)
    if folds is not None:
        times = times[[time in folds for time in times]]
    for name in names:
        times = np.intersect1d(times, film_times(read(name)))
        if len(times) < FEWEST_ROWS:
            raise InputError(
                name,
                f"has {len(times)} volumes of the film in common with the participants before it",
                "leave it out by exclude",
            )
    n_places = int(np.prod(first.attrs["shape"]))
    total, count = np.zeros((len(times), n_places)), np.zeros(n_places, dtype=int)
    for name in names:
        table = read(name)
        check_grid(name, table, first)
        here = places_of(table)
        total[:, here] += standardised(table, times)
        count[here] += 1
    fold = np.array([0 if folds is None else folds[time] for time in times])
    return Places(total, count, times, fold)


def own_and_others(table: xr.DataArray, everyone: Places) -> tuple[np.ndarray, np.ndarray]:
    """Return a participant's series and the mean of the others', folds made comparable.

    As a prediction and its measurement are before they are scored. A voxel that fewer than two
    others have is 0.
    """
    own = standardised(table, everyone.times)
    here = places_of(table)
    others = everyone.total[:, here] - own
    others[:, everyone.count[here] < FEWEST] = 0
    return comparable(own, others, everyone.fold)


def leave_one_out(
    table: xr.DataArray, everyone: Places, *, seed: int, surrogates: int, draws: int, block: float
) -> tuple[xr.Dataset, tuple[float, float, float]]:
    """Correlate one participant with the mean of the others, voxel by voxel.

    Parameters
    ----------
    table : DataArray
        The participant's BOLD.
    everyone : Places
        With the participant in it.
    seed : int
    surrogates, draws : int
        For significance and intervals.
    block : float
        Seconds of the stretches that the bootstrap draws.

    Returns
    -------
    voxels : Dataset
        ``r``, ``low``, ``high`` and ``q``, dims (voxel,). Where fewer than two others have a voxel
        there is no ceiling: NaN.
    mean, low, high : float
        Mean r over voxels with its interval.
    """
    own, others = own_and_others(table, everyone)
    test = phase_test(own, others, everyone.fold, seed=seed, n=surrogates)
    times = everyone.times
    interval = bootstrap_r(own, others, np.floor(times / block), seed=seed, n=draws)
    voxels = xr.Dataset(
        {
            name: ("voxel", values.astype(np.float32), {"units": units})
            for name, values, units in (
                ("r", test.r, "correlation"),
                ("low", interval.low, "correlation"),
                ("high", interval.high, "correlation"),
                ("q", test.q, "false-discovery rate"),
            )
        },
        coords={axis: table[axis] for axis in "ijk"},
        attrs={"source": "leave-one-out inter-subject correlation", "limits": LIMITS},
    )
    return voxels, (test.mean, interval.mean_low, interval.mean_high)
