"""Score every model's predictions of one unit."""

import argparse
import json
from pathlib import Path

import nibabel as nib
import numpy as np

from stim2bold.evaluation.scoring import EvaluationSettings, score_unit
from stim2bold.io.arrays import read_array, write_array
from stim2bold.io.files import write_table
from stim2bold.runtime.command import run


def main() -> None:
    """Write the long table of scores, and r and its significance of each voxel or mel band."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--direction", required=True)
    parser.add_argument("--unit", required=True)
    parser.add_argument("--target", type=Path, required=True)
    parser.add_argument(
        "--predictions", type=Path, nargs="+", required=True, help="MODEL.nc, mean.nc among them"
    )
    parser.add_argument(
        "--kinds", type=Path, required=True, help="blocks.nc: kinds of block at the TRs"
    )
    parser.add_argument(
        "--strength", type=Path, required=True, help="ridge's score of each target inside training"
    )
    parser.add_argument("--scores", type=Path, required=True)
    parser.add_argument("--voxels", type=Path, required=True, help="NetCDF to write")
    parser.add_argument(
        "--signal-mask", type=Path, help="NIfTI mask of planted voxels; for tests and benchmarks"
    )
    parser.add_argument(
        "--settings", type=json.loads, required=True, help="configuration section evaluation"
    )
    args = parser.parse_args()
    target = read_array(args.target)
    predictions = {path.stem: read_array(path) for path in args.predictions}
    signal = None
    if args.signal_mask is not None:
        mask = np.asanyarray(nib.load(args.signal_mask).dataobj) > 0
        signal = mask[tuple(target[axis].values.astype(int) for axis in "ijk")]
    table, columns = score_unit(
        target,
        predictions,
        strength=read_array(args.strength),
        settings=EvaluationSettings(**args.settings),
        signal=signal,
        kinds=read_array(args.kinds),
    )
    table.insert(0, "unit", args.unit)
    table.insert(1, "direction", args.direction)
    write_table(args.scores, table)
    write_array(args.voxels, columns)


if __name__ == "__main__":
    run(main)
