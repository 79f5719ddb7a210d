"""Prepare a T1w image: bias field, brain, tissues."""

import argparse
import json
from pathlib import Path

import numpy as np

from stim2bold.command import run
from stim2bold.derivatives import write_sidecar
from stim2bold.images import read_volume, save_image
from stim2bold.t1w import AnatomySettings, labels, prepare_anatomy


def main() -> None:
    """Read the command line, prepare the image, save what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--t1w", type=Path, required=True)
    parser.add_argument("--preprocessed", type=Path, required=True, help="output: T1w")
    parser.add_argument("--mask", type=Path, required=True, help="output: brain")
    parser.add_argument("--gm", type=Path, required=True, help="output: grey matter")
    parser.add_argument("--wm", type=Path, required=True, help="output: white matter")
    parser.add_argument("--csf", type=Path, required=True, help="output: fluid")
    parser.add_argument("--dseg", type=Path, required=True, help="output: tissue labels")
    parser.add_argument("--derivatives", type=Path, required=True, help="root of the outputs")
    parser.add_argument(
        "--settings",
        type=lambda text: AnatomySettings(**json.loads(text)),
        required=True,
        help="configuration section preprocessing.anatomy",
    )
    arguments = parser.parse_args()

    anatomy = prepare_anatomy(read_volume(arguments.t1w), arguments.settings)

    affine = anatomy.t1w.affine
    root = arguments.derivatives
    save_image(arguments.preprocessed, np.asarray(anatomy.t1w.dataobj), affine)
    write_sidecar(arguments.preprocessed, root, sources=[arguments.t1w], SkullStripped=False)
    save_image(arguments.mask, anatomy.brain, affine, dtype=np.uint8)
    write_sidecar(arguments.mask, root, sources=[arguments.preprocessed], Type="Brain")
    for name, path in (("GM", arguments.gm), ("WM", arguments.wm), ("CSF", arguments.csf)):
        save_image(path, anatomy.tissues[name], affine)
        write_sidecar(path, root, sources=[arguments.preprocessed])
    save_image(arguments.dseg, labels(anatomy.tissues, anatomy.brain), affine, dtype=np.uint8)
    write_sidecar(arguments.dseg, root, sources=[arguments.gm, arguments.wm, arguments.csf])


if __name__ == "__main__":
    run(main)
