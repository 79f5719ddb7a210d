"""Estimate the distortion of a BOLD reference from its T1w image, and undo it in the reference."""

import argparse
import logging
from pathlib import Path

import nibabel as nib
import numpy as np

from stim2bold.preprocessing.derivatives import write_sidecar
from stim2bold.preprocessing.distortion import (
    displaced_points,
    estimate_displacement,
    tissue_mixture,
)
from stim2bold.preprocessing.images import masked, open_image, save_image, stored_axis
from stim2bold.preprocessing.registration import align_rigid
from stim2bold.preprocessing.resampling import sample, voxel_points
from stim2bold.runtime.command import run
from stim2bold.study.sidecars import phase_encoding, read_sidecars


def main() -> None:
    """Read the command line, register along one axis, save the displacement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bold", type=Path, required=True, help="raw series")
    parser.add_argument("--sidecars", type=Path, nargs="+", required=True, help="nearest last")
    parser.add_argument("--reference", type=Path, required=True, help="without bias field")
    parser.add_argument("--reference-mask", type=Path, required=True)
    parser.add_argument("--t1w", type=Path, required=True, help="without bias field")
    parser.add_argument("--t1w-mask", type=Path, required=True)
    parser.add_argument("--tissues", type=Path, nargs=3, required=True, help="GM, WM, CSF")
    parser.add_argument("--displacement", type=Path, required=True, help="output: mm")
    parser.add_argument("--unwarped", type=Path, required=True, help="output: reference")
    parser.add_argument("--mask", type=Path, required=True, help="output: brain of it")
    parser.add_argument("--derivatives", type=Path, required=True, help="root of the outputs")
    arguments = parser.parse_args()

    direction = phase_encoding(read_sidecars(arguments.sidecars), name=arguments.sidecars[-1])
    axis, _ = stored_axis(direction, open_image(arguments.bold).affine)
    reference = nib.load(arguments.reference)
    brain = masked(arguments.reference, arguments.reference_mask)
    t1w = masked(arguments.t1w, arguments.t1w_mask)
    tissues = [nib.load(path) for path in arguments.tissues]
    undistorted = tissue_mixture(brain, tissues, align_rigid(brain, t1w))
    shift = estimate_displacement(brain, undistorted, axis=axis)
    displacement = nib.Nifti1Image(shift, reference.affine)
    points = displaced_points(voxel_points(reference), displacement)
    unwarped = np.maximum(sample(reference, points, order=3), 0)
    mask = sample(nib.load(arguments.reference_mask), points) > 0.5
    far = np.percentile(np.linalg.norm(shift[mask], axis=-1), (50, 95))
    logging.info("displaced by distortion: median %.1f mm, 95 %% within %.1f mm", *far)

    affine, root = reference.affine, arguments.derivatives
    sources = [arguments.reference, arguments.t1w, *arguments.tissues]
    save_image(arguments.displacement, shift, affine)
    said = {"Units": "mm", "PhaseEncodingDirection": direction}
    write_sidecar(arguments.displacement, root, sources=sources, **said)
    sources = [arguments.reference, arguments.displacement]
    save_image(arguments.unwarped, unwarped, affine)
    write_sidecar(arguments.unwarped, root, sources=sources)
    save_image(arguments.mask, mask, affine, dtype=np.uint8)
    write_sidecar(arguments.mask, root, sources=sources, Type="Brain")


if __name__ == "__main__":
    run(main)
