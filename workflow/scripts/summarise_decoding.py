"""Summarise decoded labels and retrieved clips over participants."""

from pathlib import Path

import pandas as pd

from stim2bold.decoding.summary import film_p, summarise_decoding
from stim2bold.io.files import read_table, write_table
from stim2bold.runtime.arguments import ListParser
from stim2bold.runtime.command import run


def main() -> None:
    """Read the units' tables, write one row a measure."""
    parser = ListParser(__doc__)
    parser.add_argument("--labels", type=Path, nargs="*", default=[], help="scores of labels")
    parser.add_argument("--clips", type=Path, nargs="*", default=[], help="scores of clips")
    parser.add_argument("--timelines", type=Path, nargs="*", default=[], help="decoded labels")
    parser.add_argument("--nulls", type=Path, nargs="*", default=[], help="of clips, each shift")
    parser.add_argument("--summary", type=Path, required=True)
    args = parser.parse_args()
    labels, clips, nulls = (
        pd.concat([pd.DataFrame(), *map(read_table, paths)], ignore_index=True)
        for paths in (args.labels, args.clips, args.nulls)
    )
    # ORIGIN/UNIT_timeline.tsv
    by_origin = {}
    for path in args.timelines:
        by_origin.setdefault(path.parent.name, []).append(path)
    film = {}
    for origin, paths in by_origin.items():
        own = labels[(labels["origin"] == origin) & (labels["measure"] == "chance_spread")]
        film[origin] = film_p([read_table(path) for path in paths], spread=own["value"].mean())
    write_table(args.summary, summarise_decoding(labels, clips, film=film, nulls=nulls))


if __name__ == "__main__":
    run(main)
