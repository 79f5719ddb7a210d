"""Estimate the rigid transform from a BOLD reference to the T1w image."""

import argparse
from pathlib import Path

from stim2bold.preprocessing.images import masked
from stim2bold.preprocessing.itk_affines import write_matrices
from stim2bold.preprocessing.registration import align_rigid
from stim2bold.runtime.command import run


def main() -> None:
    """Read the command line, register, save the transform."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reference", type=Path, required=True, help="without bias field")
    parser.add_argument("--reference-mask", type=Path, required=True)
    parser.add_argument("--t1w", type=Path, required=True, help="without bias field")
    parser.add_argument("--t1w-mask", type=Path, required=True)
    parser.add_argument("--transform", type=Path, required=True, help="output: ITK transform")
    arguments = parser.parse_args()

    matrix = align_rigid(
        masked(arguments.reference, arguments.reference_mask),
        masked(arguments.t1w, arguments.t1w_mask),
    )

    write_matrices(arguments.transform, matrix)


if __name__ == "__main__":
    run(main)
