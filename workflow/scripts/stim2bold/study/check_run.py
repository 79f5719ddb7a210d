"""What headers and tables tell of one run before anything is computed from it."""

from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np

from stim2bold.io.tables import Table, read_tsv
from stim2bold.preprocessing.confound_gaps import (
    RULE,
    confounds_of,
    gap_words,
    gaps_after_first,
    too_many,
)
from stim2bold.preprocessing.image_checks import (
    check_first_volume,
    check_length,
    check_overlap,
    check_series,
    check_volume,
)
from stim2bold.preprocessing.images import contents_mark, open_image, open_telling, read_mask
from stim2bold.preprocessing.scan_clock import header_doubt, reference_doubt, same_TR, slice_times
from stim2bold.runtime.errors import InputError
from stim2bold.runtime.issues import (
    Problem,
    error,
    from_refusal,
    n_errors,
    note,
    refusals,
    warning,
)
from stim2bold.study.bids import Run, repetition_time, volume_reference
from stim2bold.study.echoes import Echo, echo_times
from stim2bold.study.fmriprep import needed_columns
from stim2bold.study.sidecars import read_sidecars

#: What strategy scrubbing chooses volumes by; it is no regressor.
NOT_REGRESSORS = ("framewise_displacement", "std_dvars")
OTHER = "choose another preprocessing.cleaning.strategy or motion, or run fMRIPrep again"


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
        See `stim2bold.preprocessing.images.contents_mark`.
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
    image, found = open_series(run.bold)
    problems = check_timing(run, TR=TR, n_volumes=image.shape[-1] if image else 1)
    if image is None:
        return None, problems + found
    if len(image.shape) != 4:
        return None, problems + found
    if run.echoes:
        found += check_echo_times(run.echoes)
    for echo in run.echoes[1:]:
        found += check_echo(echo, image, run.bold)
    if not n_errors(problems):
        if doubt := header_doubt(image.header, repetition_time(run)):
            problems.append(
                warning(run.bold, doubt, "find out which is right and correct the other")
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


def open_series(path: Path) -> tuple[nib.Nifti1Image | None, list[Problem]]:
    """Open a BOLD series and check its header, its length and its first volume."""
    try:
        image, said = open_telling(path)
    except InputError as refusal:
        return None, [from_refusal(refusal, path)]
    return image, [warning(path, what, "correct its header") for what in said] + refusals(
        path,
        lambda: check_series(image, path),
        lambda: check_length(image, path),
        lambda: check_first_volume(image, path),
    )


def check_echo_times(echoes: tuple[Echo, ...]) -> list[Problem]:
    """Check that the sidecars of a run's echoes give their times."""
    try:
        echo_times(echoes)
    except InputError as refusal:
        return [from_refusal(refusal, refusal.file)]
    return []


def check_echo(echo: Echo, first: nib.Nifti1Image, name: Path) -> list[Problem]:
    """Check a further echo of a run by itself and against the first, named `name`."""
    image, found = open_series(echo.bold)
    if image is None:
        return found
    if image.shape != first.shape or not np.allclose(image.affine, first.affine, atol=1e-3):
        what = f"has another grid or number of volumes than {name.name}, an echo of the same run"
        return [*found, error(echo.bold, what, "copy the echoes again from one conversion")]
    if contents_mark(echo.bold) == contents_mark(name):
        what = f"holds the same volumes as {name.name}, an echo of the same run"
        found.append(error(echo.bold, what, "copy the echoes again from one conversion"))
    return found


def check_timing(run: Run, *, TR: float | None, n_volumes: int) -> list[Problem]:
    """Check that a run's sidecars can be read, and give the TR of the study and a possible clock.

    Parameters
    ----------
    run : Run
    TR : float or None
        Of the study, seconds; None where no run has one.
    n_volumes : int
        Of the run.
    """
    for path in run.sidecars:
        if found := refusals(path, lambda path=path: read_sidecars([path])):
            return found
    found = refusals(run.sidecar, lambda: repetition_time(run))
    if found or TR is None:
        return found
    own = repetition_time(run)
    if same_TR(own, TR, n_volumes):
        doubt = reference_doubt(read_sidecars(run.sidecars)) if run.confounds else None
        return refusals(run.sidecar, lambda: volume_reference(run, own)) + (
            [warning(run.sidecar, doubt, "correct SliceTimingCorrected or StartTime")]
            if doubt
            else []
        )
    return [
        error(
            run.sidecar,
            f"has TR {own:.8g} s where the study's first run has {TR:.8g} s",
            "analyse runs of another TR on their own, by participants, exclude or selection",
        )
    ]


def check_slices(run: Run, shape: tuple[int, ...]) -> list[Problem]:
    """Check that slice times, where they are given, are seconds, one a slice."""
    said = read_sidecars(run.sidecars)
    if run.confounds is not None:
        return []
    if found := refusals(run.sidecar, lambda: slice_times(said, str(run.sidecar))):
        return found
    times = slice_times(said, str(run.sidecar))
    if times is None and said.get("SliceTiming") == []:
        return [
            warning(
                run.sidecar,
                "SliceTiming is empty, so slices are left as they are",
                "give the time of each slice in seconds, or remove it",
            )
        ]
    if times is None:
        return []
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
    problems = check_mask(run.mask)
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


def check_mask(path: Path) -> list[Problem]:
    """Check that a brain mask can be read whole; voxels that are no numbers are counted."""
    problems = refusals(path, lambda: check_length(open_image(path), path))
    if not problems:
        try:
            _, doubt = read_mask(path)
        except InputError as refusal:
            return [from_refusal(refusal, path)]
        problems += [warning(path, doubt, "make the mask again")] if doubt else []
    return problems


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
                OTHER,
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
    if absent := [name for name in NOT_REGRESSORS if name not in {*columns, *missing}]:
        what = f"lacks {', '.join(absent)}, so the report does not tell them"
        problems.append(note(path, what, "nothing need be done"))
    if len(table.rows) != n_volumes:
        problems.append(
            error(
                path,
                f"has {len(table.rows)} rows where the series has {n_volumes} volumes",
                "copy both from one run of fMRIPrep",
            )
        )
    if n_errors(problems):
        return problems
    return problems + check_gaps(table, needed_columns(strategy, motion))


def check_gaps(read: Table, needed: list[str]) -> list[Problem]:
    """Say which of the confounds that are used by name have gaps or do not vary."""
    path, table = read.path, confounds_of(read, needed)
    problems, still, gaps = [], [], gaps_after_first(table)
    for name in needed:
        if name in gaps and too_many(gaps[name], len(table)):
            problems.append(error(path, f"{gap_words(name, gaps[name])}: too many to fill", OTHER))
        elif name in gaps:
            what = f"{gap_words(name, gaps[name])}: they are filled {RULE}"
            problems.append(warning(path, what, "see why fMRIPrep left them out"))
        elif name not in NOT_REGRESSORS and table[name].iloc[1:].nunique() < 2:
            still.append(name)
    if still:
        what = f"left out of the regression, being the same in every row: {', '.join(still)}"
        problems.append(warning(path, what, "see why they do not vary"))
    return problems
