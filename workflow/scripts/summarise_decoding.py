"""Summarise decoded labels and retrieved clips over participants."""

from pathlib import Path

import pandas as pd

from stim2bold.arguments import ListParser
from stim2bold.circular_shifts import block_period
from stim2bold.command import run
from stim2bold.decoding_summary import shared_shifts, summarise_decoding
from stim2bold.files import read_json, read_table, write_table


def main() -> None:
    """Read the units' tables, write one row a measure."""
    parser = ListParser(__doc__)
    parser.add_argument("--labels", type=Path, nargs="*", default=[], help="scores of labels")
    parser.add_argument("--clips", type=Path, nargs="*", default=[], help="scores of clips")
    parser.add_argument("--timelines", type=Path, nargs="*", default=[], help="decoded labels")
    parser.add_argument("--nulls", type=Path, nargs="*", default=[], help="of clips, each shift")
    parser.add_argument("--folds", type=Path, required=True)
    parser.add_argument("--summary", type=Path, required=True)
    args = parser.parse_args()
    labels, clips, nulls = (
        pd.concat([pd.DataFrame(), *map(read_table, paths)], ignore_index=True)
        for paths in (args.labels, args.clips, args.nulls)
    )
    content = read_json(args.folds)
    # ORIGIN/UNIT_timeline.tsv
    by_origin = {}
    for path in args.timelines:
        by_origin.setdefault(path.parent.name, []).append(path)
    gains = {
        origin: shared_shifts(
            [read_table(path) for path in paths], tr=content["TR"], period=block_period(content)
        )
        for origin, paths in by_origin.items()
    }
    write_table(args.summary, summarise_decoding(labels, clips, gains=gains, nulls=nulls))


if __name__ == "__main__":
    run(main)
