"""What headers and tables tell of one run before anything is computed from it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stim2bold.bids import Run, repetition_time
from stim2bold.errors import InputError
from stim2bold.fmriprep import needed_columns
from stim2bold.images import (
    check_first_volume,
    check_length,
    check_overlap,
    check_series,
    check_TR,
    check_volume,
    contents_mark,
    header_TR,
    open_image,
)
from stim2bold.problems import Problem, error, from_refusal, refusals, warning
from stim2bold.sidecars import read_sidecars
from stim2bold.tables import read_tsv


@dataclass(frozen=True)
class Header:
    """What is compared between runs.

    Attributes
    ----------
    run : Run
    n_volumes : int
    voxel : tuple of float
        Edges in mm.
    shape : tuple of int
        Of a volume.
    mark : bytes or None
        See `stim2bold.images.contents_mark`.
    """

    run: Run
    n_volumes: int
    voxel: tuple[float, ...]
    shape: tuple[int, ...]
    mark: bytes | None


def check_bold(run: Run, *, TR: float | None) -> tuple[Header | None, list[Problem]]:
    """Check a BOLD series by its header, its length and its first volume, and its sidecar.

    Parameters
    ----------
    run : Run
        The series.
    TR : float or None
        The TR of the study in seconds, which every run shares; None where no run has one.

    Returns
    -------
    Header or None
        None for a series that cannot be opened.
    list of Problem
    """
    problems = check_timing(run, TR=TR)
    try:
        image = open_image(run.bold)
    except InputError:
        return None, problems + refusals(run.bold, lambda: open_image(run.bold))
    found = refusals(
        run.bold,
        lambda: check_series(image, run.bold),
        lambda: check_length(image, run.bold),
        lambda: check_first_volume(image, run.bold),
    )
    if len(image.shape) != 4:
        return None, problems + found
    if not problems:
        problems += refusals(
            run.bold, lambda: check_TR(image, read_sidecars(run.sidecars), run.bold)
        )
        if header_TR(image) == 0:
            problems.append(
                warning(
                    run.bold,
                    "its header gives no TR, so the sidecar's is taken",
                    "correct the header if the sidecar may be wrong",
                )
            )
        problems += check_slices(run, image.shape)
    header = Header(
        run=run,
        n_volumes=int(image.shape[3]),
        voxel=tuple(float(size) for size in np.round(image.header.get_zooms()[:3], 2)),
        shape=tuple(int(size) for size in image.shape[:3]),
        mark=contents_mark(run.bold),
    )
    return header, problems + found


def check_timing(run: Run, *, TR: float | None) -> list[Problem]:
    """Check that a run's sidecars can be read and give the TR of the study."""
    for path in run.sidecars:
        if found := refusals(path, lambda path=path: read_sidecars([path])):
            return found
    found = refusals(run.sidecar, lambda: repetition_time(run))
    if found or TR is None or np.isclose(repetition_time(run), TR, rtol=1e-6):
        return found
    return [
        error(
            run.sidecar,
            f"has TR {repetition_time(run):g} s where the study's first run has {TR:g} s",
            "analyse runs of another TR on their own, by participants, exclude or selection",
        )
    ]


def check_slices(run: Run, shape: tuple[int, ...]) -> list[Problem]:
    """Check that slice times, where they are given, are seconds, one a slice."""
    said = read_sidecars(run.sidecars)
    times = said.get("SliceTiming")
    if times is None or said.get("MRAcquisitionType") == "3D" or run.confounds is not None:
        return []
    if (
        not isinstance(times, list)
        or not all(isinstance(time, int | float) for time in times)
        or not all(0 <= time < said["RepetitionTime"] for time in times)
    ):
        return [
            error(
                run.sidecar,
                "SliceTiming is not a list of seconds within the TR",
                "give seconds (not milliseconds), or remove it",
            )
        ]
    axis = "ijk".find(str(said.get("SliceEncodingDirection", "k"))[:1])
    if axis < 0 or len(times) != shape[axis]:
        return [
            error(
                run.sidecar,
                f"SliceTiming names {len(times)} slices where the image has {shape[axis]}",
                "correct SliceTiming or SliceEncodingDirection",
            )
        ]
    return []


def check_anatomy(run: Run) -> list[Problem]:
    """Check that the T1w image of a run is a whole volume and lies where the series does."""
    if run.t1w is None:
        return [
            warning(
                run.bold,
                "has no T1w image, so its reference goes straight to the template",
                "add a T1w image for a better fit",
            )
        ]
    found = refusals(
        run.t1w,
        lambda: check_volume(open_image(run.t1w), run.t1w),
        lambda: check_length(open_image(run.t1w), run.t1w),
    )
    try:
        bold = open_image(run.bold)
    except InputError:
        return found
    if found or len(bold.shape) < 3:
        return found
    return refusals(run.t1w, lambda: check_overlap(open_image(run.t1w), bold, (run.t1w, run.bold)))


def check_derived(run: Run, *, strategy: str, motion: str) -> list[Problem]:
    """Check the mask and the confounds of a run that fMRIPrep has preprocessed.

    Parameters
    ----------
    run : Run
        With mask and confounds.
    strategy, motion : str
        Of preprocessing.cleaning.
    """
    problems = refusals(
        run.mask,
        lambda: check_volume(open_image(run.mask), run.mask),
        lambda: check_length(open_image(run.mask), run.mask),
    )
    try:
        bold, mask = open_image(run.bold), open_image(run.mask)
    except InputError:
        return problems
    if bold.shape[:3] != mask.shape[:3] or not np.allclose(bold.affine, mask.affine, atol=1e-3):
        problems.append(
            error(
                run.mask,
                f"lies on another grid than {run.bold.name}",
                "copy both from one run of fMRIPrep",
            )
        )
    return problems + check_confounds(
        run.confounds, n_volumes=bold.shape[-1], strategy=strategy, motion=motion
    )


def check_confounds(path: Path, *, n_volumes: int, strategy: str, motion: str) -> list[Problem]:
    """Check that a table of confounds has a row a volume and the columns that are used."""
    try:
        table = read_tsv(path)
    except InputError as refusal:
        return [from_refusal(refusal, path)]
    problems = []
    columns = table.columns
    if missing := [name for name in needed_columns(strategy, motion) if name not in columns]:
        problems.append(
            error(
                path,
                f"strategy '{strategy}' with motion '{motion}' lacks the columns "
                f"{', '.join(missing)}",
                "choose another preprocessing.cleaning.strategy or motion, or run fMRIPrep again",
            )
        )
    if strategy == "compcor" and not any(name.startswith("a_comp_cor_") for name in columns):
        problems.append(
            error(
                path,
                "strategy 'compcor' lacks the columns a_comp_cor_*",
                "choose another preprocessing.cleaning.strategy or run fMRIPrep again",
            )
        )
    if len(table.rows) != n_volumes:
        problems.append(
            error(
                path,
                f"has {len(table.rows)} rows where the series has {n_volumes} volumes",
                "copy both from one run of fMRIPrep",
            )
        )
    return problems
