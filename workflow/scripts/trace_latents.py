"""Trace the course that the latents of the group's VAE take through the film."""

import argparse
from pathlib import Path

from stim2bold.io.arrays import write_array
from stim2bold.io.files import read_json
from stim2bold.models.directions import read_problem
from stim2bold.models.folds import read_folds
from stim2bold.runtime.command import run
from stim2bold.vae.latent_course import latent_course
from stim2bold.vae.storage import read_model


def main() -> None:
    """Write the leading dimensions of the course, on held-out rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--direction", required=True)
    parser.add_argument("--source", type=Path, nargs="+", required=True, help="feature spaces")
    parser.add_argument("--target", type=Path, required=True, help="BOLD of any member")
    parser.add_argument("--folds", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True, help="safetensors of train_group")
    parser.add_argument("--course", type=Path, required=True, help="NetCDF to write")
    args = parser.parse_args()
    content = read_json(args.folds)
    problem = read_problem(args.direction, source=args.source, target=args.target, content=content)
    write_array(args.course, latent_course(problem, read_folds(content), *read_model(args.model)))


if __name__ == "__main__":
    run(main)
