"""How a VAE was trained and what it is like, for the report's charts."""

from typing import Any

import pandas as pd

from stim2bold.io.files import read_json, read_table
from stim2bold.report.source import Source, table_of

#: Points of a curve on the page; more could not be told apart.
MOST_POINTS = 200


def curve(table: pd.DataFrame, column: str) -> list[list[float]]:
    """Return a column's mean over folds and seeds, step by step, as (step, value) pairs."""
    values = table.dropna(subset=[column])
    if values.empty:
        return []
    means = values.groupby("step")[column].mean()
    kept = means.iloc[:: max(1, len(means) // MOST_POINTS)]
    return [[float(step), round(float(value), 5)] for step, value in kept.items()]


def describe(
    record: dict[str, Any], history: pd.DataFrame, diagnostics: pd.DataFrame
) -> dict[str, Any]:
    """Arrange a model's record for the page.

    Parameters
    ----------
    record : dict
        The JSON file beside the weights: ``settings``, ``sizes`` and ``folds`` with their
        ``steps``.
    history : DataFrame
        phase (inner, outer), fold, seed, step, total, reconstruction, prior, kl, inner_error,
        inner_error_se.
    diagnostics : DataFrame
        fold, measure, dimension, value.

    Returns
    -------
    dict
        ``curves``: by phase and quantity; ``kl``: nats a row of each latent dimension, mean over
        folds, largest first; ``coverage`` and ``spread``: one number a fold; ``active``: mean
        number of active dimensions; ``steps`` and ``slopes`` of each fold; ``starts``, the linear
        solutions that training began at, fold by fold, none for a network alone; ``seeds``,
        ``preset``.
    """
    inner = history[history["phase"] == "inner"]
    outer = history[history["phase"] == "outer"]

    def each_fold(measure: str) -> list[float]:
        part = diagnostics[diagnostics["measure"] == measure].sort_values("fold")
        return [round(float(value), 4) for value in part["value"]]

    kl = diagnostics[diagnostics["measure"] == "kl"].groupby("dimension")["value"].mean()
    active = each_fold("active_units")
    return {
        "curves": {
            "error on inner held-out rows": curve(inner, "inner_error"),
            "objective, inner folds": curve(inner, "total"),
            "objective, whole training rows": curve(outer, "total"),
        },
        "kl": [round(float(value), 4) for value in kl.sort_values(ascending=False)],
        "coverage": each_fold("coverage_90"),
        "spread": each_fold("sample_sd"),
        "active": sum(active) / len(active) if active else None,
        "steps": [fold["steps"] for fold in record["folds"]],
        "slopes": [round(fold["slope"], 2) for fold in record["folds"]],
        "starts": [
            fold["initialisation"] + " (edge of the grid)" * fold.get("penalty_at_edge", False)
            for fold in record["folds"]
            if record["settings"].get("linear", True)
        ],
        "seeds": record["settings"].get("seeds"),
        "preset": record["settings"].get("preset"),
    }


def models_of(source: Source, directions: list[str], unit: str) -> list[dict[str, Any]]:
    """Return the charts of a unit's VAEs."""
    found = []
    for direction in directions:
        record, course, diagnostics = source.results.model(direction, unit)
        history = table_of(course)
        if history is None:
            continue
        view = describe(read_json(record), history, read_table(diagnostics))
        found.append({**view, "name": f"{direction}, {unit}", "charts": charts(view)})
    return found


def charts(view: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what is drawn of a model: learning curves, the KL of each dimension, calibration."""

    def chart(title: str, x: str, y: str, **series: list[list[float]]) -> dict[str, Any]:
        drawn = [{"name": name, "points": points} for name, points in series.items() if points]
        whole = x in ("fold", "dimension")
        return {"title": title, "x": x, "y": y, "series": drawn, "zero": True, "whole": whole}

    numbered = {
        name: [[float(i + 1), value] for i, value in enumerate(view[name])]
        for name in ("kl", "coverage", "spread")
    }
    folds = [[float(i + 1), 0.9] for i in range(len(view["coverage"]))]
    found = [
        {**chart(title.capitalize(), "step", title.split(",")[0], **{title: points}), "zero": False}
        for title, points in view["curves"].items()
    ]
    found += [
        chart("KL of each latent dimension", "dimension", "nats a row", KL=numbered["kl"]),
        chart(
            "Calibration: share of held-out values in 90 % intervals",
            "fold",
            "share",
            covered=numbered["coverage"],
            nominal=folds,
        ),
        chart("Diversity of samples", "fold", "standard deviations", samples=numbered["spread"]),
    ]
    return [one for one in found if one["series"]]
