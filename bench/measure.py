"""Measure the project's claims and write them down.

``python bench/measure.py --rows 'i3d.*'`` measures the claims whose name matches, keeps the rows of
the others in results/bench/bench.tsv, and writes docs/benchmarks.md from all.
"""

import argparse
import logging
import re
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(PROJECT / part) for part in ("workflow/scripts", "tests/support", "bench")]

import benchmarks_page  # noqa: E402
import brains  # noqa: E402
import controls  # noqa: E402
import decoding  # noqa: E402
import delays  # noqa: E402
import deployment  # noqa: E402
import device  # noqa: E402
import groups  # noqa: E402
import length  # noqa: E402
import models  # noqa: E402
import movie_study  # noqa: E402
import nulls  # noqa: E402
import optimum  # noqa: E402
import pandas as pd  # noqa: E402
import participants  # noqa: E402
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
    optimum,
    preprocess,
    preprocess_workflow,
    stimulus,
    sound,
    delays,
    length,
    models,
    movie_study,
    controls,
    decoding,
    nulls,
    participants,
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
        text = benchmarks_page.page(table, benchmarks.read_text(encoding="utf-8"))
        with replacing(benchmarks) as temporary:
            temporary.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    run(main)
