"""Which files of a BIDS data set belong to the study.

Nothing is read but names, and the headers of T1w images where a participant has several; what is in
the files is looked at by `stim2bold.study.validate`.
"""

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from stim2bold.io.presence import IMAGES, check_present
from stim2bold.preprocessing.scan_clock import reference_time, sidecar_TR
from stim2bold.runtime.errors import InputError
from stim2bold.runtime.issues import Problem, error
from stim2bold.study.bids_index import (
    Choice,
    check_description,
    choose,
    heeded,
    index_files,
    participants_of,
    usable,
)
from stim2bold.study.bids_names import entities, inherited, list_folder, named, nearest, stem
from stim2bold.study.echoes import Echo, gather_echoes, run_stem
from stim2bold.study.sidecars import read_sidecars
from stim2bold.study.t1w_choice import choose_t1w

if TYPE_CHECKING:
    pass


class Fit(NamedTuple):
    """What fMRIPrep has fitted to a run, by which the raw series is resampled; files."""

    motion: Path
    coregistration: Path
    normalisation: Path
    reference: Path
    flat: Path
    mask: Path
    t1w_mask: Path
    dseg: Path
    gm: Path
    wm: Path
    csf: Path


@dataclass(frozen=True)
class Run:
    """One BOLD run and what goes with it.

    Attributes
    ----------
    participant : str
        Label without ``sub-``.
    folder : str
        ``sub-04/ses-mri3t``, or ``sub-04`` where the data set has no sessions.
    name : str
        All entities of the run: ``sub-04_ses-mri3t_task-film_run-1``.
    bold : Path
        The series; of several echoes the first, of fMRIPrep's the preprocessed one.
    events : Path or None
        The table of its blocks.
    sidecars : tuple of Path
        JSON files that apply to the series, from the data set's root to the series' own.
    anat : str or None
        All entities of the T1w image that serves this run, None where there is no T1w image.
    anat_folder : str or None
        The folder of that image, as `folder`.
    t1w : Path or None
        That image; of a run that fMRIPrep has fitted, the one that it made.
    mask, confounds : Path or None
        Brain and confounds of a run that fMRIPrep has preprocessed.
    echoes : tuple of Echo
        All echoes, the first among them, of a run that has several.
    fit : Fit or None
        Transforms, masks and tissues of a run that fMRIPrep has fitted and not resampled.
    """

    participant: str
    folder: str
    name: str
    bold: Path
    events: Path | None
    sidecars: tuple[Path, ...]
    anat: str | None = None
    anat_folder: str | None = None
    t1w: Path | None = None
    mask: Path | None = None
    confounds: Path | None = None
    echoes: tuple[Echo, ...] = ()
    fit: Fit | None = None

    @property
    def sidecar(self) -> Path:
        """The sidecar nearest to the series."""
        return self.sidecars[-1]

    @property
    def files(self) -> list[Path]:
        """All files of the run that must be there."""
        found = [self.bold, *self.sidecars, self.events, self.t1w, self.mask, self.confounds]
        for echo in self.echoes[1:]:
            found += [echo.bold, *(path for path in echo.sidecars if path not in self.sidecars)]
        found += self.fit or ()
        return [path for path in found if path is not None]


def simulated_runs(bids_dir: str | Path, *, n_participants: int) -> list[Run]:
    """Return the runs that the built-in simulation writes, before they exist.

    Parameters
    ----------
    bids_dir : str or Path
        Where the simulation writes.
    n_participants : int
        How many participants it has.

    Returns
    -------
    list of Run
        One a participant, labelled 01, 02, ...
    """
    runs = []
    for number in range(1, n_participants + 1):
        participant = f"{number:02d}"
        folder = f"sub-{participant}/ses-mri3t"
        name = f"sub-{participant}_ses-mri3t_task-film_run-1"
        anat = f"sub-{participant}_ses-mri3t_run-1"
        func = Path(bids_dir) / folder / "func"
        runs.append(
            Run(
                participant=participant,
                folder=folder,
                name=name,
                bold=func / f"{name}_bold.nii.gz",
                events=func / f"{name}_events.tsv",
                sidecars=(func / f"{name}_bold.json",),
                anat=anat,
                anat_folder=folder,
                t1w=Path(bids_dir) / folder / "anat" / f"{anat}_T1w.nii.gz",
            )
        )
    return runs


def simulated_study(n_participants: int, choice: Choice, bids_dir: str | Path) -> list[Run]:
    """Return the chosen ones of the runs that the built-in simulation writes.

    Raises
    ------
    InputError
        When a participant is named whom the simulation does not have, or nobody is left.
    """
    runs = simulated_runs(bids_dir, n_participants=n_participants)
    everyone = {run.participant for run in runs}
    wanted = everyone if choice.participants == "all" else set(choice.participants)
    absent = sorted(wanted - everyone)
    if absent:
        raise InputError(
            "config.yaml",
            f"participant {', '.join(absent)} is not among the {n_participants} simulated ones",
            "correct participants or raise simulation.participants",
        )
    single = [named(key).items() for key in choice.exclude if "_" in key]
    runs = [
        run
        for run in runs
        if run.participant in wanted - set(participants_of(choice.exclude))
        and not any(key <= entities(run.name).items() for key in single)
    ]
    if not runs:
        raise InputError("config.yaml", "exclude leaves nobody", "shorten it")
    return runs


def index_study(
    bids_dir: str | Path, choice: Choice, *, needs_events: bool = True, needs_t1w: bool = True
) -> tuple[list[Run], list[Problem]]:
    """Find the BOLD runs of a data set, with the T1w image, sidecars and events of each.

    Parameters
    ----------
    bids_dir : str or Path
        The data set.
    choice : Choice
        Whom and what to choose.
    needs_events : bool
        Whether a run without events.tsv is an error.
    needs_t1w : bool
        Whether T1w images are looked for.

    Returns
    -------
    runs : list of Run
        Sorted by path.
    problems : list of Problem
        All that names tell. A run that cannot be used is in here and not among the runs.
    """
    root = Path(bids_dir)
    problems = check_description(root, derivative=False)
    if any(problem.severity == "error" for problem in problems):
        return [], problems
    table = index_files(root)
    images = table[table["ext"].isin(IMAGES) & table["suffix"].isin(["bold", "T1w"])]
    images, found = heeded(images, root)
    problems += found
    series = images[(images["suffix"] == "bold") & (images["datatype"] == "func")]
    chosen, found = choose(series, root, choice)
    problems += found
    chosen, found = usable(chosen, root)
    problems += found
    t1w = images[(images["suffix"] == "T1w") & (images["datatype"] == "anat")]
    t1w = t1w[(t1w["part"].isna() | (t1w["part"] == "mag")) & needs_t1w]
    anats = {
        participant: [Path(path) for path in group["path"]]
        for participant, group in t1w.groupby("sub")
    }
    together, found = gather_echoes([Path(path) for path in chosen["path"]], root)
    problems += found
    listing = functools.cache(list_folder)
    runs = []
    for echoes in together:
        participant = entities(stem(echoes[0]))["sub"]
        anat, found = choose_t1w(
            anats.get(participant, []), echoes[0], root, wanted=choice.selection.get("t1w")
        )
        run, ambiguous = describe_run(root, echoes, participant, anat, listing)
        found = found + ambiguous + check_files(run, needs_events=needs_events)
        problems += found
        if not any(problem.severity == "error" for problem in found):
            runs.append(run)
    return runs, problems


def describe_run(
    root: Path,
    echoes: tuple[Path, ...],
    participant: str,
    anat: Path | None,
    listing: Callable[[Path], list[str]] = list_folder,
) -> tuple[Run, list[Problem]]:
    """Gather what goes with the series of one run; paths are relative to the data set's root."""
    series = echoes[0]
    folder = series.parent.parent.as_posix()
    events, problems = nearest(
        inherited(root, series, ".tsv", suffix="events", listing=listing), series
    )
    described = tuple(
        Echo(root / path, tuple(inherited(root, path, ".json", listing=listing))) for path in echoes
    )
    run = Run(
        participant=participant,
        folder=folder,
        name=run_stem(series),
        bold=described[0].bold,
        events=events,
        sidecars=described[0].sidecars,
        anat=stem(anat) if anat else None,
        anat_folder=anat.parent.parent.as_posix() if anat else None,
        t1w=root / anat if anat else None,
        echoes=described if len(described) > 1 else (),
    )
    return run, problems


def check_files(run: Run, *, needs_events: bool) -> list[Problem]:
    """Check that all files of a run are there."""
    problems = []
    if not run.sidecars:
        problems.append(
            error(
                run.bold,
                "no JSON sidecar applies to it, so its TR is unknown",
                "add one with RepetitionTime and TaskName",
            )
        )
    if run.events is None and needs_events:
        problems.append(
            error(
                run.bold,
                "no events.tsv applies to it, so the film's blocks are unknown",
                "add one with onset, duration and trial_type, or set blocks.seconds",
            )
        )
    return problems + [found for path in run.files for found in check_present(path)]


def by_participant(runs: Iterable[Run]) -> dict[str, list[Run]]:
    """Return the runs of each participant, in the order in which they come."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        found.setdefault(run.participant, []).append(run)
    return found


def repetition_time(run: Run) -> float:
    """Return the TR of a run in seconds.

    Raises
    ------
    InputError
        When no sidecar of the run gives a usable one.
    """
    return sidecar_TR(read_sidecars(run.sidecars), run.sidecar)


def volume_reference(run: Run, TR: float) -> float:
    """Return the instant that a volume of a run stands for, in seconds from the volume's start.

    Raises
    ------
    InputError
        When the run's sidecars give an impossible one.
    """
    return reference_time(
        read_sidecars(run.sidecars), TR=TR, derived=run.confounds is not None, name=run.sidecar
    )
