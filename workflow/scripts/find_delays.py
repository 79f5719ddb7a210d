"""Find by which delays a participant's BOLD follows the film, and whose response is flexible."""

import argparse
import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import xarray as xr

from stim2bold.evaluation.headlines import SIGNIFICANT
from stim2bold.evaluation.maps import statistic_map
from stim2bold.evaluation.metrics import correlation
from stim2bold.io.arrays import read_dataset, write_array
from stim2bold.io.files import read_json, replacing, write_table
from stim2bold.models.directions import Problem, read_problem
from stim2bold.models.flexible_delays import (
    best_delay,
    delay_shares,
    predict_by_delay,
    predict_flexible,
)
from stim2bold.models.folds import read_folds
from stim2bold.models.leakage import fit_record
from stim2bold.models.predictions import Fitted
from stim2bold.models.ridge import RidgeSettings
from stim2bold.runtime.command import run


def main() -> None:
    """Write what inner folds chose, each voxel's delays as NetCDF, and the map of the best."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--direction", required=True)
    parser.add_argument("--source", type=Path, nargs="+", required=True, help="feature spaces")
    parser.add_argument("--target", type=Path, required=True)
    parser.add_argument("--folds", type=Path, required=True)
    parser.add_argument("--scores", type=Path, required=True, help="voxels of score_predictions")
    parser.add_argument("--choices", type=Path, required=True, help="table to write")
    parser.add_argument("--delays", type=Path, required=True, help="NetCDF to write")
    parser.add_argument("--map", type=Path, required=True, help="image to write")
    parser.add_argument("--settings", type=json.loads, required=True, help="section baselines")
    args = parser.parse_args()
    content, settings = read_json(args.folds), RidgeSettings(**args.settings)
    folds = read_folds(content)
    problem = read_problem(args.direction, source=args.source, target=args.target, content=content)
    flexible = predict_flexible(problem, folds, settings)
    names = [path.stem for path in args.source]
    table = pd.DataFrame(
        {
            "fold": [fold.number for fold in folds],
            "flexible": [", ".join(names[i] for i in one) or "n/a" for one in flexible.flexible],
            "r_fixed": [mean_r(problem, flexible.fixed, fold.number) for fold in folds],
            "r_flexible": [mean_r(problem, flexible.fitted, fold.number) for fold in folds],
        }
    )
    write_table(args.choices, table)
    delays, parts = predict_by_delay(problem, folds, settings)
    shares = delay_shares(problem, folds, parts)
    bold = problem.target_array
    found = xr.DataArray(
        shares.astype(np.float32),
        dims=("delay", "voxel"),
        coords={
            "delay": ("delay", delays, {"units": "s"}),
            **{axis: bold[axis] for axis in "ijk"},
        },
        name="share",
        attrs={
            "units": "share of the agreement of prediction and BOLD",
            "source": "covariance of each delay's part of ridge's prediction with BOLD, all "
            "responses flexible",
            **fit_record(flexible.fitted.fitted, problem.extent),
        },
    )
    write_array(args.delays, found)
    significant = read_dataset(args.scores)["q"].sel(model="ridge").values < SIGNIFICANT
    best = np.where(significant, best_delay(delays, shares), np.nan)
    with replacing(args.map) as temporary:
        nib.save(statistic_map(best, bold, name="delay (s)"), temporary)


def mean_r(problem: Problem, fitted: Fitted, fold: int) -> float:
    """Return the mean correlation over voxels on a fold's held-out rows."""
    here = fitted.fold == fold
    truth = problem.target[fitted.rows[here] - problem.rows[0]]
    return float(np.nanmean(correlation(truth, fitted.values[here])))


if __name__ == "__main__":
    run(main)
