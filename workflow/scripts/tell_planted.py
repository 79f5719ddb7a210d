"""Say what the demo found of what was planted, and fail where it found too little."""

import argparse
import sys
from pathlib import Path

from stim2bold.io.files import read_table
from stim2bold.runtime.command import run
from stim2bold.simulation.brain.recovery_verdict import faults, verdict


def main() -> None:
    """Print a line for the group and each participant; exit with 1 where the first is at fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--regions", type=Path, required=True, help="results/planted/regions.tsv")
    options = parser.parse_args()
    table = read_table(options.regions)
    model = table["model"].iloc[0]
    units = table[table["model"] == model].groupby("unit", sort=False)
    for unit, mine in units:
        print(f"{unit}: {verdict(mine)}")
    wrong = faults(next(iter(units))[1])
    for fault in wrong:
        print(
            f"{fault}: the analysis does not find what was planted; look at "
            "results/report/planted.html",
            file=sys.stderr,
        )
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    run(main)
