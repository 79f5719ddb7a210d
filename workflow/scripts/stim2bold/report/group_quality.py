"""What the report says of the quality of all runs side by side."""

import json
from typing import Any

import numpy as np

from stim2bold.preprocessing.iqm import MEASURES, thresholds
from stim2bold.report.participants import DIGITS, page_of
from stim2bold.report.source import Source

PAGE = "quality.html"
SECTIONS = [("strips", "Measures"), ("runs", "Runs"), ("exclude", "Exclude")]
#: Most points of a drawn course; of more volumes the largest of each stretch is drawn.
MOST_POINTS = 160
#: Courses of a run: column of the quality file, and what it is called.
COURSES = {"fd": "FD (mm)", "std_dvars": "DVARS"}


def drawn(values: list[float | None]) -> list[float | None]:
    """Return a course of few points whose peaks are those of the whole.

    Parameters
    ----------
    values : list of float or None
        A value a volume; None where there is none.
    """
    series = np.array([np.nan if value is None else value for value in values], dtype=float)
    if series.size <= MOST_POINTS:
        parts = series[:, None]
    else:
        # Stretches of one length; the last is filled up with what does not count.
        length = -(-series.size // MOST_POINTS)
        parts = np.full(length * -(-series.size // length), np.nan)
        parts[: series.size] = series
        parts = parts.reshape(-1, length)
    known = np.isfinite(parts).any(axis=1)
    peaks = np.where(known, np.where(np.isfinite(parts), parts, -np.inf).max(axis=1), 0)
    return [float(peak) if there else None for peak, there in zip(peaks, known, strict=True)]


def path_of(course: list[float | None], top: float) -> str:
    """Return a course as the path of an SVG of width 100 and height 20, broken where it has gaps.

    Parameters
    ----------
    course : list of float or None
    top : float
        The value at the upper edge; more is drawn there.
    """
    step = 100 / max(1, len(course) - 1)
    path, pen = [], "M"
    for i, value in enumerate(course):
        if value is None:
            pen = "M"
            continue
        path.append(f"{pen}{i * step:.1f} {20 - 20 * min(value, top) / top:.1f}")
        pen = "L"
    return "".join(path)


def exclusions(runs: dict[str, list[dict[str, Any]]]) -> str | None:
    """Return a line for config.yaml that leaves out what is flagged; None where nothing or all is.

    Parameters
    ----------
    runs : dict of str to list of dict
        The runs of each participant, with ``name`` and ``flags``.
    """
    chosen = {}
    for unit, of_unit in runs.items():
        label = unit.removeprefix("sub-")
        for run in of_unit:
            number = [part for part in run["name"].split("_") if part.startswith("run-")]
            key = "_".join([label, *number]) if len(of_unit) > 1 else label
            if run["flags"]:
                chosen[key] = "; ".join(run["flags"])
    if not chosen or len(chosen) == sum(map(len, runs.values())):
        return None
    return f"exclude: {json.dumps(chosen, ensure_ascii=False)}"


def group_quality(source: Source, runs: dict[str, list[dict[str, Any]]]) -> dict[str, Any] | None:
    """Return what the page shows, None where no run was measured.

    Parameters
    ----------
    source : Source
    runs : dict of str to list of dict
        The runs of each participant, as `stim2bold.report.participants.runs_of` returns them.

    Returns
    -------
    dict
        ``strips``, one a measure (words, low, high, bounds, points with their place of 0 to 100,
        None where a run was not measured);
        ``runs`` (name, page, flags, carpet, paths of the courses by `COURSES`); ``exclude``, see
        `exclusions`; ``all_flagged``.
    """
    shown = [
        {**run, "page": page_of(unit), "unit": unit}
        for unit, of_unit in runs.items()
        for run in of_unit
    ]
    if not shown:
        return None
    bounds = thresholds(source.settings_of_quality)
    strips = []
    for key, words in MEASURES.items():
        values = [run["measured"][key] for run in shown]
        known = [value for value in values if value is not None]
        if not known:
            continue
        limits = [bounds[key]] if key in bounds else []
        low, high = min([*known, *limits]), max([*known, *limits])
        digits = DIGITS.get(key, 3)
        # All alike stand in the middle.
        start, span = (low, high - low) if high > low else (low - 0.5, 1.0)
        strips.append(
            {
                "words": words,
                "low": f"{low:.{digits}f}",
                "high": f"{high:.{digits}f}",
                "bounds": [
                    {"place": 100 * (limit - start) / span, "words": f"{limit:.{digits}f}"}
                    for limit in limits
                ],
                "points": [
                    None
                    if value is None
                    else {"place": 100 * (value - start) / span, "words": f"{value:.{digits}f}"}
                    for value in values
                ],
            }
        )
    courses = {key: [drawn(run["measured"]["series"][key]) for run in shown] for key in COURSES}
    settings = source.config["preprocessing"]["confounds"]
    outliers = {"fd": settings["outlier_fd"], "std_dvars": settings["outlier_dvars"]}
    tops = {key: max(top_of(found), 1.1 * outliers[key]) for key, found in courses.items()}
    return {
        "strips": strips,
        "scales": [
            {
                "key": key,
                "words": words,
                "top": f"{tops[key]:.2g}",
                "outlier": f"{outliers[key]:g}",
                "place": 20 - 20 * outliers[key] / tops[key],
            }
            for key, words in COURSES.items()
        ],
        "runs": [
            {
                "name": run["name"] if len(runs[run["unit"]]) > 1 else run["unit"],
                "page": run["page"],
                "flags": run["flags"],
                "carpet": next(
                    (f for f in run["figures"] if "_desc-carpet_" in f["address"]), None
                ),
                "paths": {key: path_of(courses[key][i], tops[key]) for key in COURSES},
            }
            for i, run in enumerate(shown)
        ],
        "exclude": exclusions(runs),
        "all_flagged": all(run["flags"] for run in shown),
    }


def top_of(courses: list[list[float | None]]) -> float:
    """Return the upper end of a scale for all courses: where one in a hundred values is larger."""
    values = [value for course in courses for value in course if value is not None]
    return float(np.percentile(values, 99)) or 1.0 if values else 1.0
