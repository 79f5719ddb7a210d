"""Which regions are predicted, for the report's front page."""

from typing import Any

import pandas as pd

from stim2bold.evaluation.headlines import SIGNIFICANT
from stim2bold.io.files import read_table
from stim2bold.models.catalogue import MODELS
from stim2bold.report.scores import model_label, number
from stim2bold.report.source import Results


def regions_of(results: Results, direction: str) -> dict[str, Any] | None:
    """Return the scores of regions of a direction; None where there are none.

    Parameters
    ----------
    results : Results
    direction : str

    Returns
    -------
    dict or None
        ``direction``; ``unit``, the group or the only participant; ``models``, their names; ``n``
        participants; ``rows``: region, voxels and, for each model, r, q and in how many
        participants q < 0.05.
    """
    tables = {path.stem: path for path in results.region_scores(direction)}
    if not tables:
        return None
    tables = {name: read_table(tables[name]) for name in MODELS if name in tables}
    first = next(iter(tables.values()))
    unit = str(first["unit"].iloc[0])
    own = first.loc[first["unit"] != "group", "unit"].unique()
    rows = []
    for row in first[first["unit"] == unit].to_dict("records"):
        cells = [_cell(table[table["region"] == row["region"]], unit) for table in tables.values()]
        rows.append({"region": row["region"], "voxels": int(row["voxels"]), "cells": cells})
    return {
        "direction": direction,
        "unit": unit,
        "n": len(own),
        "models": [model_label(name) for name in tables],
        "rows": rows,
    }


def _cell(table: pd.DataFrame, unit: str) -> dict[str, Any]:
    """Return r and q of a unit, and in how many participants the region is significant."""
    mine = table[table["unit"] == unit].iloc[0] if (table["unit"] == unit).any() else {}
    single = table[table["unit"] != "group"]
    return {
        "r": number(mine.get("r")),
        "q": number(mine.get("q")),
        "units": int((single["q"] < SIGNIFICANT).sum()),
    }
