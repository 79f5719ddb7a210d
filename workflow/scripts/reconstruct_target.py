"""Bring the target itself through the latents of a unit's trained model."""

import argparse
from pathlib import Path

from stim2bold.io.arrays import write_array
from stim2bold.io.files import read_json
from stim2bold.models.directions import read_problem
from stim2bold.models.folds import read_folds
from stim2bold.runtime.command import run
from stim2bold.vae.reconstruction import reconstruct
from stim2bold.vae.storage import read_model


def main() -> None:
    """Write the held-out rows of the target as the model's latents hold them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--direction", required=True)
    parser.add_argument("--source", type=Path, nargs="+", required=True, help="feature spaces")
    parser.add_argument("--target", type=Path, required=True)
    parser.add_argument("--folds", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True, help="safetensors of train_vae")
    parser.add_argument("--reconstruction", type=Path, required=True, help="NetCDF to write")
    args = parser.parse_args()
    content = read_json(args.folds)
    problem = read_problem(args.direction, source=args.source, target=args.target, content=content)
    again = reconstruct(problem, read_folds(content), *read_model(args.model))
    write_array(args.reconstruction, again)


if __name__ == "__main__":
    run(main)
