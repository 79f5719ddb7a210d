"""Bring a raw BOLD series to template or T1w space, in one interpolation."""

import argparse
import json
import logging
from pathlib import Path

import nibabel as nib
import numpy as np

from stim2bold.preprocessing.derivatives import write_sidecar
from stim2bold.preprocessing.distortion import displaced_points
from stim2bold.preprocessing.echo_combination import combine_echoes
from stim2bold.preprocessing.head_motion import non_steady_volumes
from stim2bold.preprocessing.image_checks import check_TR
from stim2bold.preprocessing.images import TEMPLATE, open_image, read_series, save_image
from stim2bold.preprocessing.itk_affines import read_matrices
from stim2bold.preprocessing.registration import grid_around, template
from stim2bold.preprocessing.resampling import (
    apply,
    moved_points,
    output_voxel,
    resample_series,
    sample,
    voxel_points,
)
from stim2bold.preprocessing.scan_clock import reference_time, slice_times
from stim2bold.preprocessing.slice_timing import correct_slice_timing, slice_axis
from stim2bold.runtime.command import run
from stim2bold.study.sidecars import read_sidecars


def main() -> None:
    """Read the command line, concatenate the transforms, resample."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bold", type=Path, nargs="+", required=True, help="raw series, by echo")
    parser.add_argument("--sidecars", type=Path, nargs="+", required=True, help="nearest last")
    parser.add_argument("--motion", type=Path, required=True, help="reference to each volume")
    parser.add_argument("--coregistration", type=Path, nargs="?", help="BOLD reference to T1w")
    parser.add_argument("--displacement", type=Path, nargs="?", help="by distortion, mm")
    parser.add_argument("--normalisation", type=Path, nargs="?", help="to the template")
    parser.add_argument("--brain", type=Path, required=True, help="brain mask, T1w or BOLD")
    parser.add_argument("--space", required=True, help="a template's, or T1w")
    parser.add_argument("--series", type=Path, required=True, help="output: resampled series")
    parser.add_argument("--mask", type=Path, required=True, help="output: brain in it")
    parser.add_argument("--reference", type=Path, required=True, help="output: its mean volume")
    parser.add_argument("--derivatives", type=Path, required=True, help="root of the outputs")
    parser.add_argument("--settings", type=json.loads, required=True, help="resolution, echo times")
    arguments = parser.parse_args()

    sidecar = read_sidecars(arguments.sidecars)
    raw = open_image(arguments.bold[0])
    TR = check_TR(raw, sidecar, arguments.bold[0])
    times = slice_times(sidecar, arguments.bold[0].name)
    reference = reference_time(sidecar, TR=TR, derived=False, name=arguments.sidecars[-1])
    if times is None:
        logging.info("no slice times that apply: slices are left as they are")

    to_template = arguments.space != "T1w"
    grid, points, inside = locate(arguments, raw, to_template=to_template)
    motion = read_matrices(arguments.motion)
    echo_times = arguments.settings["echo_times"]
    covered = np.ones(inside.shape, dtype=bool)
    echoes, non_steady = [], 0
    for path in arguments.bold:
        series = read_series(path)
        non_steady = max(non_steady, non_steady_volumes(series))
        if times is not None:
            axis, reverse = slice_axis(sidecar, raw.affine)
            correct_slice_timing(
                series.dataobj, times, axis=axis, reverse=reverse, TR=TR, reference=reference
            )
        resampled, seen = resample_series(series, points, motion)
        covered &= seen
        echoes.append(resampled)

    code = TEMPLATE if to_template else 1
    said = {"SkullStripped": False, "RepetitionTime": TR, "SliceTimingCorrected": times is not None}
    said["NonSteadyStateVolumes"] = non_steady
    if len(echoes) > 1:
        resampled, T2star = combine_echoes(np.stack(echoes), np.array(echo_times), inside & covered)
        said |= {"EchoTimes": echo_times}
        middle = 1000 * np.median(T2star[inside & covered])
        logging.info("%d echoes combined; median T2* %.1f ms", len(echoes), middle)
    if times is not None:
        logging.info("slices shifted to %g s from the start of their volume", reference)
        said["StartTime"] = reference
    save_image(arguments.series, resampled, grid.affine, code=code, TR=TR)
    transforms = (
        arguments.motion,
        arguments.coregistration,
        arguments.displacement,
        arguments.normalisation,
    )
    sources = [path for path in (*arguments.bold, *transforms) if path]
    write_sidecar(arguments.series, arguments.derivatives, sources=sources, **said)
    mask = inside & covered & resampled.any(axis=-1)
    save_image(arguments.mask, mask, grid.affine, dtype=np.uint8, code=code)
    write_sidecar(arguments.mask, arguments.derivatives, sources=[arguments.brain], Type="Brain")
    mean = resampled.mean(axis=-1, dtype=np.float64)
    save_image(arguments.reference, mean, grid.affine, code=code)
    write_sidecar(arguments.reference, arguments.derivatives, sources=[arguments.series])


def locate(
    arguments: argparse.Namespace, raw: nib.Nifti1Image, *, to_template: bool
) -> tuple[nib.Nifti1Image, np.ndarray, np.ndarray]:
    """Return the grid of the output, where its voxels lie in the BOLD reference, and the brain.

    Returns
    -------
    grid : Nifti1Image
    points : ndarray of shape (3, nx, ny, nz)
        World millimetres of the BOLD reference.
    inside : ndarray of shape (nx, ny, nz), bool
    """
    brain = nib.load(arguments.brain)
    # The templates MNI152 fill the same box, up to a voxel.
    whole = template("mask", 1) if to_template else brain
    grid = grid_around(whole, output_voxel(raw, arguments.settings["resolution"]))
    points = moved_points(arguments.normalisation, grid) if to_template else voxel_points(grid)
    inside = sample(brain, points) > 0.5
    if arguments.coregistration:
        points = apply(read_matrices(arguments.coregistration)[0], points)
    if arguments.displacement:
        points = displaced_points(points, nib.load(arguments.displacement))
    return grid, points, inside


if __name__ == "__main__":
    run(main)
