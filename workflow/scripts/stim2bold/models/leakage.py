"""Whether anything held out was fitted, from what every prediction recorded about its fit.

What is recorded is declared, not seen; `stim2bold.models.leakage_trial` tries it.
"""

import json
from typing import Any

import numpy as np
import xarray as xr

from stim2bold.models.folds import as_ranges, from_ranges, near, row_times


def fit_record(
    fitted: dict[int, np.ndarray],
    extent: tuple[float, float],
    *,
    reads: tuple[float, float] | None = None,
) -> dict[str, str]:
    """Return the attributes by which a prediction says what it was fitted on.

    Parameters
    ----------
    fitted : dict
        Row numbers that reached any fit (standardisation, components, hyper-parameters, weights),
        for each fold.
    extent : tuple of float
        Seconds before (negative) and after a fitted row that the fit looked at on its account.
    reads : tuple of float, optional
        Likewise of a predicted row; as of a fitted one by default.
    """
    ranges = {str(fold): as_ranges(np.unique(rows)) for fold, rows in fitted.items()}
    return {
        "fitted_rows": json.dumps(ranges, sort_keys=True),
        "extent": json.dumps(list(extent)),
        "reads": json.dumps(list(reads or extent)),
    }


def check_folds(content: dict[str, Any], *, gap: float) -> list[str]:
    """Return what is wrong with a fold file, judged from its seconds alone.

    Parameters
    ----------
    content : dict
        The fold file.
    gap : float
        Seconds that the configuration asks for on each side of a test interval.
    """
    problems = []
    times = row_times(content["n_rows"], tr=content["TR"], film_onset=content["film_onset"])
    extents = np.stack([times - content["TR"] / 2, times + content["TR"] / 2], axis=1)
    tested = np.zeros(content["n_rows"], dtype=int)
    for fold in content["folds"]:
        where = f"folds.json fold {fold['fold']}"
        forbidden = near(extents, [fold["interval"]], margin=gap)
        inside = (times >= fold["interval"][0]) & (times < fold["interval"][1])
        train = from_ranges(fold["train"]["rows"])
        test = from_ranges(fold["test"]["rows"])
        tested[test] += 1
        if forbidden[train].any():
            problems.append(
                f"{where}: training rows {as_ranges(train[forbidden[train]])} lie less than "
                f"{gap} s from the test interval"
            )
        if not inside[test].all():
            problems.append(f"{where}: test rows outside the test interval")
        for number, split in enumerate(fold["inner"]):
            used = np.concatenate([from_ranges(split[k]["rows"]) for k in ("train", "test")])
            if not np.isin(used, train).all():
                problems.append(f"{where}: inner fold {number} has rows outside the training rows")
            if np.isin(
                from_ranges(split["train"]["rows"]), from_ranges(split["test"]["rows"])
            ).any():
                problems.append(f"{where}: inner fold {number} fits rows that it tests")
    if (tested > 1).any():
        problems.append("folds.json: a row is tested in more than one fold")
    return problems


def check_prediction(
    attributes: dict[str, Any], predicted: xr.DataArray, content: dict[str, Any], *, name: str
) -> list[str]:
    """Return what is wrong with one prediction, judged by the fold file.

    Parameters
    ----------
    attributes : dict
        Of the prediction: ``fitted_rows`` and ``extent`` as `fit_record` wrote them.
    predicted : DataArray
        Its ``fold`` coordinate over time, with ``row`` beside it.
    content : dict
        The fold file.
    name : str
        Of the prediction, for the messages.
    """
    if not {"fitted_rows", "extent"} <= set(attributes):
        return [f"{name}: does not say which rows it was fitted on"]
    problems = []
    fitted = {
        int(fold): from_ranges(r) for fold, r in json.loads(attributes["fitted_rows"]).items()
    }
    before, after = json.loads(attributes["extent"])
    half = content["TR"] / 2
    times = row_times(content["n_rows"], tr=content["TR"], film_onset=content["film_onset"])
    reach = np.stack([times - half + before, times + half + after], axis=1)
    folds = {fold["fold"]: fold for fold in content["folds"]}
    rows, numbers = predicted["row"].values, predicted["fold"].values
    for number in np.unique(numbers):
        if int(number) not in folds or int(number) not in fitted:
            problems.append(f"{name}: fold {number} is unknown")
            continue
        fold, used = folds[int(number)], fitted[int(number)]
        test, gap = from_ranges(fold["test"]["rows"]), from_ranges(fold["gap"]["rows"])
        for kind, forbidden in (("test", test), ("gap", gap)):
            leaked = np.intersect1d(used, forbidden)
            if leaked.size:
                problems.append(
                    f"{name}: fold {number} was fitted on {kind} rows {as_ranges(leaked)}"
                )
        outside = np.setdiff1d(used, from_ranges(fold["train"]["rows"]))
        if np.setdiff1d(outside, np.concatenate([test, gap])).size:
            problems.append(f"{name}: fold {number} was fitted on rows outside the film")
        touching = near(reach, [fold["interval"]], margin=0.0)
        if touching[used].any():
            problems.append(
                f"{name}: fold {number}: the delays of fitted rows "
                f"{as_ranges(used[touching[used]])} reach into the test interval"
            )
        if not np.isin(rows[numbers == number], test).all():
            problems.append(f"{name}: fold {number} predicts rows that are not its test rows")
    return problems
