"""Say what is lost of one participant's BOLD without each feature space, and each modality."""

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from stim2bold.evaluation.left_out_spaces import left_out, losses
from stim2bold.io.arrays import read_array, write_array
from stim2bold.io.files import read_json, write_table
from stim2bold.models.directions import assemble
from stim2bold.models.folds import read_folds
from stim2bold.models.leakage import fit_record
from stim2bold.models.ridge import RidgeSettings
from stim2bold.runtime.command import run
from stim2bold.runtime.errors import InputError


def main() -> None:
    """Write the losses as a table, and each voxel's as NetCDF."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unit", required=True)
    parser.add_argument("--tables", type=Path, nargs="+", required=True, help="features at the TRs")
    parser.add_argument("--bold", type=Path, required=True)
    parser.add_argument("--folds", type=Path, required=True)
    parser.add_argument("--losses", type=Path, required=True, help="table to write")
    parser.add_argument("--voxels", type=Path, required=True, help="NetCDF to write")
    parser.add_argument(
        "--settings",
        type=json.loads,
        required=True,
        help="section baselines; groups: names of tables that are left out together, by name",
    )
    args = parser.parse_args()
    groups, draws, block, seed = (
        args.settings.pop(key) for key in ("groups", "resamplings", "block", "resampling_seed")
    )
    if not groups:
        raise InputError(
            args.losses,
            "there is one feature space, and nothing is left without it",
            "name several in sources",
        )
    content = read_json(args.folds)
    bold = read_array(args.bold)
    names = [path.stem for path in args.tables]
    problem = assemble(
        "partition", source=[read_array(p) for p in args.tables], target=bold, content=content
    )
    numbers = [[names.index(space) for space in spaces] for spaces in groups.values()]
    found = left_out(problem, read_folds(content), RidgeSettings(**args.settings), numbers)
    seconds = bold["time"].values[found.rows - problem.rows[0]]
    loss, (low, high) = losses(found, np.floor(seconds / block), seed=seed, n=draws)
    table = pd.DataFrame({"left_out": list(groups), "loss": loss, "low": low, "high": high})
    table.insert(0, "unit", args.unit)
    table["n"] = found.by_voxel.shape[1]
    write_table(args.losses, table)
    voxels = xr.DataArray(
        found.by_voxel.astype(np.float32),
        dims=("left_out", "voxel"),
        coords={"left_out": list(groups), **{axis: bold[axis] for axis in "ijk"}},
        name="loss",
        attrs={
            "units": "share of the voxel's variance",
            "source": "R2 of banded ridge with all feature spaces less that without these",
            **fit_record(found.fitted, problem.extent),
        },
    )
    write_array(args.voxels, voxels)


if __name__ == "__main__":
    run(main)
