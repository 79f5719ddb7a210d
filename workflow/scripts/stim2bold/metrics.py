"""Scores of predictions on held-out rows."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from stim2bold.identification import (
    cut_segments,
    pairwise_identification,
    segment_correlations,
)
from stim2bold.significance import NullTest, bootstrap_r, phase_test, sign_flip_p


def correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return Pearson's r of each column of two arrays over their rows.

    Parameters
    ----------
    a, b : ndarray of shape (n_rows, n_columns)

    Returns
    -------
    ndarray of shape (n_columns,)
        NaN where a column of either does not vary: there is no correlation with a constant.
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    # The test for "constant" is on the values themselves: after centring, rounding would pass.
    still = (np.ptp(a, axis=0) == 0) | (np.ptp(b, axis=0) == 0)
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    norm = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    r = (a * b).sum(axis=0) / np.where(still, 1, norm)
    return np.where(still, np.nan, np.clip(r, -1, 1))


def explained(truth: np.ndarray, predicted: np.ndarray, *, mean: np.ndarray) -> np.ndarray:
    """Return R2 of each column: the share of squared deviations from `mean` that is explained.

    Parameters
    ----------
    truth, predicted : ndarray of shape (n_rows, n_columns)
    mean : ndarray of shape (n_rows, n_columns) or (n_columns,)
        What is to be improved on: the training mean, which knows nothing of the held-out rows.

    Returns
    -------
    ndarray of shape (n_columns,)
    """
    truth = np.asarray(truth, dtype=np.float64)
    error = ((truth - predicted) ** 2).sum(axis=0)
    total = ((truth - mean) ** 2).sum(axis=0)
    return np.where(total > 0, 1 - error / np.where(total > 0, total, 1), np.nan)


def mean_r(r: np.ndarray) -> float:
    """Return the mean correlation; a constant prediction counts as 0, it does not drop out."""
    return float(np.nan_to_num(r, nan=0.0).mean()) if r.size else float("nan")


def comparable(
    truth: np.ndarray, predicted: np.ndarray, fold: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return truth and prediction of all held-out rows, the folds made comparable.

    Truth is centred and the prediction standardised within each fold. Without it a model with no
    skill scores below zero: where its folds disagree by chance, they predict little and wrongly,
    where they agree, much and rightly, so the sum is 0 on average but the ratio is not; and the
    training means, which differ from fold to fold, correlate negatively with what was left out.

    Parameters
    ----------
    truth, predicted : ndarray of shape (n_rows, n_columns)
    fold : ndarray of shape (n_rows,)

    Returns
    -------
    truth, predicted : ndarray of shape (n_rows, n_columns)
        A prediction that does not vary in a fold is 0 there.
    """
    truth, predicted = np.array(truth, dtype=np.float64), np.array(predicted, dtype=np.float64)
    for number in np.unique(fold):
        here = fold == number
        still = np.ptp(predicted[here], axis=0) == 0
        part = predicted[here] - predicted[here].mean(axis=0)
        spread = part.std(axis=0)
        predicted[here] = np.where(still, 0, part / np.where(still | (spread == 0), 1, spread))
        truth[here] -= truth[here].mean(axis=0)
    return truth, predicted


def voxel_r(truth: np.ndarray, predicted: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Return each column's correlation over all held-out rows, see `comparable`.

    Parameters
    ----------
    truth, predicted : ndarray of shape (n_rows, n_columns)
    fold : ndarray of shape (n_rows,)

    Returns
    -------
    ndarray of shape (n_columns,)
        NaN where a column of either does not vary in any fold.
    """
    return correlation(*comparable(truth, predicted, fold))


def as_columns(array: xr.DataArray) -> np.ndarray:
    """Return an array as series by column: (time, voxel), or (time x frame, mel) for sound."""
    return array.values.reshape(-1, array.shape[-1]).astype(np.float64)


def score(
    truth: xr.DataArray,
    predicted: xr.DataArray,
    mean: xr.DataArray,
    *,
    selections: dict[str, np.ndarray] | None = None,
) -> pd.DataFrame:
    """Score one model's predictions, fold by fold and over all held-out rows.

    Parameters
    ----------
    truth, predicted, mean : DataArray
        Time first, on the same rows, ``predicted`` with the coordinate fold; ``mean`` holds the
        predictions of the training mean.
    selections : dict, optional
        Name of a selection of columns to mask or to a mask for each fold: (n_columns,) or
        (n_folds, n_columns) with folds in increasing order.

    Returns
    -------
    DataFrame
        Columns fold (``all`` for all held-out rows), measure, value, unit_of_measure, n (number of
        columns averaged).
    """
    values, guess, base = (as_columns(array) for array in (truth, predicted, mean))
    fold = np.repeat(predicted["fold"].values, len(values) // predicted.sizes["time"])
    everything = {"": np.ones(values.shape[1], dtype=bool), **(selections or {})}
    records = []
    numbers = np.unique(fold)

    def add(name: str, where: str, r: np.ndarray, r2: np.ndarray, mask: np.ndarray) -> None:
        suffix = f"_{name}" if name else ""
        n = int(mask.sum())
        records.append((where, f"r{suffix}", mean_r(r[mask]), "correlation", n))
        finite = r2[mask][np.isfinite(r2[mask])]
        value = float(finite.mean()) if finite.size else float("nan")
        records.append((where, f"r2{suffix}", value, "explained variance", n))

    for i, number in enumerate(numbers):
        here = fold == number
        r = correlation(values[here], guess[here])
        r2 = explained(values[here], guess[here], mean=base[here])
        for name, mask in everything.items():
            add(name, str(int(number)), r, r2, mask if mask.ndim == 1 else mask[i])
    r = voxel_r(values, guess, fold)
    r2 = explained(values, guess, mean=base)
    for name, mask in everything.items():
        if mask.ndim == 1:
            add(name, "all", r, r2, mask)
        else:
            # Which columns count depends on the fold, so the mean over folds stands for all.
            parts = [row for row in records if row[1] in (f"r_{name}", f"r2_{name}")]
            for measure, unit in (
                (f"r_{name}", "correlation"),
                (f"r2_{name}", "explained variance"),
            ):
                part = [row for row in parts if row[1] == measure]
                mean_value = float(np.mean([row[2] for row in part]))
                n = int(np.mean([row[4] for row in part]))
                records.append(("all", measure, mean_value, unit, n))
    return pd.DataFrame(records, columns=["fold", "measure", "value", "unit_of_measure", "n"])


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
    surrogates : int
        Predictions of random phase that significance is judged by.
    draws, block : int, float
        Draws of the bootstrap, and seconds of the blocks that are drawn.
    seed : int
    """

    top_share: float = 0.1
    segment: float = 10.0
    surrogates: int = 1000
    draws: int = 1000
    block: float = 20.0
    seed: int = 1


def significance(
    truth: xr.DataArray,
    predicted: xr.DataArray,
    mean: xr.DataArray,
    settings: EvaluationSettings,
) -> tuple[pd.DataFrame, NullTest]:
    """Judge one model's predictions against chance.

    Parameters
    ----------
    truth, predicted, mean : DataArray
        As for `score`.
    settings : EvaluationSettings

    Returns
    -------
    table : DataFrame
        Columns as of `score`: the interval of mean r (``r_low``, ``r_high``), its ``p``, the share
        of columns with q < 0.05 (``significant``), and ``identification``.
    test : NullTest
        Column by column.
    """
    fold = predicted["fold"].values
    frames = as_columns(truth).shape[0] // len(fold)
    pair = comparable(as_columns(truth), as_columns(predicted), np.repeat(fold, frames))
    test = phase_test(*pair, seed=settings.seed, n=settings.surrogates)
    times = truth["time"].values
    interval = bootstrap_r(
        *pair,
        np.repeat(np.floor(times / settings.block), frames),
        seed=settings.seed,
        n=settings.draws,
    )
    tr = float(np.median(np.diff(times)))
    base = mean.values.reshape(len(fold), -1)
    segments = cut_segments(
        predicted["row"].values, fold, length=max(1, round(settings.segment / tr))
    )
    found = pairwise_identification(
        segment_correlations(
            truth.values.reshape(base.shape) - base,
            predicted.values.reshape(base.shape) - base,
            segments,
        )
    )
    n = len(test.r)
    rows = [
        ("r_low", interval.mean_low, "correlation", n),
        ("r_high", interval.mean_high, "correlation", n),
        ("p", test.p_mean, "probability", n),
        ("significant", float((test.q < 0.05).mean()), "share", n),
        ("identification", found, "share of pairs", len(segments)),
    ]
    table = pd.DataFrame(rows, columns=["measure", "value", "unit_of_measure", "n"])
    table.insert(0, "fold", "all")
    return table, test


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
        By name of the model; ``mean`` must be there.
    strength : DataArray of shape (n_folds, n_targets)
        Score of each target inside each fold's training rows, by which the top voxels are chosen.
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
    tables, tests = [], {}
    for name, predicted in predictions.items():
        truth = target.sel(time=predicted.time)
        table = score(truth, predicted, predictions["mean"], selections=selections)
        judged, tests[name] = significance(truth, predicted, predictions["mean"], settings)
        table = pd.concat([table, judged], ignore_index=True)
        table.insert(0, "model", name)
        tables.append(table)
    columns = xr.Dataset({"r": r_by_column(target, predictions)})
    for name, long_name in (
        ("q", "false-discovery rate over columns"),
        ("p_max", "p against the largest of all columns"),
    ):
        values = np.stack([getattr(test, name) for test in tests.values()])
        columns[name] = columns["r"].copy(data=values.astype(np.float32))
        columns[name].attrs = {
            "units": "probability",
            "long_name": long_name,
            "source": f"{settings.surrogates} predictions of random phase",
        }
    return pd.concat(tables, ignore_index=True), columns


def r_by_column(target: xr.DataArray, predictions: dict[str, xr.DataArray]) -> xr.DataArray:
    """Return each voxel's or mel band's correlation over all held-out rows, model by model.

    Parameters
    ----------
    target : DataArray
        Measured, dims (time, voxel) or (time, frame, mel).
    predictions : dict
        By name of the model.

    Returns
    -------
    DataArray
        Dims (model, voxel) or (model, mel), with the coordinates that the target has there.
    """
    column = target.dims[-1]
    values = []
    for predicted in predictions.values():
        truth = as_columns(target.sel(time=predicted.time))
        guess = as_columns(predicted)
        fold = np.repeat(predicted["fold"].values, len(guess) // predicted.sizes["time"])
        values.append(voxel_r(truth, guess, fold))
    kept = {name: c for name, c in target.coords.items() if c.dims == (column,)}
    return xr.DataArray(
        np.stack(values).astype(np.float32),
        dims=("model", column),
        coords={"model": list(predictions), **kept},
        name="r",
        attrs={
            "units": "correlation",
            "source": "predicted with measured over all held-out rows, means of the folds removed",
        },
    )


def summarise(scores: pd.DataFrame) -> pd.DataFrame:
    """Return one row per direction and model: the mean over the units.

    Parameters
    ----------
    scores : DataFrame
        Long form: unit, direction, model, fold, measure, value, unit_of_measure, n.

    Returns
    -------
    DataFrame
        Columns direction, model, n (number of units); for each measure MEASURE (mean over units)
        and MEASURE_spread (standard deviation over units); skill_over_MODEL for each model but
        the VAEs: mean r less that model's, over the units that have both; and p_over_MODEL, its
        one-sided p by flipping the signs of units. p is not averaged: units_significant counts the
        units with p < 0.05, and p is that of r by sign flips where there are several units.
    """
    overall = scores[scores.fold.astype(str) == "all"]
    wide = overall.pivot_table(
        index=["direction", "unit"], columns=["model", "measure"], values="value", dropna=False
    )
    models = list(dict.fromkeys(overall.model))
    measures = list(dict.fromkeys(overall.measure))
    baselines = [model for model in models if not model.startswith("vae")]
    rows = []
    for direction in dict.fromkeys(overall.direction):
        part = wide.loc[direction]
        for model in models:
            if (model, "r") not in part or part[model, "r"].isna().all():
                continue
            row = {"direction": direction, "model": model, "n": int(part[model, "r"].count())}
            for measure in measures:
                if (model, measure) not in part:
                    continue
                values = part[model, measure].dropna()
                if measure == "p":
                    row["units_significant"] = int((values < 0.05).sum())
                    r = part[model, "r"].dropna().to_numpy()
                    row["p"] = values.iloc[0] if len(values) == 1 else sign_flip_p(r, seed=1)
                    continue
                row[measure] = values.mean()
                row[f"{measure}_spread"] = values.std(ddof=1) if len(values) > 1 else np.nan
            for baseline in baselines:
                if (baseline, "r") in part:
                    skill = (part[model, "r"] - part[baseline, "r"]).dropna().to_numpy()
                    row[f"skill_over_{baseline}"] = skill.mean() if len(skill) else np.nan
                    if len(skill) > 1:
                        row[f"p_over_{baseline}"] = sign_flip_p(skill, seed=1)
            rows.append(row)
    return pd.DataFrame(rows)
