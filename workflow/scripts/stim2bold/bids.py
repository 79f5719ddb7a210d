"""Which files of a BIDS data set belong to the study.

Entities, folders and inheritance are those of the BIDS specification 1.10.
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from stim2bold.errors import InputError
from stim2bold.sidecars import read_sidecars


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
    bold, events : Path
        The series and the table of its blocks.
    sidecars : tuple of Path
        JSON files that apply to the series, from the data set's root to the series' own.
    anat : str or None
        All entities of the T1w image that serves this run, None where there is no T1w image.
    anat_folder : str or None
        The folder of that image, as `folder`.
    t1w : Path or None
        That image.
    """

    participant: str
    folder: str
    name: str
    bold: Path
    events: Path
    sidecars: tuple[Path, ...]
    anat: str | None
    anat_folder: str | None
    t1w: Path | None

    @property
    def sidecar(self) -> Path:
        """The sidecar nearest to the series."""
        return self.sidecars[-1]


def stem(path: Path) -> str:
    """Return the entities of a BIDS file name, without its suffix and extension."""
    return path.name.split(".", 1)[0].rsplit("_", 1)[0]


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


def study_runs(
    *,
    bids_dir: str,
    participants: str | list[str],
    selection: dict[str, str | None],
    n_simulated: int | None,
) -> list[Run]:
    """Return the runs of the study: those of a data set, or those that are yet to be simulated.

    Parameters
    ----------
    bids_dir : str
        The data set.
    participants : 'all' or list of str
        Labels without ``sub-``.
    selection : dict
        ``session``, ``task`` and ``run``, each a label or None.
    n_simulated : int or None
        Number of simulated participants; None for a data set that exists.

    Raises
    ------
    InputError
        As `find_runs`; or when a participant is named whom the simulation does not have.
    """
    if n_simulated is None:
        return find_runs(bids_dir, participants, **selection)
    runs = simulated_runs(bids_dir, n_participants=n_simulated)
    if participants == "all":
        return runs
    absent = sorted(set(participants) - {run.participant for run in runs})
    if absent:
        raise InputError(
            f"config.yaml: participant {', '.join(absent)} is not among the "
            f"{n_simulated} simulated ones; correct participants or raise simulation.participants"
        )
    return [run for run in runs if run.participant in participants]


def find_runs(
    bids_dir: str | Path,
    participants: str | list[str],
    *,
    session: str | None = None,
    task: str | None = None,
    run: str | None = None,
) -> list[Run]:
    """Find the BOLD runs of a data set, with the T1w image, sidecars and events of each.

    Parameters
    ----------
    bids_dir : str or Path
        The data set.
    participants : 'all' or list of str
        Labels without ``sub-``.
    session, task, run : str, optional
        Only runs with this entity.

    Returns
    -------
    list of Run
        Sorted by name.

    Raises
    ------
    InputError
        When the folder is no BIDS data set, a named participant has no run, or a run lacks its
        sidecar or its events.
    """
    # Imported here: a simulated study is not indexed, and goes without the time this takes.
    from bids2table import index_dataset

    root = Path(bids_dir)
    if not (root / "dataset_description.json").is_file():
        raise InputError(
            f"{root}: no dataset_description.json, so this is not a BIDS data set; "
            "set bids_dir to the folder that holds that file"
        )
    table = index_dataset(str(root)).to_pandas()
    images = table[table["ext"].isin([".nii", ".nii.gz"])]
    bold = images[(images["suffix"] == "bold") & (images["datatype"] == "func")]
    for entity, wanted in (("ses", session), ("task", task)):
        if wanted is not None:
            bold = bold[bold[entity] == wanted]
    if run is not None:
        bold = bold[bold["run"] == int(run)]
    if participants != "all":
        absent = sorted(set(participants) - set(bold["sub"]))
        if absent:
            raise InputError(
                f"{root}: no BOLD run of participant {', '.join(absent)}; "
                "correct the list 'participants' or add the images"
            )
        bold = bold[bold["sub"].isin(participants)]
    if bold.empty:
        raise InputError(
            f"{root}: no BOLD run (*_bold.nii.gz) matches the configuration; "
            "look at bids_dir, participants and selection"
        )
    t1w = images[(images["suffix"] == "T1w") & (images["datatype"] == "anat")]
    anats = {
        participant: sorted(Path(path) for path in group["path"])
        for participant, group in t1w.groupby("sub")
    }
    # Every series looks into the data set's root: it is listed once, not once for each.
    names = cache(file_names)
    return [
        describe_run(root, Path(row.path), row.sub, anats.get(row.sub, []), names=names)
        for row in bold.sort_values("path").itertuples()
    ]


def file_names(folder: Path) -> list[str]:
    """Return the names of the files in a folder, sorted."""
    return sorted(entry.name for entry in os.scandir(folder) if not entry.is_dir())


def describe_run(
    root: Path,
    series: Path,
    participant: str,
    anats: list[Path],
    *,
    names: Callable[[Path], list[str]],
) -> Run:
    """Gather what goes with one BOLD series; paths are relative to the data set's root."""
    folder = series.parent.parent.as_posix()
    same_session = [path for path in anats if path.parent.parent == series.parent.parent]
    anat = (same_session or anats or [None])[0]
    sidecars = inherited(root, series, ".json", names=names)
    events = inherited(root, series, ".tsv", suffix="events", names=names)
    if not sidecars:
        raise InputError(
            f"{root / series}: no JSON sidecar applies to it, so its TR is unknown; "
            "add one with RepetitionTime and TaskName"
        )
    if not events:
        raise InputError(
            f"{root / series}: no events.tsv applies to it; add one with onset, duration and "
            "trial_type of the film's blocks"
        )
    return Run(
        participant=participant,
        folder=folder,
        name=stem(series),
        bold=root / series,
        events=events[-1],
        sidecars=tuple(sidecars),
        anat=stem(anat) if anat else None,
        anat_folder=anat.parent.parent.as_posix() if anat else None,
        t1w=root / anat if anat else None,
    )


def inherited(
    root: Path,
    series: Path,
    extension: str,
    *,
    suffix: str = "bold",
    names: Callable[[Path], list[str]] = file_names,
) -> list[Path]:
    """Find the files that apply to a series by BIDS' inheritance principle.

    A file applies when it lies in the series' folder or one above it and each of its entities is
    also one of the series'.

    Parameters
    ----------
    root : Path
        The data set.
    series : Path
        The series, relative to `root`.
    extension, suffix : str
        Of the files looked for.
    names : callable
        What lists the files of a folder.

    Returns
    -------
    list of Path
        From the root to the series' own folder.
    """
    entities = set(stem(series).split("_"))
    folders = [root / parent for parent in reversed(series.parents)]
    return [
        folder / name
        for folder in folders
        for name in names(folder)
        if name == f"{suffix}{extension}"
        or (name.endswith(f"_{suffix}{extension}") and set(stem(Path(name)).split("_")) <= entities)
    ]


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
    TR = read_sidecars(run.sidecars).get("RepetitionTime")
    if not isinstance(TR, int | float) or not 0.1 <= TR <= 20:
        raise InputError(
            f"{run.sidecar}: RepetitionTime is {TR!r}; give the TR of the series in seconds"
        )
    return float(TR)


def film_path(film: str | None, bids_dir: str | None) -> Path:
    """Return the film: the user's, or the one that the simulation draws.

    Raises
    ------
    InputError
        When a data set is given without its film, or the film is not there.
    """
    if film is None:
        if bids_dir is not None:
            raise InputError(
                "config.yaml: bids_dir is set but film is not; set film to the file that the "
                "participants watched"
            )
        return Path("results/simulated/film.mp4")
    if not Path(film).is_file():
        raise InputError(f"{film}: the film is not there; set film to the file that was watched")
    return Path(film)


def head_path(head: str | None) -> Path | None:
    """Return the T1w image of the head that simulated participants are to have, or None.

    Raises
    ------
    InputError
        When it is not there.
    """
    if head is None:
        return None
    if not Path(head).is_file():
        raise InputError(
            f"{head}: the head is not there; set simulation.images.head to a T1w image, or to "
            "null for drawn heads"
        )
    return Path(head)


def annotations_path(
    annotations_dir: str | None, *, bids_dir: str, n_simulated: int | None, **_: object
) -> Path | None:
    """Return the folder of the film's annotations, ``stimuli/annotations`` unless it is given.

    Returns
    -------
    Path or None
        None where the data set has no annotations.

    Raises
    ------
    InputError
        When a folder that is given is not there.
    """
    own = Path(bids_dir) / "stimuli" / "annotations"
    if annotations_dir is None:
        return own if n_simulated is not None or own.is_dir() else None
    if not Path(annotations_dir).is_dir():
        raise InputError(
            f"{annotations_dir}: no such folder; set annotations_dir to the folder with the "
            "sub-folders video and sound"
        )
    return Path(annotations_dir)
