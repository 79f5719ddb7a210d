"""Split what is explained of one participant's BOLD between video, sound and annotations."""

import argparse
import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import xarray as xr

from stim2bold.evaluation.maps import statistic_map
from stim2bold.io.arrays import read_array, write_array
from stim2bold.io.files import read_json, replacing, write_table
from stim2bold.models.directions import assemble
from stim2bold.models.folds import read_folds
from stim2bold.models.leakage import fit_record
from stim2bold.models.ridge import RidgeSettings
from stim2bold.models.variance_partition import partition, shares
from stim2bold.runtime.command import run


def main() -> None:
    """Write the shares as a table, each voxel's as NetCDF, and a map a space."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unit", required=True)
    parser.add_argument("--tables", type=Path, nargs="+", required=True, help="features at the TRs")
    parser.add_argument("--bold", type=Path, required=True)
    parser.add_argument("--folds", type=Path, required=True)
    parser.add_argument("--shares", type=Path, required=True, help="table to write")
    parser.add_argument("--voxels", type=Path, required=True, help="NetCDF to write")
    parser.add_argument("--maps", type=Path, nargs="+", required=True, help="images, one a space")
    parser.add_argument(
        "--settings", type=json.loads, required=True, help="section baselines, names of the spaces"
    )
    args = parser.parse_args()
    spaces, draws, block, seed = (
        args.settings.pop(key) for key in ("spaces", "resamplings", "block", "resampling_seed")
    )
    settings = RidgeSettings(**args.settings)
    content = read_json(args.folds)
    bold = read_array(args.bold)
    tables = [read_array(path) for path in args.tables]
    problem = assemble("partition", source=tables, target=bold, content=content)
    split = partition(problem, read_folds(content), settings)
    seconds = bold["time"].values[split.rows - problem.rows[0]]
    share, (low, high) = shares(split.by_row, np.floor(seconds / block), seed=seed, n=draws)
    table = pd.DataFrame(
        {"unit": args.unit, "space": spaces, "share": share, "low": low, "high": high}
    )
    table["n"] = len(split.by_voxel[0])
    write_table(args.shares, table)
    voxels = xr.DataArray(
        split.by_voxel.astype(np.float32),
        dims=("space", "voxel"),
        coords={"space": spaces, **{axis: bold[axis] for axis in "ijk"}},
        name="explained",
        attrs={
            "units": "share of the voxel's variance",
            "source": "covariance of each space's part of banded ridge's prediction with BOLD",
            **fit_record(split.fitted, problem.extent),
        },
    )
    write_array(args.voxels, voxels)
    for path, values in zip(args.maps, split.by_voxel, strict=True):
        with replacing(path) as temporary:
            nib.save(statistic_map(values, bold, name="explained"), temporary)


if __name__ == "__main__":
    run(main)
