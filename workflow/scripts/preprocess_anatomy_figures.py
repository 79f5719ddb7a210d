"""Draw a T1w image with its tissues, and in template space with the template's."""

import argparse
from pathlib import Path

import nibabel as nib
import numpy as np

from stim2bold.preprocessing.anatomy import LABELS
from stim2bold.preprocessing.figures import GREEN, ORANGE, SKY, save_figure
from stim2bold.preprocessing.mosaics import mosaic
from stim2bold.preprocessing.registration import template
from stim2bold.preprocessing.resampling import moved_image
from stim2bold.runtime.command import run


def main() -> None:
    """Read the command line, draw, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--t1w", type=Path, required=True)
    parser.add_argument("--mask", type=Path, required=True, help="brain in it")
    parser.add_argument("--dseg", type=Path, required=True, help="tissue labels")
    parser.add_argument("--normalisation", type=Path, required=True, help="T1w to template")
    parser.add_argument("--tissues", type=Path, required=True, help="output: figure")
    parser.add_argument("--normalised", type=Path, required=True, help="output: figure")
    parser.add_argument("--template", type=Path, required=True, help="output: figure")
    arguments = parser.parse_args()
    t1w, mask, dseg = map(nib.load, (arguments.t1w, arguments.mask, arguments.dseg))
    grey, white = (
        nib.Nifti1Image((np.asarray(dseg.dataobj) == LABELS[name]).astype(np.float32), dseg.affine)
        for name in ("GM", "WM")
    )
    name = arguments.t1w.name.split("_desc-")[0]

    figure = mosaic(
        t1w,
        mask,
        contours=[
            (mask, 0.5, ORANGE, "brain"),
            (grey, 0.5, SKY, "grey matter"),
            (white, 0.5, GREEN, "white matter"),
        ],
        title=f"{name}: brain and tissues",
    )
    save_figure(figure, arguments.tissues)

    target = template("mask", 1)
    moved = moved_image(t1w, arguments.normalisation, target)
    lines = [
        (target, 0.5, ORANGE, "template's brain"),
        (template("GM", 1), 0.5, SKY, "template's grey matter"),
        (template("WM", 1), 0.5, GREEN, "template's white matter"),
    ]
    for image, title, path in (
        (moved, f"{name}: in template space", arguments.normalised),
        (template("T1w", 1), f"{name}: the template there", arguments.template),
    ):
        save_figure(mosaic(image, target, contours=lines, title=title), path)


if __name__ == "__main__":
    run(main)
