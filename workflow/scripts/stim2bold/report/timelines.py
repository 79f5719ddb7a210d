"""Measured and predicted BOLD of regions over film time, with what was seen and said."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stim2bold.evaluation.moments import contributions, extreme_windows
from stim2bold.io.files import read_json, read_table
from stim2bold.report import pages
from stim2bold.report import scores as report_scores
from stim2bold.report.source import Source, table_of

#: Numbers of a series on a page have so many decimals.
DECIMALS = 3
#: So many windows are shown in which a course is highest, and as many in which it is lowest.
MOMENTS = 3


def film_data(source: Source, folds: dict, root: Path) -> dict[str, Any]:
    """Return what all timelines share: blocks, words and stills of the film.

    The address of the sheet of stills is that from the report's root.
    """
    stills, (sheet, places) = None, source.results.stills
    if sheet.exists():
        stills = read_json(places)
        stills["address"] = pages.copy_into(root, "assets/stills.jpg", sheet)
    words = source.words if source.words is not None else pd.DataFrame(columns=["item"])
    return {
        "blocks": [
            {
                "start": row["onset"] - source.film_onset,
                "end": row["offset"] - source.film_onset,
                "label": str(row["trial_type"]),
            }
            for row in source.blocks.to_dict("records")
        ],
        "stills": stills,
        "words": [
            {"word": str(row["item"]), "start": row["onset"], "end": row["offset"]}
            for row in words.to_dict("records")
        ],
    }


def timeline_of(
    source: Source, directions: list[str], unit: str, root: Path, film: dict[str, Any]
) -> dict[str, Any]:
    """Write the series of a participant's regions and return what the page says of them."""
    tables = {
        direction: read_table(path)
        for direction in directions
        if (path := source.results.regions(direction, unit)[0]).exists()
    }
    if not tables:
        return {"timeline": None, "regions": []}
    tr = read_json(source.results.inputs)["TR"]
    seconds = source.config["evaluation"]["segment"]
    regions, names = [], {"measured": "measured"}
    for direction, table in tables.items():
        scores = read_table(source.results.regions(direction, unit)[1])
        models = [name for name in table.columns if name not in ("region", "time", "fold")]
        names |= {name: report_scores.model_label(name) for name in models if name not in names}
        for name, part in table.groupby("region", sort=False):
            region = region_data(part, scores[scores["region"] == name], tr=tr, seconds=seconds)
            regions.append({"name": name if len(tables) == 1 else f"{name}, {direction}", **region})
    table = next(iter(tables.values()))
    first = table[table["region"] == table["region"].iloc[0]]
    data = {
        **film,
        "stills": film["stills"]
        and {
            **film["stills"],
            "address": f"../{film['stills']['address']}",
        },
        "times": [round(float(x), 3) for x in first["time"]],
        "folds": [int(x) for x in first["fold"]],
        "regions": regions,
        "names": names,
        "captions": captions_of(source, unit),
    }
    address = pages.write_data(root, f"assets/timelines/{unit}", data)
    return {
        "timeline": {"data": f"../{address}"},
        "regions": [region["name"] for region in regions],
        "segment": seconds,
    }


def region_data(
    series: pd.DataFrame, scores: pd.DataFrame, *, tr: float, seconds: float
) -> dict[str, Any]:
    """Return what a timeline shows of one region.

    Parameters
    ----------
    series : DataFrame
        time (s of film), fold, measured and a column for each model: held-out rows.
    scores : DataFrame
        voxels, model and r.
    tr : float
        Seconds from row to row.
    seconds : float
        Length of the windows in which a model does best and worst.

    Returns
    -------
    dict
        ``voxels``, ``scores``, ``series`` and ``moments``: for each model that varies, its
        ``best`` and ``worst`` windows as start, end (s of film) and mean contribution to r.
    """
    models = [name for name in series.columns if name not in ("region", "time", "fold")]
    return {
        "voxels": int(scores["voxels"].iloc[0]),
        "scores": [
            {"model": row["model"], "r": round(float(row["r"]), 4)}
            for row in scores.to_dict("records")
            if np.isfinite(row["r"])
        ],
        "series": {
            column: [round(float(x), DECIMALS) for x in series[column]] for column in models
        },
        "moments": {
            name: found
            for name in models
            if name != "measured"
            if (found := _moments(series, name, tr=tr, seconds=seconds))["best"]
        },
    }


def _moments(
    series: pd.DataFrame, model: str, *, tr: float, seconds: float
) -> dict[str, list[list[float]]]:
    times, fold = series["time"].to_numpy(), series["fold"].to_numpy()
    added = contributions(series["measured"].to_numpy(), series[model].to_numpy(), fold)
    kinds = windows_of(added, times, fold, tr=tr, seconds=seconds)
    return dict(zip(("best", "worst"), kinds, strict=True))


def windows_of(
    values: np.ndarray, times: np.ndarray, fold: np.ndarray, *, tr: float, seconds: float
) -> tuple[list[list[float]], list[list[float]]]:
    """Return the windows in which a course is highest and lowest, as start, end (s) and mean."""
    length = max(1, round(seconds / tr))
    rows = np.rint((times - times[0]) / tr).astype(int)
    found = extreme_windows(values, rows, fold, length=length, n=MOMENTS)
    first, last = times - tr / 2, times + tr / 2
    return tuple(
        [
            [round(first[at], 2), round(last[at + length - 1], 2), round(mean, 2)]
            for at, mean in windows
        ]
        for windows in found
    )


def captions_of(source: Source, unit: str) -> list[dict[str, Any]]:
    """Return what was decoded at each moment from BOLD and picture, and what was there."""
    found = []
    for origin, path in source.results.captions(unit):
        table = table_of(path)
        if table is None:
            continue
        found.append(
            {
                "origin": origin,
                "rows": [
                    [row["onset"], _text(row["decoded"]), _text(row["present"])]
                    for row in table.to_dict("records")
                ],
                "duration": float(table["duration"].iloc[0]) if len(table) else 0.0,
            }
        )
    return found


def _text(value: Any) -> str:
    return "" if pd.isna(value) else str(value)
