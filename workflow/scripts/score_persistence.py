"""Score how well each volume is predicted by the one before it, in every participant."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd

from stim2bold.evaluation.ceiling import held_out_times
from stim2bold.evaluation.persistence import persistence_error, persistence_r
from stim2bold.io.arrays import read_array
from stim2bold.io.files import read_json, write_table
from stim2bold.runtime.arguments import ListParser
from stim2bold.runtime.command import progress, run


def main() -> None:
    """Read everybody's BOLD, before and after cleaning, write one row a participant."""
    parser = ListParser(__doc__)
    parser.add_argument("--bold", type=Path, nargs="+", required=True, help="one a participant")
    parser.add_argument("--series", type=Path, nargs="+", required=True, help="one a run")
    parser.add_argument("--masks", type=Path, nargs="+", required=True, help="likewise")
    parser.add_argument("--units", nargs="+", required=True, help="whose run it is, likewise")
    parser.add_argument("--folds", type=Path, required=True)
    parser.add_argument("--table", type=Path, required=True, help="to write")
    args = parser.parse_args()
    errors: dict[str, list[float]] = {}
    runs = list(zip(args.units, args.series, args.masks, strict=True))
    for unit, series, mask in progress(runs, description="runs"):
        values = np.asanyarray(nib.load(series).dataobj)
        inside = np.asarray(nib.load(mask).dataobj) > 0
        errors.setdefault(unit, []).append(persistence_error(values, inside))
    folds = held_out_times(read_json(args.folds))
    rows = [
        (path.stem, persistence_r(read_array(path), folds), np.mean(errors[path.stem]))
        for path in args.bold
    ]
    write_table(args.table, pd.DataFrame(rows, columns=["unit", "r", "mse"]))


if __name__ == "__main__":
    run(main)
