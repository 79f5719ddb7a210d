"""Summarise the scores of all units: one row per direction and model."""

from pathlib import Path

import pandas as pd

from stim2bold.arguments import ListParser
from stim2bold.command import run
from stim2bold.files import read_table, write_table
from stim2bold.summary import summarise


def main() -> None:
    """Read the units' long tables, write the summary."""
    parser = ListParser(__doc__)
    parser.add_argument("--scores", type=Path, nargs="+", required=True)
    parser.add_argument("--summary", type=Path, required=True)
    args = parser.parse_args()
    write_table(args.summary, summarise(pd.concat([read_table(path) for path in args.scores])))


if __name__ == "__main__":
    run(main)
