"""Train the variational autoencoder of one unit and predict what was held out."""

import argparse
import json
from functools import partial
from pathlib import Path

from stim2bold.io.arrays import write_array
from stim2bold.io.files import read_json, write_table
from stim2bold.models.directions import read_problem
from stim2bold.models.folds import read_folds
from stim2bold.models.predictions import prediction_array
from stim2bold.runtime.command import progress, run
from stim2bold.runtime.devices import use_threads
from stim2bold.vae.settings import settings_of
from stim2bold.vae.storage import write_model
from stim2bold.vae.training import fit


def main() -> None:
    """Write prediction, model and history."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--direction", required=True)
    parser.add_argument("--source", type=Path, nargs="+", required=True, help="feature spaces")
    parser.add_argument("--target", type=Path, required=True)
    parser.add_argument("--folds", type=Path, required=True)
    parser.add_argument("--prediction", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True, help="safetensors; .json goes beside")
    parser.add_argument("--history", type=Path, required=True)
    parser.add_argument("--diagnostics", type=Path, required=True)
    parser.add_argument(
        "--checkpoints", type=Path, required=True, help="stem; deleted when training has ended"
    )
    parser.add_argument(
        "--settings", type=json.loads, required=True, help="configuration section vae"
    )
    args = parser.parse_args()
    use_threads(1)
    content = read_json(args.folds)
    problem = read_problem(args.direction, source=args.source, target=args.target, content=content)
    trained = fit(
        problem,
        read_folds(content),
        settings_of(args.settings),
        progress=partial(progress, description="steps"),
        checkpoints=args.checkpoints,
    )
    out = prediction_array(
        problem,
        trained.fitted,
        model="vae",
        preset=args.settings["preset"],
        sources=[path.name for path in args.source],
        target=args.target.name,
    )
    write_array(args.prediction, out)
    write_model(args.model, trained.tensors, trained.record)
    write_table(args.history, trained.history)
    write_table(args.diagnostics, trained.diagnostics)


if __name__ == "__main__":
    run(main)
