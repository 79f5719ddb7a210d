"""Summarise decoded labels and retrieved clips over participants."""

from pathlib import Path

import pandas as pd

from stim2bold.arguments import ListParser
from stim2bold.command import run
from stim2bold.decoding_summary import summarise_decoding
from stim2bold.files import read_table, write_table


def main() -> None:
    """Read the units' tables, write one row a measure."""
    parser = ListParser(__doc__)
    parser.add_argument("--labels", type=Path, nargs="*", default=[], help="scores of labels")
    parser.add_argument("--clips", type=Path, nargs="*", default=[], help="scores of clips")
    parser.add_argument("--summary", type=Path, required=True)
    args = parser.parse_args()
    labels, clips = (
        pd.concat([pd.DataFrame(), *map(read_table, paths)], ignore_index=True)
        for paths in (args.labels, args.clips)
    )
    write_table(args.summary, summarise_decoding(labels, clips))


if __name__ == "__main__":
    run(main)
