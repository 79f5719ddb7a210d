"""docs/benchmarks.md: a table for each area, what misses its goal on top."""

import os
import platform
import re
from datetime import date
from pathlib import Path

import claims
import numpy as np
import pandas as pd

PROJECT = Path(__file__).resolve().parents[1]


def goal_and_met(row) -> tuple[str, str]:
    """Say what a row is to reach and whether it does; one without a goal is reported."""
    if np.isnan(row.goal):
        return "", "reported"
    goal = f"{'≥' if row.better == 'higher' else '≤'} {row.goal:g}"
    return goal, "yes" if claims.reaches(row.value, row.goal, row.better) else "**no**"


def lines_by_claim(text: str) -> dict[str, str]:
    """Return the rows of docs/benchmarks.md by the claim they tell of."""
    return {line.split(" ")[1]: line for line in text.splitlines() if re.match(r"\| \w+_", line)}


HEADER = [
    "| claim | value | min | max | n | unit | goal | met | trivial | seconds |",
    "|---|---:|---:|---:|---:|---|---:|---|---:|---:|",
]
MISSED = "| **no** |"


def sections(known: dict[str, str]) -> list[str]:
    """Return a table for each area, those with a missed goal first, and in it the missed rows."""
    areas: dict[str, list[str]] = {}
    for claim in sorted(known, key=lambda name: (MISSED not in known[name], name)):
        areas.setdefault(claim.split("_")[0], []).append(known[claim])
    missed = {area: sum(MISSED in row for row in rows) for area, rows in areas.items()}
    lines = [
        f"{sum(missed.values())} of {len(known)} rows miss their goal: "
        + ", ".join(f"{count} in [{area}](#{area})" for area, count in missed.items() if count)
        + "."
    ]
    for area in sorted(areas, key=lambda name: (not missed[name], name)):
        lines += ["", f"## {area}", "", *HEADER, *areas[area]]
    return lines


def page(table: pd.DataFrame, before: str) -> str:
    """Return docs/benchmarks.md, where claims that are not in the table stay as they were."""
    pinned = (PROJECT / "requirements.txt").read_text(encoding="utf-8").split()
    versions = [line for line in pinned if re.match(r"(torch|numpy|antspyx|himalaya)==", line)]
    lines = [
        "# Benchmarks",
        "",
        f"Written by `make bench` on {date.today()}: {os.cpu_count()} cores "
        f"({platform.machine()}), Python {platform.python_version()}, {', '.join(versions)}. The "
        "machine was shared; ratios were measured within one run. `value` is the mean over `n` "
        "repetitions or seeds, `min` and `max` their spread; `trivial` is what the same measure "
        "gives where nothing is known. A row without a goal is `reported`. Rows not measured then "
        "stand as they were.",
        "",
    ]
    rows = [
        f"| {row.claim} | {row.value:.4g} | {row.min:.4g} | {row.max:.4g} | {row.n} | {row.unit} | "
        f"{' | '.join(goal_and_met(row))} | "
        f"{'' if np.isnan(row.trivial) else format(row.trivial, '.4g')} | {row.seconds:.0f} |"
        for row in table.itertuples()
    ]
    known = lines_by_claim(before) | lines_by_claim("\n".join(rows))
    return "\n".join([*lines, *sections(known)]) + "\n"
