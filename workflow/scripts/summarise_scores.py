"""Summarise the scores of all units, one row per direction and model; say who is in them."""

from pathlib import Path

import pandas as pd

from stim2bold.evaluation.summary import participants_table, summarise
from stim2bold.io.arrays import read_dataset
from stim2bold.io.files import read_json, read_table, write_table
from stim2bold.runtime.arguments import ListParser
from stim2bold.runtime.command import run


def main() -> None:
    """Read the units' long tables, write the summary."""
    parser = ListParser(__doc__)
    parser.add_argument("--scores", type=Path, nargs="+", required=True)
    parser.add_argument(
        "--voxels", type=Path, nargs="+", required=True, help="DIRECTION/UNIT_voxels.nc, with nulls"
    )
    parser.add_argument("--inputs", type=Path, required=True, help="inputs.json: who is missing")
    parser.add_argument("--summary", type=Path, required=True)
    parser.add_argument(
        "--participants", type=Path, required=True, help="table to write: who is in, who is not"
    )
    args = parser.parse_args()
    write_table(args.participants, participants_table(read_json(args.inputs)))
    nulls = {
        (path.parent.name, path.stem.removesuffix("_voxels")): read_dataset(path)["null"]
        for path in args.voxels
    }
    scores = pd.concat([read_table(path) for path in args.scores])
    write_table(args.summary, summarise(scores, nulls))


if __name__ == "__main__":
    run(main)
