"""Estimate what can be predicted of each participant from the others who saw the film."""

import json
import logging
from pathlib import Path

import pandas as pd

from stim2bold.evaluation.ceiling import FEWEST, add_up, held_out_times, leave_one_out
from stim2bold.io.arrays import read_array, write_array
from stim2bold.io.files import read_json, write_table
from stim2bold.runtime.arguments import ListParser
from stim2bold.runtime.command import progress, run

logger = logging.getLogger("estimate_ceiling")


def main() -> None:
    """Correlate each participant with the mean of the others; write voxels and a table."""
    parser = ListParser(__doc__)
    parser.add_argument("--bold", type=Path, nargs="+", required=True, help="UNIT.nc")
    parser.add_argument("--folds", type=Path, required=True, help="which rows models are scored on")
    parser.add_argument("--table", type=Path, required=True, help="mean over voxels, to write")
    parser.add_argument("--voxels", type=Path, required=True, help="folder for UNIT.nc, to write")
    parser.add_argument(
        "--settings", type=json.loads, required=True, help="surrogates, draws, block and seed"
    )
    args = parser.parse_args()
    args.voxels.mkdir(parents=True, exist_ok=True)
    paths = {path.stem: path for path in args.bold}
    rows = []
    if len(paths) < FEWEST:
        logger.info("no ceiling: it takes at least %d participants", FEWEST)
    else:
        folds = held_out_times(read_json(args.folds))
        everyone = add_up(lambda name: read_array(paths[name]), list(paths), folds)
        for name, path in progress(paths.items(), "participants"):
            voxels, mean = leave_one_out(read_array(path), everyone, **args.settings)
            write_array(args.voxels / f"{name}.nc", voxels)
            rows.append((name, *mean, int(voxels["r"].notnull().sum())))
    write_table(args.table, pd.DataFrame(rows, columns=["unit", "r", "r_low", "r_high", "n"]))


if __name__ == "__main__":
    run(main)
