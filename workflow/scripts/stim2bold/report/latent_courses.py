"""Which moments of the film drive the course that a group's latents take."""

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from stim2bold.io.arrays import read_array
from stim2bold.io.files import read_json
from stim2bold.report.source import Source, table_of
from stim2bold.report.timelines import DECIMALS, windows_of


def courses_of(source: Source, directions: list[str], film: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what the front page shows of the latents of each group, direction by direction.

    Parameters
    ----------
    source : Source
    directions : list of str
    film : dict
        As `stim2bold.report.timelines.film_data` returns it.
    """
    tr = read_json(source.results.inputs)["TR"]
    labels = None
    for origin, path in source.results.captions("film"):
        labels = table_of(path) if origin == "the film" else labels
    found = []
    for direction in directions:
        path = source.results.latents(direction)
        if not path.exists():
            continue
        course = read_array(path)
        dimensions = [
            dimension_data(
                course.sel(dimension=number),
                film,
                labels,
                tr=tr,
                seconds=source.config["evaluation"]["segment"],
            )
            for number in course["dimension"].values
        ]
        charts = [dimension.pop("chart") for dimension in dimensions]
        data = {"blocks": film["blocks"], "stills": film["stills"], "charts": charts}
        found.append(
            {
                "direction": direction,
                "delay": float(course.attrs["delay"]),
                "untrained": int(course.attrs["untrained"]),
                "n_folds": len(np.unique(course["fold"])),
                "data": data,
                "dimensions": dimensions,
            }
        )
    return found


def dimension_data(
    course: xr.DataArray,
    film: dict[str, Any],
    labels: pd.DataFrame | None,
    *,
    tr: float,
    seconds: float,
) -> dict[str, Any]:
    """Return chart and moments of one dimension of a course.

    Parameters
    ----------
    course : DataArray, dims (time,)
        As `trace_latents` writes it; times are those of the BOLD.
    film : dict
        As for `courses_of`.
    labels : DataFrame or None
        onset, duration and present (labels, with commas between them): what the film holds.
    tr : float
        Seconds from row to row.
    seconds : float
        Length of a moment.

    Returns
    -------
    dict
        ``share`` of the variance predicted; ``kinds``: moments by the words that tell whether
        they are high or low (above and below 0 alone); ``chart``. All times are the film's: earlier
        than the BOLD by the course's delay; what answers to nothing yet is left out.
    """
    times = course["time"].values - course.attrs["delay"]
    course, times = course[times >= tr / 2], times[times >= tr / 2]
    fold = course["fold"].values
    high, low = windows_of(course.values, times, fold, tr=tr, seconds=seconds)
    windows = [one for one in high if one[2] > 0], [one for one in low if one[2] < 0]
    name = f"dimension {int(course['dimension'])}"
    return {
        "share": float(course["share"]),
        "kinds": {
            kind: [moment(start, end, mean, film, labels) for start, end, mean in each]
            for kind, each in zip(("Highest", "Lowest"), windows, strict=True)
        },
        "chart": {
            "title": f"Course of {name} over film time",
            "series": [
                {
                    "name": name,
                    "points": np.stack([times, course.values], axis=1).round(DECIMALS).tolist(),
                    "breaks": (np.flatnonzero(np.diff(fold)) + 1).tolist(),
                }
            ],
            "marks": [
                {"start": start, "end": end, "high": high}
                for high, each in zip((True, False), windows, strict=True)
                for start, end, _ in each
            ],
        },
    }


def moment(
    start: float, end: float, mean: float, film: dict[str, Any], labels: pd.DataFrame | None
) -> dict[str, Any]:
    """Return what there is in the film from `start` to `end` (s): block, words and labels.

    Labels are those present in at least half of the rows of the moment, the most frequent first:
    what is seen, without the prefix ``video/``. What is said (``sound/``) stands in the words.
    """
    middle = (start + end) / 2
    blocks = [b["label"] for b in film["blocks"] if b["start"] <= middle < b["end"]]
    there = []
    if labels is not None:
        rows = labels[(labels["onset"] < end) & (labels["onset"] + labels["duration"] > start)]
        count = Counter(
            label for text in rows["present"].dropna() if text for label in text.split(", ")
        )
        there = [
            label.removeprefix("video/")
            for label, n in count.most_common()
            if 2 * n >= len(rows) and not label.startswith("sound/")
        ]
    return {
        "start": start,
        "end": end,
        "middle": middle,
        "mean": mean,
        "block": blocks[0] if blocks else "",
        "words": [w["word"] for w in film["words"] if w["start"] < end and w["end"] > start],
        "labels": there,
    }
