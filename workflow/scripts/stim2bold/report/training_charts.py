"""What the report draws of each VAE."""

from typing import Any

from stim2bold.io.files import read_json, read_table
from stim2bold.report.model_record import describe
from stim2bold.report.source import Source, table_of


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
