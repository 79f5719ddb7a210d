"""What the files tell of transforms, masks and tissues that fMRIPrep fitted to a raw run."""

from pathlib import Path

import numpy as np

from stim2bold.preprocessing.image_checks import check_length, check_volume, world_box
from stim2bold.preprocessing.images import open_image
from stim2bold.preprocessing.itk_affines import read_matrices
from stim2bold.runtime.errors import InputError
from stim2bold.runtime.issues import Problem, error, refusals
from stim2bold.study.bids import Run
from stim2bold.study.check_run import check_mask

HDF5 = b"\x89HDF\r\n\x1a\n"
AGAIN = "copy the file again, or run fMRIPrep for this participant again"


def check_fit(run: Run, *, n_volumes: int | None) -> list[Problem]:
    """Check that what was fitted to a run can be read and belongs to its series.

    Parameters
    ----------
    run : Run
        With `fit`.
    n_volumes : int or None
        Of the raw series; None where it cannot be opened.
    """
    fit = run.fit
    problems = [
        found
        for path, expected in ((fit.motion, n_volumes), (fit.coregistration, 1))
        for found in check_matrices(path, expected)
    ]
    with fit.normalisation.open("rb") as file:
        if file.read(len(HDF5)) != HDF5:
            problems.append(error(fit.normalisation, "is no HDF5 file of ITK", AGAIN))
    problems += check_mask(fit.mask) + check_mask(fit.t1w_mask)
    for path in (fit.reference, fit.flat, fit.dseg, fit.gm, fit.wm, fit.csf):
        problems += refusals(
            path,
            lambda path=path: check_volume(open_image(path), path),
            lambda path=path: check_length(open_image(path), path),
        )
    return problems or check_grid(run)


def check_matrices(path: Path, expected: int | None) -> list[Problem]:
    """Check that a text file holds as many affine transforms as expected; None is any number."""
    try:
        n = len(read_matrices(path))
    except InputError:
        return refusals(path, lambda: read_matrices(path))
    if expected in (None, n):
        return []
    what = f"holds {n} transforms where {expected} are needed, one a volume of the series"
    what = (
        what if path.name.endswith("hmc_xfm.txt") else f"holds {n} transforms where one is needed"
    )
    return [error(path, what, "give the raw series that fMRIPrep saw, or run fMRIPrep again")]


def check_grid(run: Run) -> list[Problem]:
    """Check that the reference fills the box of the raw series: fMRIPrep mends some headers."""
    try:
        series, reference = open_image(run.bold), open_image(run.fit.reference)
    except InputError:
        return []
    boxes = [world_box(image.shape[:3], image.affine) for image in (series, reference)]
    if np.allclose(*boxes, atol=0.1):
        return []
    what = f"lies elsewhere than {run.bold.name}, so its transforms would misplace it"
    return [error(run.fit.reference, what, "give the raw series that fMRIPrep saw")]
