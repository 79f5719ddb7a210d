"""Estimate the motion of the head in every volume of a BOLD series."""

import argparse
import json
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy import ndimage

from stim2bold.preprocessing.head_motion import MotionSettings, estimate_motion
from stim2bold.preprocessing.images import read_series
from stim2bold.preprocessing.itk_affines import write_matrices
from stim2bold.runtime.command import run


def main() -> None:
    """Read the command line, align each volume, save the transforms."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bold", type=Path, required=True, help="raw series")
    parser.add_argument("--reference", type=Path, required=True)
    parser.add_argument("--mask", type=Path, required=True, help="brain in the reference")
    parser.add_argument("--motion", type=Path, required=True, help="output: ITK transforms")
    parser.add_argument(
        "--settings",
        type=lambda text: MotionSettings(**json.loads(text)),
        required=True,
        help="configuration section preprocessing.motion",
    )
    arguments = parser.parse_args()
    brain = np.asarray(nib.load(arguments.mask).dataobj) > 0

    motion = estimate_motion(
        read_series(arguments.bold),
        nib.load(arguments.reference),
        ndimage.binary_dilation(brain),
        arguments.settings,
    )

    write_matrices(arguments.motion, motion)


if __name__ == "__main__":
    run(main)
