"""Measured claims of preprocessing: each function returns rows for the table of benchmarks.

Heads, movements and transforms are planted (`tests/support/planted_head.py`), so that every error
is measured against the truth, at several seeds.
"""

import functools
import sys
import tempfile
import time
from pathlib import Path

import nibabel as nib
import numpy as np
from shipped import shipped

PROJECT = Path(__file__).parents[1]
sys.path[:0] = [str(PROJECT / part) for part in ("bench", "tests/support", "workflow/scripts")]

import planted_head  # noqa: E402
from claims import dice, row  # noqa: E402

from stim2bold.preprocessing import (  # noqa: E402
    anatomy,
    figures,
    head_motion,
    registration,
    resampling,
)
from stim2bold.simulation.brain.recovery import CENTRE, motion_errors  # noqa: E402

SEEDS = (1, 2, 3)


@functools.cache
def planted(seed: int, n_volumes: int = 120):
    """Return a head of 2 mm voxels and a run with motion up to 3 mm, 2 degrees and jerks."""
    head = planted_head.planted_head(seed)
    return head, planted_head.planted_run(head, seed, n_volumes=n_volumes)


@functools.cache
def aligned(seed: int):
    """Return the reference of a run, its motion, and seconds a volume."""
    _, run = planted(seed)
    settings = shipped(head_motion.MotionSettings)
    reference = head_motion.make_reference(run.bold, settings)
    start = time.perf_counter()
    found = head_motion.estimate_motion(run.bold, reference.raw, reference.mask, settings)
    return reference, found, (time.perf_counter() - start) / len(found)


@functools.cache
def prepared(seed: int):
    """Return T1w, brain, transforms' folder and forward transform of a planted head."""
    head, _ = planted(seed)
    image, brain = anatomy.prepare_anatomy(head.t1w, shipped(anatomy.AnatomySettings))
    folder = tempfile.TemporaryDirectory()
    stripped = nib.Nifti1Image(np.asarray(image.dataobj) * brain, image.affine)
    settings = shipped(registration.NormaliseSettings)
    transforms = registration.normalise(
        stripped, registration.template("T1w", settings.voxel), Path(folder.name), settings
    )
    return image, brain, folder, transforms


def motion_error() -> list[dict]:
    """Head motion: root mean square error of the worst of the three axes."""
    start = time.perf_counter()
    shifts, turns = [], []
    for seed in SEEDS:
        _, run = planted(seed)
        error, _ = motion_errors(run.moved, aligned(seed)[1], CENTRE)
        rmse = np.sqrt((error**2).mean(axis=0))
        shifts.append(float(rmse[:3].max()))
        turns.append(float(rmse[3:].max()))
    seconds = time.perf_counter() - start
    return [
        row("motion_error_shift", shifts, unit="mm", goal=0.05, better="lower", seconds=seconds),
        row("motion_error_turn", turns, unit="degrees", goal=0.05, better="lower", seconds=seconds),
    ]


def motion_speed() -> list[dict]:
    """Head motion against ants.motion_correction's defaults on 12 volumes of the same run."""
    import ants

    start = time.perf_counter()
    _, run = planted(1)
    _, found, ours = aligned(1)
    chosen = np.arange(0, 120, 10)
    volumes = np.asarray(run.bold.dataobj)[..., chosen]
    lps = registration.LPS @ run.bold.affine
    place = np.eye(4)
    place[:3, :3] = lps[:3, :3] / 4
    series = ants.from_numpy(
        volumes,
        spacing=(4.0, 4.0, 4.0, 0.608),
        origin=(*lps[:3, 3], 0.0),
        direction=place,
    )
    began = time.perf_counter()
    corrected = ants.motion_correction(series)
    theirs = (time.perf_counter() - began) / len(chosen)
    matrices = np.stack(
        [
            registration.matrix_of(ants.read_transform(files[0]))
            for files in corrected["motion_parameters"]
        ]
    )

    def worst(estimate: np.ndarray) -> np.ndarray:
        """Root mean square of the worst shift (mm) and the worst turn (degrees)."""
        rmse = np.sqrt((motion_errors(run.moved[chosen], estimate, CENTRE)[0] ** 2).mean(axis=0))
        return np.array([rmse[:3].max(), rmse[3:].max()])

    shift, turn = worst(found[chosen]) / worst(matrices)
    seconds = time.perf_counter() - start
    return [
        row("motion_speed", [theirs / ours], unit="x", goal=5, better="higher", seconds=seconds),
        row(
            "motion_error_shift_over_ants",
            [shift],
            unit="ratio",
            goal=1,
            better="lower",
            seconds=seconds,
        ),
        row(
            "motion_error_turn_over_ants",
            [turn],
            unit="ratio",
            goal=1,
            better="lower",
            seconds=seconds,
        ),
    ]


def registration_coregistration() -> list[dict]:
    """Coregistration: mean displacement inside the brain, brain found by ourselves."""
    start = time.perf_counter()
    errors = []
    for seed in SEEDS:
        head, run = planted(seed)
        reference, found, _ = aligned(seed)
        image, brain, _, _ = prepared(seed)
        matrix = registration.align_rigid(
            nib.Nifti1Image(
                np.asarray(reference.volume.dataobj) * reference.mask, reference.volume.affine
            ),
            nib.Nifti1Image(np.asarray(image.dataobj) * brain, image.affine),
        )
        _, rest = motion_errors(run.moved, found, CENTRE)
        truth = np.linalg.inv(rest) @ np.linalg.inv(run.to_t1w)
        points = planted_head.world_grid(head.brain.shape, head.t1w.affine)[head.brain]
        shift = planted_head.apply(matrix, points) - planted_head.apply(truth, points)
        errors.append(float(np.linalg.norm(shift, axis=-1).mean()))
    seconds = time.perf_counter() - start
    return [
        row(
            "registration_coregistration",
            errors,
            unit="mm",
            goal=0.7,
            better="lower",
            seconds=seconds,
        )
    ]


def registration_normalisation() -> list[dict]:
    """Normalisation: mean displacement in the template's brain, and overlap of grey matter."""
    start = time.perf_counter()
    errors, overlaps, segmented = [], [], []
    grid = registration.template("mask", 2)
    inside = np.asarray(grid.dataobj) > 0
    grey = np.asarray(registration.template("GM", 2).dataobj) > 0.5
    place = planted_head.world_grid(grid.shape, grid.affine)
    for seed in SEEDS:
        head, _ = planted(seed)
        image, brain, _, (forward, inverse) = prepared(seed)
        points = np.moveaxis(resampling.moved_points(forward, grid), 0, -1)
        # Where the truth says those points lie in the template.
        shift = head.warp(points[inside]) - place[inside]
        errors.append(float(np.linalg.norm(shift, axis=-1).mean()))
        true = planted_head.sample(head.tissues["GM"], head.t1w.affine, points)
        overlaps.append(dice(grey, true > 0.5))
        tissues = anatomy.segment(image, brain, resampling.moved_points(inverse, image))
        ours = planted_head.sample(tissues["GM"], image.affine, points)
        segmented.append(dice(grey, ours > 0.5))
    seconds = time.perf_counter() - start
    return [
        row(
            "registration_normalisation",
            errors,
            unit="mm",
            goal=1.5,
            better="lower",
            seconds=seconds,
        ),
        row(
            "registration_grey_dice_true",
            overlaps,
            unit="Dice",
            goal=0.8,
            better="higher",
            seconds=seconds,
        ),
        row(
            "registration_grey_dice_segmented",
            segmented,
            unit="Dice",
            goal=0.8,
            better="higher",
            seconds=seconds,
        ),
    ]


def preprocess_brain() -> list[dict]:
    """Brain extraction: overlap with the planted brain."""
    start = time.perf_counter()
    values = [dice(prepared(seed)[1], planted(seed)[0].brain) for seed in SEEDS]
    return [
        row(
            "preprocess_brain_dice",
            values,
            unit="Dice",
            goal=0.95,
            better="higher",
            seconds=time.perf_counter() - start,
        )
    ]


def preprocess_tsnr() -> list[dict]:
    """Median tSNR in the brain after motion correction over that before."""
    start = time.perf_counter()
    ratios = []
    for seed in SEEDS:
        _, run = planted(seed)
        reference, found, _ = aligned(seed)
        points = resampling.voxel_points(reference.volume)
        after, covered = resampling.resample_series(run.bold, points, found)
        # Smoothed edges alone would raise tSNR: "before" is resampled once as well.
        still = np.repeat(np.eye(4)[None], len(found), axis=0)
        shifted = points + np.array([1.0, 1.0, 1.0])[:, None, None, None]
        before, _ = resampling.resample_series(run.bold, shifted, still)
        mask = reference.mask & covered
        ratios.append(
            float(
                np.median(figures.tsnr(nib.Nifti1Image(after, run.bold.affine), mask)[mask])
                / np.median(figures.tsnr(nib.Nifti1Image(before, run.bold.affine), mask)[mask])
            )
        )
    return [
        row(
            "preprocess_tsnr_ratio",
            ratios,
            unit="x",
            goal=1.3,
            better="higher",
            seconds=time.perf_counter() - start,
        )
    ]


CLAIMS = {
    function.__name__: function
    for function in (
        motion_error,
        motion_speed,
        registration_coregistration,
        registration_normalisation,
        preprocess_brain,
        preprocess_tsnr,
    )
}
