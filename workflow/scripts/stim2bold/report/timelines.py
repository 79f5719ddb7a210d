"""Measured and predicted BOLD of regions over film time, with what was seen and said."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stim2bold.io.files import read_json, read_table
from stim2bold.report import pages
from stim2bold.report import scores as report_scores
from stim2bold.report.source import Source, table_of

#: Numbers of a series on a page have so many decimals.
DECIMALS = 3


def film_data(source: Source, folds: dict, root: Path) -> dict[str, Any]:
    """Return what all timelines share: blocks, words and stills of the film."""
    stills, (sheet, places) = None, source.results.stills
    if sheet.exists():
        stills = read_json(places)
        stills["address"] = "../" + pages.copy_into(root, "assets/stills.jpg", sheet)
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
    regions, names = [], {"measured": "measured"}
    for direction, table in tables.items():
        scores = read_table(source.results.regions(direction, unit)[1])
        models = [name for name in table.columns if name not in ("region", "time", "fold")]
        names |= {name: report_scores.model_label(name) for name in models if name not in names}
        for name, part in table.groupby("region", sort=False):
            own = scores[scores["region"] == name]
            regions.append(
                {
                    "name": name if len(tables) == 1 else f"{name}, {direction}",
                    "voxels": int(own["voxels"].iloc[0]),
                    "scores": [
                        {"model": row["model"], "r": round(float(row["r"]), 4)}
                        for row in own.to_dict("records")
                        if np.isfinite(row["r"])
                    ],
                    "series": {
                        column: [round(float(x), DECIMALS) for x in part[column]]
                        for column in models
                    },
                }
            )
    table = next(iter(tables.values()))
    first = table[table["region"] == table["region"].iloc[0]]
    data = {
        **film,
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
    }


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
