"""Score labels and clips decoded from several brains together."""

import json
from pathlib import Path

import numpy as np

from stim2bold.decoding.clips import Retrieval
from stim2bold.decoding.pooled import pool_clips, pool_labels, pooled_table
from stim2bold.io.arrays import read_array
from stim2bold.io.files import read_json, read_table, write_table
from stim2bold.models.circular_shifts import block_period
from stim2bold.runtime.arguments import ListParser
from stim2bold.runtime.command import run


def read_retrieval(components: Path, film: Path) -> Retrieval:
    """Read what `retrieve_clips.py` wrote of a participant."""
    told, shown = read_array(components), read_array(film)
    numbers = shown["of_fold"].values.tolist()
    return Retrieval(
        told.values,
        told["row"].values,
        told["fold"].values,
        dict(zip(numbers, shown.values, strict=True)),
        told.attrs["chance_spread"],
    )


def main() -> None:
    """Read everybody's labels and clips, write one table."""
    parser = ListParser(__doc__)
    parser.add_argument("--timelines", type=Path, nargs="*", default=[], help="decoded labels")
    parser.add_argument("--labels", type=Path, nargs="*", default=[], help="their scores")
    parser.add_argument("--components", type=Path, nargs="+", required=True, help="told by BOLD")
    parser.add_argument("--films", type=Path, nargs="+", required=True, help="in their components")
    parser.add_argument("--folds", type=Path, required=True)
    parser.add_argument("--table", type=Path, required=True, help="to write")
    parser.add_argument(
        "--settings",
        type=json.loads,
        required=True,
        help="fewest of section decoding; segment, draws and seed of section evaluation",
    )
    args = parser.parse_args()
    settings, content = args.settings, read_json(args.folds)
    shared = {"period": block_period(content), "seed": settings["seed"]}
    rows: list[dict] = []
    if args.timelines:
        scores = [read_table(path) for path in args.labels]
        spread = [one.loc[one["measure"] == "chance_spread", "value"].iloc[0] for one in scores]
        rows += pool_labels(
            [read_table(path) for path in args.timelines],
            spread=float(np.mean(spread)),
            fewest=settings["fewest"],
            **shared,
        )
    rows += pool_clips(
        [read_retrieval(*pair) for pair in zip(args.components, args.films, strict=True)],
        seconds=settings["segment"],
        tr=content["TR"],
        draws=settings["draws"],
        **shared,
    )
    write_table(args.table, pooled_table(rows))


if __name__ == "__main__":
    run(main)
