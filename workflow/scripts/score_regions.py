"""Test which regions follow a prediction, in each participant and over all of them."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from nibabel.affines import apply_affine

from stim2bold.evaluation.group_map import gather, group_and_each, predicted_reader
from stim2bold.evaluation.maps import grid
from stim2bold.evaluation.region_scores import region_scores
from stim2bold.evaluation.regions import near_landmarks
from stim2bold.io.arrays import read_array
from stim2bold.io.files import write_table
from stim2bold.runtime.arguments import ListParser
from stim2bold.runtime.command import run


def main() -> None:
    """Read everybody's BOLD and predictions, write one row a unit and region."""
    parser = ListParser(__doc__)
    parser.add_argument("--bold", type=Path, nargs="+", required=True, help="one a participant")
    parser.add_argument("--predictions", type=Path, nargs="+", required=True, help="likewise")
    parser.add_argument("--strengths", type=Path, nargs="+", required=True, help="likewise")
    parser.add_argument("--table", type=Path, required=True, help="to write")
    parser.add_argument("--settings", type=json.loads, required=True, help="seed")
    args = parser.parse_args()
    names = [path.stem for path in args.bold]
    read = predicted_reader(names, args.bold, args.predictions, args.strengths)
    affine, shape = grid(read_array(args.bold[0]))
    tables = []
    for unit, members in group_and_each(names).items():
        group = gather(read, members)
        points = apply_affine(affine, np.column_stack(np.unravel_index(group.places, shape)))
        table = region_scores(group, near_landmarks(points), seed=args.settings["seed"])
        table.insert(0, "unit", unit)
        tables.append(table)
    write_table(args.table, pd.concat(tables, ignore_index=True))


if __name__ == "__main__":
    run(main)
