"""What must be right with the input before any heavy step.

Every image is read once, whole: a file whose header is sound may be cut short or hold NaN.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import av
import numpy as np

from stim2bold.bids import Run, repetition_time
from stim2bold.command import progress
from stim2bold.errors import InputError
from stim2bold.files import read_table
from stim2bold.images import check_overlap, check_TR, open_image, read_series, read_volume
from stim2bold.sidecars import read_sidecars


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes
    ----------
    severity : {'error', 'warning'}
        Whether the workflow can go on.
    message : str
        The file, what is wrong with it and what the user can do about it.
    """

    severity: str
    message: str


def error(file: str | Path, what: str) -> Problem:
    """Return a problem that the workflow cannot go on with."""
    return Problem("error", f"{file}: {what}")


def refusals(*checks: Callable[[], object]) -> list[Problem]:
    """Carry out checks one after the other and return what the first that fails says."""
    try:
        for check in checks:
            check()
    except InputError as refusal:
        return [Problem("error", str(refusal))]
    return []


def check_series(run: Run, *, TR: float) -> list[Problem]:
    """Check a BOLD series and its sidecar.

    Parameters
    ----------
    run : Run
        The series.
    TR : float
        The TR of the study in seconds, which every run shares.
    """

    def check_shared_TR() -> None:
        own = repetition_time(run)
        if not np.isclose(own, TR, rtol=1e-6):
            raise InputError(
                f"{run.bold}: has TR {own:g} s where the study's first run has {TR:g} s; analyse "
                "runs of another TR on their own, by 'participants'"
            )

    return (
        refusals(lambda: read_series(run.bold))
        + refusals(lambda: check_TR(open_image(run.bold), read_sidecars(run.sidecars), run.bold))
        + refusals(check_shared_TR)
    )


def check_anatomy(run: Run) -> list[Problem]:
    """Check that the T1w image of a run is there, is a volume and lies where the series does."""
    if run.t1w is None:
        return [
            Problem(
                "warning",
                f"{run.bold}: has no T1w image; its reference goes straight to the template, add a "
                "T1w image for a better fit",
            )
        ]
    return refusals(
        lambda: read_volume(run.t1w),
        lambda: check_overlap(open_image(run.bold), open_image(run.t1w), (run.bold, run.t1w)),
    )


def check_events(path: Path) -> list[Problem]:
    """Check the table of the film's blocks."""
    table = read_table(path)
    missing = {"onset", "duration", "trial_type"} - set(table.columns)
    if missing:
        return [
            error(path, f"has no column {', '.join(sorted(missing))}; add it, in seconds or names")
        ]
    if table["trial_type"].nunique() < 2:
        return [error(path, "names fewer than two kinds of block; name the blocks of the film")]
    return []


def check_same_blocks(runs: list[Run]) -> list[Problem]:
    """Check that all runs show the same blocks: the film is one, and so is its fold file."""
    reference = read_table(runs[0].events)
    columns = ["onset", "duration", "trial_type"]
    return [
        error(
            run.events,
            f"differs from {runs[0].events}; every participant must have seen the same film from "
            "the same moment",
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
        return [error(path, f"cannot be opened as a film ({fault}); give the film by 'film'")]
    return [
        error(path, f"has no {kind} stream; give the film as it was shown, picture and sound")
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
    for run in progress(runs, "runs read"):
        problems += check_series(run, TR=TR) + check_anatomy(run)
    return sorted(problems, key=lambda problem: (problem.severity, problem.message))


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
