"""Draw what tells whether a BOLD run was preprocessed well."""

import argparse
import json
from pathlib import Path

import nibabel as nib
import numpy as np

from stim2bold.io.files import read_table
from stim2bold.preprocessing.anatomy import LABELS
from stim2bold.preprocessing.figures import (
    GREEN,
    ORANGE,
    carpet_figure,
    motion_figure,
    save_figure,
    tsnr,
)
from stim2bold.preprocessing.itk_affines import read_matrices
from stim2bold.preprocessing.mosaics import mosaic
from stim2bold.preprocessing.registration import template
from stim2bold.preprocessing.resampling import apply, sample, template_tissues, voxel_points
from stim2bold.preprocessing.scan_clock import header_TR
from stim2bold.runtime.command import run


def main() -> None:
    """Read the command line, draw, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=Path, required=True, help="in template space")
    parser.add_argument("--mask", type=Path, required=True, help="brain in it")
    parser.add_argument("--confounds", type=Path, required=True)
    parser.add_argument("--reference", type=Path, required=True, help="BOLD reference")
    parser.add_argument("--reference-mask", type=Path, required=True)
    parser.add_argument("--coregistration", type=Path, nargs="?", help="BOLD reference to T1w")
    parser.add_argument("--t1w", type=Path, nargs="?")
    parser.add_argument("--dseg", type=Path, nargs="?", help="tissues of the T1w")
    parser.add_argument("--settings", type=json.loads, required=True, help="of the confounds")
    parser.add_argument("--carpet", type=Path, required=True, help="output: figure")
    parser.add_argument("--motion", type=Path, required=True, help="output: figure")
    parser.add_argument("--alignment", type=Path, required=True, help="output: figure")
    parser.add_argument("--anatomy", type=Path, required=True, help="output: figure")
    parser.add_argument("--normalised", type=Path, required=True, help="output: figure")
    parser.add_argument("--template", type=Path, required=True, help="output: figure")
    parser.add_argument("--tsnr", type=Path, required=True, help="output: figure")
    arguments = parser.parse_args()
    name = arguments.series.name.split("_space-")[0]
    draw_series(arguments, name)
    draw_alignment(arguments, name)


def draw_series(arguments: argparse.Namespace, name: str) -> None:
    """Draw the series over time, and its mean and signal-to-noise ratio in template space."""
    series = nib.load(arguments.series)
    TR = header_TR(series.header)
    # Read once: three figures are made of it.
    series = nib.Nifti1Image(np.asarray(series.dataobj, dtype=np.float32), series.affine)
    mask = nib.load(arguments.mask)
    brain = np.asarray(mask.dataobj) > 0
    confounds = read_table(arguments.confounds)
    tissues = template_tissues(mask)
    kinds = 1 + np.argmax([tissues[kind][brain] for kind in LABELS], axis=0)
    title = f"{name}: every voxel over time"
    carpet = carpet_figure(series.dataobj[brain], kinds, confounds, TR=TR, title=title)
    save_figure(carpet, arguments.carpet)
    title, outlier = f"{name}: head motion", arguments.settings["outlier_fd"]
    save_figure(motion_figure(confounds, TR=TR, outlier=outlier, title=title), arguments.motion)

    lines = [
        (template("mask", 1), 0.5, ORANGE, "template's brain"),
        (template("WM", 1), 0.5, GREEN, "template's white matter"),
    ]
    mean = nib.Nifti1Image(series.dataobj.mean(axis=-1), series.affine)
    title = f"{name}: mean volume in template space"
    save_figure(mosaic(mean, mask, contours=lines, title=title), arguments.normalised)
    title = f"{name}: the template there"
    shown = mosaic(template("T1w", 2), mask, contours=lines, title=title)
    save_figure(shown, arguments.template)
    ratio = nib.Nifti1Image(tsnr(series, brain), series.affine)
    median = float(np.median(np.asarray(ratio.dataobj)[brain]))
    title = f"{name}: temporal signal-to-noise ratio (median {median:.0f})"
    shown = mosaic(ratio, mask, contours=[], title=title, colours="viridis", bar="tSNR")
    save_figure(shown, arguments.tsnr)


def draw_alignment(arguments: argparse.Namespace, name: str) -> None:
    """Draw the BOLD reference on the T1w image, or by itself where there is none."""
    reference = nib.load(arguments.reference)
    reference_mask = nib.load(arguments.reference_mask)
    if arguments.t1w:
        dseg = nib.load(arguments.dseg)
        tissue = np.asarray(dseg.dataobj)
        matrix = read_matrices(arguments.coregistration)[0]
        moved = nib.Nifti1Image(sample(reference, apply(matrix, voxel_points(dseg))), dseg.affine)
        inside = nib.Nifti1Image((tissue > 0).astype(np.float32), dseg.affine)
        white = nib.Nifti1Image((tissue == LABELS["WM"]).astype(np.float32), dseg.affine)
        contours = [
            (inside, 0.5, ORANGE, "brain of the T1w"),
            (white, 0.5, GREEN, "white matter of the T1w"),
        ]
        shown = (moved, inside, contours, "BOLD reference on its T1w image")
        other = (nib.load(arguments.t1w), inside, contours, "the T1w image there")
    else:
        contours = [(reference_mask, 0.5, ORANGE, "brain")]
        shown = (reference, reference_mask, contours, "BOLD reference (no T1w image)")
        other = (reference, reference_mask, [], "the same without its outline")
    for (image, mask, contours, title), path in (
        (shown, arguments.alignment),
        (other, arguments.anatomy),
    ):
        save_figure(mosaic(image, mask, contours=contours, title=f"{name}: {title}"), path)


if __name__ == "__main__":
    run(main)
