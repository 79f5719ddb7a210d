"""All scores of a unit's models on held-out rows, as one long table and as values by column."""

import functools
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from stim2bold.identification import (
    cut_segments,
    identification_of,
    pairwise_identification,
    segment_correlations,
)
from stim2bold.metrics import comparable, correlation, explained, mean_r, without
from stim2bold.significance import NullTest, bootstrap_r, phase_test


@dataclass(frozen=True)
class EvaluationSettings:
    """How predictions are scored.

    Parameters
    ----------
    top_share : float
        Share of the voxels, the best by ridge's inner folds, that the measures named ``top`` are
        averaged over.
    segment : float
        Seconds of the segments that are identified.
    other_segments : tuple of float
        Further lengths, whose measures carry them in their names.
    ways : int
        Segments among which the right one is to be found.
    surrogates : int
        Predictions of random phase that significance is judged by.
    draws, block : int, float
        Draws of the bootstrap, and seconds of the blocks that are drawn.
    seed : int
    """

    top_share: float = 0.1
    segment: float = 10.0
    other_segments: tuple[float, ...] = (5.0, 20.0)
    ways: int = 10
    surrogates: int = 1000
    draws: int = 1000
    block: float = 20.0
    seed: int = 1


@dataclass(frozen=True)
class HeldOut:
    """One model's predictions beside what was measured, series by column.

    Parameters
    ----------
    truth, predicted, mean : ndarray of shape (n_rows, n_columns)
        Measured, predicted, and the mean of the training rows of each row's fold.
    fold : ndarray of shape (n_rows,)
    times : ndarray of shape (n_rows,)
        Film seconds.
    rows : ndarray of shape (n_volumes,)
        Row numbers of the fold file; a volume has several rows of sound.
    """

    truth: np.ndarray
    predicted: np.ndarray
    mean: np.ndarray
    fold: np.ndarray
    times: np.ndarray
    rows: np.ndarray

    @functools.cached_property
    def pair(self) -> tuple[np.ndarray, np.ndarray]:
        """Truth and prediction, the folds made comparable."""
        return comparable(self.truth, self.predicted, self.fold)

    @functools.cached_property
    def r(self) -> np.ndarray:
        """Correlation of each column over all held-out rows; NaN where there is none."""
        return correlation(*self.pair)

    def by_volume(self, values: np.ndarray) -> np.ndarray:
        """Return values of shape (n_volumes, rows of a volume x n_columns)."""
        return values.reshape(len(self.rows), -1)


def as_columns(array: xr.DataArray) -> np.ndarray:
    """Return an array as series by column: (time, voxel), or (time x frame, mel) for sound."""
    return array.values.reshape(-1, array.shape[-1]).astype(np.float64)


def held_out(target: xr.DataArray, predicted: xr.DataArray, mean: xr.DataArray) -> HeldOut:
    """Bring a prediction together with what was measured.

    Parameters
    ----------
    target, predicted, mean : DataArray
        Dims (time, voxel) or (time, frame, mel); ``predicted`` has the coordinates fold and row,
        ``mean`` is what the training mean predicts for the same rows.
    """
    truth, guess, base = (
        as_columns(array) for array in (target.sel(time=predicted.time), predicted, mean)
    )
    frames = len(guess) // predicted.sizes["time"]
    return HeldOut(
        truth=truth,
        predicted=guess,
        mean=base,
        fold=np.repeat(predicted["fold"].values, frames),
        times=np.repeat(predicted["time"].values, frames),
        rows=predicted["row"].values,
    )


def training_selection(strength: np.ndarray, *, share: float) -> np.ndarray:
    """Return the columns with the greatest strength in training, as a mask.

    Parameters
    ----------
    strength : ndarray of shape (n_folds, n_columns)
        A score of each column from inside each fold's training rows.
    share : float
        Share of the columns to select, above 0 and up to 1.
    """
    n_columns = strength.shape[1]
    n_kept = max(1, round(share * n_columns))
    order = np.argsort(-strength, axis=1, kind="stable")[:, :n_kept]
    mask = np.zeros(strength.shape, dtype=bool)
    np.put_along_axis(mask, order, True, axis=1)
    return mask


def table_of(rows: list[tuple]) -> pd.DataFrame:
    """Return rows (fold, measure, value, unit of measure, n) as a table."""
    return pd.DataFrame(rows, columns=["fold", "measure", "value", "unit_of_measure", "n"])


def accuracy(held: HeldOut, selections: dict[str, np.ndarray]) -> pd.DataFrame:
    """Score one model by r and R2, fold by fold and over all held-out rows.

    Parameters
    ----------
    held : HeldOut
    selections : dict
        Name of a selection of columns to a mask, or to a mask for each fold: (n_columns,) or
        (n_folds, n_columns) with folds in increasing order.

    Returns
    -------
    DataFrame
        Columns fold (``all`` for all held-out rows), measure, value, unit_of_measure, n (number of
        columns averaged).
    """
    everything = {"": np.ones(held.truth.shape[1], dtype=bool), **selections}
    numbers = np.unique(held.fold)
    masks = {
        name: np.broadcast_to(mask, (len(numbers), mask.shape[-1]))
        for name, mask in everything.items()
    }
    parts: dict[str, list[tuple[float, float, int]]] = {name: [] for name in masks}
    records = []

    def values(r: np.ndarray, r2: np.ndarray, mask: np.ndarray) -> tuple[float, float, int]:
        finite = r2[mask][np.isfinite(r2[mask])]
        return (
            mean_r(r[mask]),
            float(finite.mean()) if finite.size else float("nan"),
            int(mask.sum()),
        )

    def add(name: str, where: str, r: float, r2: float, n: int) -> None:
        suffix = f"_{name}" if name else ""
        records.append((where, f"r{suffix}", r, "correlation", n))
        records.append((where, f"r2{suffix}", r2, "explained variance", n))

    for i, number in enumerate(numbers):
        here = held.fold == number
        r = correlation(held.truth[here], held.predicted[here])
        r2 = explained(held.truth[here], held.predicted[here], mean=held.mean[here])
        for name, mask in masks.items():
            parts[name].append(values(r, r2, mask[i]))
            add(name, str(int(number)), *parts[name][-1])
    r2 = explained(held.truth, held.predicted, mean=held.mean)
    for name, mask in everything.items():
        if mask.ndim == 1:
            add(name, "all", *values(held.r, r2, mask))
        else:
            # Which columns count depends on the fold, so the mean over folds stands for all.
            r_mean, r2_mean, n = np.mean(parts[name], axis=0)
            add(name, "all", float(r_mean), float(r2_mean), int(n))
    return table_of(records)


def identified(held: HeldOut, settings: EvaluationSettings) -> pd.DataFrame:
    """Score how well segments of film are told by their predictions; columns as of `accuracy`."""
    _, first = np.unique(held.times, return_index=True)
    tr = float(np.median(np.diff(held.times[np.sort(first)])))
    truth, guess = (held.by_volume(values - held.mean) for values in (held.truth, held.predicted))
    fold = held.by_volume(held.fold[:, None])[:, 0]
    rows = []
    for seconds in (settings.segment, *settings.other_segments):
        suffix = "" if seconds == settings.segment else f"_{seconds:g}s"
        segments = cut_segments(held.rows, fold, length=max(1, round(seconds / tr)))
        if len(segments) < 3:
            continue
        likeness = segment_correlations(truth, guess, segments)
        found = {("identification", 2): pairwise_identification(likeness)}
        if len(segments) >= settings.ways:
            name = f"identification_of_{settings.ways}"
            found[name, settings.ways] = identification_of(likeness, settings.ways)
        rows += [
            ("all", f"{name}{suffix}", share, f"share, chance {1 / ways:g}", len(segments))
            for (name, ways), share in found.items()
        ]
    return table_of(rows)


def significance(
    held: HeldOut, blocks: np.ndarray, settings: EvaluationSettings, *, spread: float
) -> tuple[pd.DataFrame, NullTest]:
    """Judge one model's predictions against chance.

    Parameters
    ----------
    held : HeldOut
    blocks : ndarray of shape (n_rows, n_columns)
        What the label of the block predicts: a score within blocks is one without its courses.
    settings : EvaluationSettings
    spread : float
        How much wider chance is because folds are fitted on each other
        (`stim2bold.chance.chance_spread`). The interval is widened as much.

    Returns
    -------
    table : DataFrame
        Columns as of `accuracy`: the interval of mean r (``r_low``, ``r_high``), its ``p``, the
        share of columns with q < 0.05 (``significant``); ``r_within`` and its ``p_within``.
    test : NullTest
        Column by column.
    """
    options = {"seed": settings.seed, "n": settings.surrogates, "spread": spread}
    test = phase_test(*held.pair, held.fold, **options)
    interval = bootstrap_r(
        *held.pair,
        np.floor(held.times / settings.block),
        seed=settings.seed,
        n=settings.draws,
    )
    within = phase_test(
        *(without(values, blocks, held.fold) for values in held.pair), held.fold, **options
    )
    n = len(test.r)
    rows = [
        ("all", "r_low", test.mean + spread * (interval.mean_low - test.mean), "correlation", n),
        ("all", "r_high", test.mean + spread * (interval.mean_high - test.mean), "correlation", n),
        ("all", "p", test.p_mean, "probability", n),
        ("all", "significant", float((test.q < 0.05).mean()), "share", n),
        ("all", "r_within", within.mean, "correlation", n),
        ("all", "p_within", within.p_mean, "probability", n),
    ]
    return table_of(rows), test


def score_unit(
    target: xr.DataArray,
    predictions: dict[str, xr.DataArray],
    *,
    strength: xr.DataArray,
    settings: EvaluationSettings,
    signal: np.ndarray | None = None,
) -> tuple[pd.DataFrame, xr.Dataset]:
    """Score all models of a unit on the rows that they predicted.

    Parameters
    ----------
    target : DataArray
        Measured, time first.
    predictions : dict
        By name of the model; ``mean`` and ``blocks`` must be there.
    strength : DataArray of shape (n_folds, n_targets)
        Score of each target inside each fold's training rows, by which the top voxels are chosen.
        Its attribute ``chance_spread`` says how much wider chance is than random phases tell.
    settings : EvaluationSettings
    signal : ndarray of bool, shape (n_voxels,), optional
        Voxels where a signal was planted.

    Returns
    -------
    table : DataFrame
        Columns model, fold, measure, value, unit_of_measure, n.
    columns : Dataset
        ``r``, ``q`` and ``p_max`` of each voxel or mel band, dims (model, voxel) or (model, mel).
    """
    selections = {}
    if target.ndim == 2:
        selections["top"] = training_selection(strength.values, share=settings.top_share)
    if signal is not None:
        selections["signal"] = signal
    blocks = as_columns(predictions["blocks"])
    tables, values = [], {"r": [], "q": [], "p_max": []}
    for name, predicted in predictions.items():
        held = held_out(target, predicted, predictions["mean"])
        judged, test = significance(held, blocks, settings, spread=strength.attrs["chance_spread"])
        parts = [accuracy(held, selections), judged, identified(held, settings)]
        table = pd.concat(parts, ignore_index=True)
        table.insert(0, "model", name)
        tables.append(table)
        values["r"].append(held.r)
        values["q"].append(test.q)
        values["p_max"].append(test.p_max)
    column = target.dims[-1]
    phases = f"{settings.surrogates} predictions of random phase"
    said = {
        "r": {
            "units": "correlation",
            "source": "predicted with measured over all held-out rows, means of the folds removed",
        },
        "q": {
            "units": "probability",
            "long_name": "false-discovery rate over columns",
            "source": phases,
        },
        "p_max": {
            "units": "probability",
            "long_name": "p against the largest of all columns",
            "source": phases,
        },
    }
    columns = xr.Dataset(
        {
            name: (("model", column), np.stack(parts).astype(np.float32), said[name])
            for name, parts in values.items()
        },
        coords={
            "model": list(predictions),
            **{name: c for name, c in target.coords.items() if c.dims == (column,)},
        },
    )
    return pd.concat(tables, ignore_index=True), columns
