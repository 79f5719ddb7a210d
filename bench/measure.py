"""Measure the project's claims and write them down.

``python bench/measure.py --rows 'i3d.*'`` measures the claims whose name matches, keeps the rows of
the others in results/bench/bench.tsv, and writes docs/benchmarks.md from all.
"""

import argparse
import logging
import os
import platform
import re
import sys
from datetime import date
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(PROJECT / part) for part in ("workflow/scripts", "tests/support", "bench")]

import brains  # noqa: E402
import claims  # noqa: E402
import decoding  # noqa: E402
import delays  # noqa: E402
import deployment  # noqa: E402
import device  # noqa: E402
import groups  # noqa: E402
import length  # noqa: E402
import models  # noqa: E402
import nulls  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import plan  # noqa: E402
import preprocess  # noqa: E402
import preprocess_workflow  # noqa: E402
import report  # noqa: E402
import resume  # noqa: E402
import sound  # noqa: E402
import stimulus  # noqa: E402
import validation  # noqa: E402

from stim2bold.io.files import read_table, replacing, write_table  # noqa: E402
from stim2bold.runtime.command import run  # noqa: E402

logger = logging.getLogger("bench")

ROOMS = (
    brains,
    preprocess,
    preprocess_workflow,
    stimulus,
    sound,
    delays,
    length,
    models,
    decoding,
    nulls,
    plan,
    device,
    deployment,
    validation,
    groups,
    report,
    resume,
)
CLAIMS = {name: measure for room in ROOMS for name, measure in room.CLAIMS.items()}
COLUMNS = ["claim", "area", "value", "unit", "goal", "trivial", "better"]
COLUMNS += ["n", "min", "max", "seconds", "command"]


def merge(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Return both tables as one, sorted by claim; new rows take the place of old ones."""
    kept = old[~old["claim"].isin(new["claim"])]
    return pd.concat([kept, new]).reindex(columns=COLUMNS).sort_values("claim", ignore_index=True)


def goal_and_met(row) -> tuple[str, str]:
    """Say what a row is to reach and whether it does; one without a goal is reported."""
    if np.isnan(row.goal):
        return "", "reported"
    goal = f"{'≥' if row.better == 'higher' else '≤'} {row.goal:g}"
    return goal, "yes" if claims.reaches(row.value, row.goal, row.better) else "**no**"


def lines_by_claim(text: str) -> dict[str, str]:
    """Return the rows of docs/benchmarks.md by the claim they tell of."""
    return {line.split(" ")[1]: line for line in text.splitlines() if re.match(r"\| \w+_", line)}


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
        "| claim | value | min | max | n | unit | goal | met | trivial | seconds |",
        "|---|---:|---:|---:|---:|---|---:|---|---:|---:|",
    ]
    rows = [
        f"| {row.claim} | {row.value:.4g} | {row.min:.4g} | {row.max:.4g} | {row.n} | {row.unit} | "
        f"{' | '.join(goal_and_met(row))} | "
        f"{'' if np.isnan(row.trivial) else format(row.trivial, '.4g')} | {row.seconds:.0f} |"
        for row in table.itertuples()
    ]
    known = lines_by_claim(before) | lines_by_claim("\n".join(rows))
    return "\n".join([*lines, *(known[claim] for claim in sorted(known))]) + "\n"


def main() -> None:
    """Measure what was asked for; what is measured is written at once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", default=".*", help="regular expression of claims")
    arguments = parser.parse_args()
    path = PROJECT / "results" / "bench" / "bench.tsv"
    table = read_table(path) if path.exists() else pd.DataFrame(columns=COLUMNS)
    for name, measure in CLAIMS.items():
        if not re.match(arguments.rows, name):
            continue
        logger.info("measuring %s", name)
        rows = measure()
        if not rows:
            continue
        rows = pd.DataFrame(rows).assign(command=f"make bench ROWS='{name}$'")
        table = merge(table, rows)
        write_table(path, table)
        benchmarks = PROJECT / "docs" / "benchmarks.md"
        text = page(table, benchmarks.read_text(encoding="utf-8"))
        with replacing(benchmarks) as temporary:
            temporary.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    run(main)
