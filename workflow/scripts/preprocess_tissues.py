"""Split the brain of a T1w image into grey matter, white matter and fluid."""

import argparse
from pathlib import Path

import nibabel as nib
import numpy as np

from stim2bold.preprocessing.anatomy import labels, segment
from stim2bold.preprocessing.derivatives import write_sidecar
from stim2bold.preprocessing.images import save_image
from stim2bold.preprocessing.resampling import moved_points
from stim2bold.runtime.command import run


def main() -> None:
    """Read the command line, segment, save probabilities and labels."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--t1w", type=Path, required=True, help="without bias field")
    parser.add_argument("--mask", type=Path, required=True, help="brain in it")
    parser.add_argument("--inverse", type=Path, required=True, help="transform, template to T1w")
    parser.add_argument("--gm", type=Path, required=True, help="output: grey matter")
    parser.add_argument("--wm", type=Path, required=True, help="output: white matter")
    parser.add_argument("--csf", type=Path, required=True, help="output: fluid")
    parser.add_argument("--dseg", type=Path, required=True, help="output: tissue labels")
    parser.add_argument("--derivatives", type=Path, required=True, help="root of the outputs")
    arguments = parser.parse_args()
    t1w = nib.load(arguments.t1w)
    brain = np.asarray(nib.load(arguments.mask).dataobj) > 0

    tissues = segment(t1w, brain, moved_points(arguments.inverse, t1w))

    root = arguments.derivatives
    for name, path in (("GM", arguments.gm), ("WM", arguments.wm), ("CSF", arguments.csf)):
        save_image(path, tissues[name], t1w.affine)
        write_sidecar(path, root, sources=[arguments.t1w, arguments.inverse])
    save_image(arguments.dseg, labels(tissues, brain), t1w.affine, dtype=np.uint8)
    write_sidecar(arguments.dseg, root, sources=[arguments.gm, arguments.wm, arguments.csf])


if __name__ == "__main__":
    run(main)
