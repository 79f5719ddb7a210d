"""Try whether the models of one unit leak: fit one fold again beside noise, and compare."""

import argparse
import json
from pathlib import Path

import pandas as pd

from stim2bold.io.arrays import read_array
from stim2bold.io.files import read_json, write_table
from stim2bold.models.baselines import baseline_models
from stim2bold.models.directions import read_problem
from stim2bold.models.folds import read_folds
from stim2bold.models.leakage_trial import try_model
from stim2bold.models.ridge import RidgeSettings
from stim2bold.runtime.command import progress, run
from stim2bold.runtime.devices import use_threads
from stim2bold.runtime.errors import InputError
from stim2bold.vae.settings import settings_of
from stim2bold.vae.training import fit


def main() -> None:
    """Write what moved, model by model, or fail where an earlier prediction did."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--direction", required=True)
    parser.add_argument("--source", type=Path, nargs="+", required=True, help="feature spaces")
    parser.add_argument("--target", type=Path, required=True)
    parser.add_argument("--known", type=Path, nargs="+", required=True, help="tables of the film")
    parser.add_argument("--folds", type=Path, required=True)
    parser.add_argument("--fold", type=int, required=True, help="its number")
    parser.add_argument("--trial", type=Path, required=True, help="the table to write")
    parser.add_argument(
        "--settings", type=json.loads, required=True, help="sections baselines and vae"
    )
    args = parser.parse_args()
    use_threads(1)
    content = read_json(args.folds)
    chosen = [fold for fold in read_folds(content) if fold.number == args.fold]
    if not chosen:
        raise InputError(
            args.folds, f"has no fold {args.fold}", f"ask for one below {len(content['folds'])}"
        )
    problem = read_problem(args.direction, source=args.source, target=args.target, content=content)
    models = baseline_models(
        problem,
        content=content,
        known={path.stem: read_array(path) for path in args.known},
        settings=RidgeSettings(**args.settings["baselines"]),
    )
    vae = settings_of(args.settings["vae"])
    models["vae"] = (problem, lambda part, folds: fit(part, folds, vae).fitted)
    found = {
        name: try_model(predict, own, chosen[0])
        for name, (own, predict) in progress(models.items(), "models")
    }
    table = pd.DataFrame({name: vars(trial) for name, trial in found.items()}).T
    write_table(args.trial, table.rename_axis("model").reset_index())
    moved = [name for name, trial in found.items() if trial.moved]
    if moved:
        raise InputError(
            args.trial,
            (
                f"predictions of {', '.join(moved)} change with what was held out of fold "
                f"{args.fold}: this is an error of the software"
            ),
            "please report it",
        )


if __name__ == "__main__":
    run(main)
