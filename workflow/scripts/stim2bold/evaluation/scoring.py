"""All scores of a unit's models on held-out rows, as one long table and as values by column."""

import numpy as np
import pandas as pd
import xarray as xr

from stim2bold.evaluation.held_out import HeldOut, as_columns, held_out
from stim2bold.evaluation.judging import EvaluationSettings, significance, table_of
from stim2bold.evaluation.metrics import correlation, explained, mean_r


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
        Columns fold (``all`` for all held-out rows), measure, value (NaN where there is none: a
        prediction that does not vary has no correlation), unit_of_measure, n (number of columns
        averaged, those that have the score).
    """
    everything = {"": np.ones(held.truth.shape[1], dtype=bool), **selections}
    numbers = np.unique(held.fold)
    masks = {
        name: np.broadcast_to(mask, (len(numbers), mask.shape[-1]))
        for name, mask in everything.items()
    }
    parts: dict[str, list[tuple[float, float, int, int]]] = {name: [] for name in masks}
    records = []

    def values(r: np.ndarray, r2: np.ndarray, mask: np.ndarray) -> tuple[float, float, int, int]:
        finite = r2[mask][np.isfinite(r2[mask])]
        return (
            mean_r(r[mask]),
            float(finite.mean()) if finite.size else float("nan"),
            int(np.isfinite(r[mask]).sum()),
            int(finite.size),
        )

    def add(name: str, where: str, r: float, r2: float, n: float, n2: float) -> None:
        suffix = f"_{name}" if name else ""
        records.append((where, f"r{suffix}", r, "correlation", int(n)))
        records.append((where, f"r2{suffix}", r2, "explained variance", int(n2)))

    for i, number in enumerate(numbers):
        here = held.fold == number
        r = correlation(held.truth[here], held.told[here])
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
            scored = np.array(parts[name], dtype=float)
            weight = np.isfinite(scored)
            means = np.where(weight, scored, 0).sum(axis=0) / np.maximum(weight.sum(axis=0), 1)
            means[~weight.any(axis=0)] = np.nan
            add(name, "all", *(float(value) for value in means))
    return table_of(records)


def null_array(nulls: dict[str, dict[str, np.ndarray]]) -> xr.DataArray:
    """Return the surrogates' scores by model and measure as one array."""
    measures = list(dict.fromkeys(name for found in nulls.values() for name in found))
    values = [[found[name] for name in measures] for found in nulls.values()]
    return xr.DataArray(
        np.array(values, dtype=np.float32),
        dims=("model", "measure", "surrogate"),
        coords={"model": list(nulls), "measure": measures},
        attrs={"units": "of the measure", "source": "predictions of random phase, or shifted"},
    )


def score_unit(
    target: xr.DataArray,
    predictions: dict[str, xr.DataArray],
    *,
    strength: xr.DataArray,
    settings: EvaluationSettings,
    signal: np.ndarray | None = None,
    kinds: xr.DataArray | None = None,
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
    signal : ndarray of shape (n_voxels,), bool, optional
        Voxels where a signal was planted.
    kinds : DataArray of shape (n_volumes, n_kinds), optional
        How much of each volume each kind of block fills, row by row of the fold file.

    Returns
    -------
    table : DataFrame
        Columns model, fold, measure, value, unit_of_measure, n.
    columns : Dataset
        ``r``, ``p``, ``q`` and ``p_max`` of each voxel or mel band, dims (model, voxel) or (model,
        mel), NaN where the prediction does not vary; and ``null``, dims (model, measure,
        surrogate): scores of the surrogates, by which a group is tested.
    """
    selections = {}
    if target.ndim == 2:
        selections["top"] = training_selection(strength.values, share=settings.top_share)
    if signal is not None:
        selections["signal"] = signal
    blocks = as_columns(predictions["blocks"])
    tables, values, nulls = [], {"r": [], "p": [], "q": [], "p_max": []}, {}
    for name, predicted in predictions.items():
        held = held_out(target, predicted, predictions["mean"])
        spread = strength.attrs["chance_spread"]
        kind = None if kinds is None else kinds.values.argmax(axis=1)[held.rows]
        found = significance(held, blocks, settings, spread=spread, kinds=kind)
        table = pd.concat([accuracy(held, selections), found.table], ignore_index=True)
        table.insert(0, "model", name)
        tables.append(table)
        nulls[name] = found.nulls
        for key in values:
            values[key].append(getattr(found.test, key))
    column = target.dims[-1]
    phases = f"{settings.surrogates} predictions of random phase"
    said = {
        "r": {
            "units": "correlation",
            "source": "predicted with measured over all held-out rows, means of the folds removed",
        },
        "p": {
            "units": "probability",
            "long_name": "one-sided, normal tail",
            "source": "variance of predictions of random phase",
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
        }
        | {"null": null_array(nulls)},
        coords={
            "model": list(predictions),
            **{name: c for name, c in target.coords.items() if c.dims == (column,)},
        },
    )
    return pd.concat(tables, ignore_index=True), columns
