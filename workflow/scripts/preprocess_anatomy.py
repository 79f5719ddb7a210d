"""Prepare a T1w image: cubic voxels, bias field, brain."""

import argparse
import json
from pathlib import Path

import numpy as np

from stim2bold.preprocessing.anatomy import AnatomySettings, prepare_anatomy
from stim2bold.preprocessing.derivatives import write_sidecar
from stim2bold.preprocessing.images import read_volume, save_image
from stim2bold.runtime.command import run


def main() -> None:
    """Read the command line, prepare the image, save what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--t1w", type=Path, required=True, help="raw")
    parser.add_argument("--preprocessed", type=Path, required=True, help="output: T1w")
    parser.add_argument("--mask", type=Path, required=True, help="output: brain")
    parser.add_argument("--derivatives", type=Path, required=True, help="root of the outputs")
    parser.add_argument(
        "--settings",
        type=lambda text: AnatomySettings(**json.loads(text)),
        required=True,
        help="configuration section preprocessing.anatomy",
    )
    arguments = parser.parse_args()

    t1w, brain = prepare_anatomy(read_volume(arguments.t1w), arguments.settings)

    root = arguments.derivatives
    save_image(arguments.preprocessed, np.asarray(t1w.dataobj), t1w.affine)
    write_sidecar(arguments.preprocessed, root, sources=[arguments.t1w], SkullStripped=False)
    save_image(arguments.mask, brain, t1w.affine, dtype=np.uint8)
    write_sidecar(arguments.mask, root, sources=[arguments.preprocessed], Type="Brain")


if __name__ == "__main__":
    run(main)
