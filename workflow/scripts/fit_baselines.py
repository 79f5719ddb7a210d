"""Fit the baselines of one unit: what is known without the source, and linear models of it."""

import argparse
import json
import logging
from pathlib import Path

import numpy as np

from stim2bold.evaluation.null_inflation import chance_spread
from stim2bold.io.arrays import read_array, write_array
from stim2bold.io.files import read_json
from stim2bold.models.baselines import fit_baselines
from stim2bold.models.directions import read_problem
from stim2bold.models.folds import read_folds
from stim2bold.models.predictions import prediction_array, training_strength
from stim2bold.models.ridge import RidgeSettings
from stim2bold.runtime.command import run


def main() -> None:
    """Write one prediction file for each baseline."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--direction", required=True)
    parser.add_argument("--source", type=Path, nargs="+", required=True, help="feature spaces")
    parser.add_argument("--target", type=Path, required=True)
    parser.add_argument(
        "--known",
        type=Path,
        nargs="+",
        required=True,
        help="what is known of the film at the TRs: blocks.nc and others, by their names",
    )
    parser.add_argument("--folds", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder for MODEL.nc")
    parser.add_argument(
        "--strength", type=Path, required=True, help="NetCDF to write: ridge inside training"
    )
    parser.add_argument(
        "--settings", type=json.loads, required=True, help="configuration section baselines"
    )
    args = parser.parse_args()
    content = read_json(args.folds)
    problem = read_problem(args.direction, source=args.source, target=args.target, content=content)
    folds, settings = read_folds(content), RidgeSettings(**args.settings)
    fits = fit_baselines(
        problem,
        folds,
        content=content,
        known={path.stem: read_array(path) for path in args.known},
        settings=settings,
    )
    for name, fitted in fits:
        out = prediction_array(
            problem,
            fitted,
            model=name,
            sources=[path.name for path in args.source],
            target=args.target.name,
        )
        write_array(args.out / f"{name}.nc", out)
        logging.info("%s: %d rows, %d targets", name, *np.atleast_2d(fitted.values).shape)
        if name == "ridge":
            spread = chance_spread(problem, folds, settings)
            logging.info("chance spreads %.2f times as wide as random phases tell", spread)
            write_array(args.strength, training_strength(problem, fitted, spread=spread))


if __name__ == "__main__":
    run(main)
