"""What must be right with the input before any heavy step.

Only headers, sidecars and tables are read, never a whole image.
"""

import logging
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path

import av
import nibabel as nib
import numpy as np

from stim2bold.bids import Run, repetition_time
from stim2bold.errors import InputError
from stim2bold.files import read_table
from stim2bold.images import FEWEST_VOLUMES

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: in which file, what, and what the user can do about it."""

    severity: str
    file: str
    what: str
    remedy: str


def error(file: str | Path, what: str, remedy: str) -> Problem:
    """Return a problem that the workflow cannot go on with."""
    return Problem("error", str(file), what, remedy)


def warning(file: str | Path, what: str, remedy: str) -> Problem:
    """Return a problem that the user should know of."""
    return Problem("warning", str(file), what, remedy)


def check_series(run: Run, *, TR: float) -> list[Problem]:
    """Check the header and sidecar of a BOLD series.

    Parameters
    ----------
    run : Run
        The series.
    TR : float
        The TR of the study in seconds, which every run shares.
    """
    try:
        own_TR = repetition_time(run)
        image = nib.load(run.bold)
        # The first voxels are read too: a header alone may be whole where the data are not.
        np.asanyarray(image.dataobj[..., 0])
    except InputError as fault:
        return [error(run.sidecar, str(fault).removeprefix(f"{run.sidecar}: "), "mend the sidecar")]
    except (nib.filebasedimages.ImageFileError, OSError, EOFError, zlib.error) as fault:
        return [error(run.bold, f"cannot be read ({fault})", "fetch or convert it again")]
    problems = []
    if image.ndim != 4 or image.shape[3] < FEWEST_VOLUMES:
        problems.append(
            error(
                run.bold,
                f"has shape {image.shape} where a series of at least {FEWEST_VOLUMES} volumes is "
                "needed",
                "leave the run out by 'selection' or 'participants'",
            )
        )
    elif not np.isclose(image.header.get_zooms()[3], own_TR, rtol=1e-3):
        problems.append(
            error(
                run.bold,
                f"has TR {image.header.get_zooms()[3]:g} s in its header and {own_TR:g} s in its "
                "sidecar",
                "correct the one that is wrong",
            )
        )
    if not np.isclose(own_TR, TR, rtol=1e-6):
        problems.append(
            error(
                run.bold,
                f"has TR {own_TR:g} s where the study's first run has {TR:g} s",
                "analyse runs of another TR on their own, by 'participants'",
            )
        )
    return problems


def check_anatomy(run: Run) -> list[Problem]:
    """Check that the T1w image of a run is there and is a volume."""
    if run.t1w is None:
        return [
            warning(
                run.bold,
                "has no T1w image",
                "its reference goes straight to the template; add a T1w image for a better fit",
            )
        ]
    try:
        image = nib.load(run.t1w)
    except (nib.filebasedimages.ImageFileError, OSError) as fault:
        return [error(run.t1w, f"cannot be read ({fault})", "fetch or convert it again")]
    if len([size for size in image.shape if size > 1]) != 3:
        return [error(run.t1w, f"has shape {image.shape}, not that of a volume", "replace it")]
    return []


def check_events(path: Path) -> list[Problem]:
    """Check the table of the film's blocks."""
    table = read_table(path)
    missing = {"onset", "duration", "trial_type"} - set(table.columns)
    if missing:
        return [
            error(path, f"has no column {', '.join(sorted(missing))}", "add it, in seconds / names")
        ]
    if table["trial_type"].nunique() < 2:
        return [error(path, "names fewer than two kinds of block", "name the blocks of the film")]
    return []


def check_same_blocks(runs: list[Run]) -> list[Problem]:
    """Check that all runs show the same blocks: the film is one, and so is its fold file."""
    reference = read_table(runs[0].events)
    columns = ["onset", "duration", "trial_type"]
    return [
        error(
            run.events,
            f"differs from {runs[0].events}",
            "every participant must have seen the same film from the same moment",
        )
        for run in runs[1:]
        if run.events != runs[0].events
        and not read_table(run.events)[columns].equals(reference[columns])
    ]


def check_film(path: Path) -> list[Problem]:
    """Check that the film opens, and has picture and sound."""
    try:
        with av.open(str(path)) as container:
            kinds = {stream.type for stream in container.streams}
    except (av.FFmpegError, OSError) as fault:
        return [error(path, f"cannot be opened as a film ({fault})", "give the film by 'film'")]
    return [
        error(path, f"has no {kind} stream", "give the film as it was shown, picture and sound")
        for kind in ("video", "audio")
        if kind not in kinds
    ]


def check_study(runs: list[Run], *, TR: float, film: Path) -> list[Problem]:
    """Check everything the workflow reads, and go on to the end whatever is found.

    Parameters
    ----------
    runs : list of Run
        All runs of the study.
    TR : float
        In seconds.
    film : Path
        The film.

    Returns
    -------
    list of Problem
        Errors first.
    """
    problems = check_film(film)
    events_are_sound = True
    for path in sorted({run.events for run in runs}):
        found = check_events(path)
        events_are_sound &= not found
        problems += found
    if events_are_sound:
        problems += check_same_blocks(runs)
    for run in runs:
        problems += check_series(run, TR=TR) + check_anatomy(run)
    return sorted(problems, key=lambda problem: (problem.severity, problem.file))


def describe_study(runs: list[Run], *, TR: float, problems: list[Problem]) -> dict:
    """Return what was found as plain data for ``inputs.json``."""
    return {
        "TR": TR,
        "participants": sorted({run.participant for run in runs}),
        "runs": [
            {"name": run.name, "bold": str(run.bold), "t1w": str(run.t1w) if run.t1w else None}
            for run in runs
        ],
        "problems": [asdict(problem) for problem in problems],
    }
