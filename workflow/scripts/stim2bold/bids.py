"""Which files of a BIDS data set belong to the study.

Entities, folders and inheritance are those of the BIDS specification 1.10. Nothing is read but
names; what is in the files is looked at by `stim2bold.inputs`.
"""

import functools
import os
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from stim2bold.errors import InputError
from stim2bold.problems import Problem, error, refuse, warning
from stim2bold.sidecars import read_sidecars

if TYPE_CHECKING:
    import pandas as pd

#: Entities by which runs are chosen: their names in the configuration and in file names.
CHOICES = {
    "session": "ses",
    "task": "task",
    "run": "run",
    "acquisition": "acq",
    "reconstruction": "rec",
    "direction": "dir",
}
IMAGES = (".nii", ".nii.gz")


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
        The series; of fMRIPrep's, the preprocessed one.
    events : Path or None
        The table of its blocks.
    sidecars : tuple of Path
        JSON files that apply to the series, from the data set's root to the series' own.
    anat : str or None
        All entities of the T1w image that serves this run, None where there is no T1w image.
    anat_folder : str or None
        The folder of that image, as `folder`.
    t1w : Path or None
        That image.
    mask, confounds : Path or None
        Brain and confounds of a run that fMRIPrep has preprocessed.
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

    @property
    def sidecar(self) -> Path:
        """The sidecar nearest to the series."""
        return self.sidecars[-1]

    @property
    def files(self) -> list[Path]:
        """All files of the run that must be there."""
        found = (self.bold, *self.sidecars, self.events, self.t1w, self.mask, self.confounds)
        return [path for path in found if path is not None]


@dataclass(frozen=True)
class Choice:
    """Which runs of a data set are the study's.

    Attributes
    ----------
    participants : 'all' or list of str
        Labels without ``sub-``.
    exclude : dict of str to str
        Participants who are left out, and why.
    selection : dict
        A label, a list of labels or None for each key of `CHOICES`.
    """

    participants: str | list[str] = "all"
    exclude: dict[str, str] = field(default_factory=dict)
    selection: dict[str, str | list[str] | None] = field(default_factory=dict)


def stem(path: Path) -> str:
    """Return the entities of a BIDS file name, without its suffix and extension."""
    return path.name.split(".", 1)[0].rsplit("_", 1)[0]


def excluded(setting: list[str] | dict[str, str]) -> dict[str, str]:
    """Return who is left out and why, from the configuration's key `exclude`."""
    if isinstance(setting, dict):
        return {str(label): reason for label, reason in setting.items()}
    return dict.fromkeys(setting, "left out by the configuration")


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
            f"config.yaml: participant {', '.join(absent)} is not among the "
            f"{n_participants} simulated ones; correct participants or raise "
            "simulation.participants"
        )
    runs = [run for run in runs if run.participant in wanted - set(choice.exclude)]
    if not runs:
        raise InputError("config.yaml: exclude leaves nobody; shorten it")
    return runs


def index_files(root: Path) -> "pd.DataFrame":
    """Return the files of a BIDS data set, one a row, with a column for each entity.

    Paths are relative to the data set. Links without content are among them.
    """
    # Imported here: a simulated study is not indexed, and goes without the time this takes.
    from bids2table import index_dataset

    # Through a link of its own: the index takes a folder with a dot in its name for a file, and one
    # with brackets for a pattern.
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder) / "dataset"
        link.symlink_to(root.absolute(), target_is_directory=True)
        table = index_dataset(link).to_pandas()
    return table.sort_values("path", ignore_index=True)


def check_description(root: Path, *, derivative: bool) -> list[Problem]:
    """Check that a folder is a data set, raw or derived as it should be."""
    path = root / "dataset_description.json"
    if not root.is_dir():
        return [error(root, "no such folder", "correct the path in the configuration")]
    if not path.is_file():
        return [
            error(
                root,
                "no dataset_description.json, so this is not a BIDS data set",
                "give the folder that holds that file",
            )
        ]
    try:
        kind = read_sidecars([path]).get("DatasetType", "raw")
    except InputError:
        # BIDS tools need it, we do not.
        return [warning(path, "not a JSON object", "mend it, other BIDS tools need it")]
    if kind == "derivative" and not derivative:
        return [
            error(
                root,
                "its dataset_description.json says that it holds derivatives",
                "give the raw data set by bids_dir and this folder by preprocessing.derivatives",
            )
        ]
    return []


def choose(
    table: "pd.DataFrame", root: Path, choice: Choice
) -> tuple["pd.DataFrame", list[Problem]]:
    """Choose the series of the study from those of a data set.

    Parameters
    ----------
    table : DataFrame
        Series, as `index_files` returns them.
    root : Path
        The data set, for messages.
    choice : Choice
        Whom and what to choose.
    """
    problems = []
    chosen = table
    for key, entity in CHOICES.items():
        wanted = choice.selection.get(key)
        if wanted is None:
            continue
        labels = wanted if isinstance(wanted, list) else [wanted]
        if entity == "run":
            labels = [int(label) for label in labels]
        there = chosen[entity].dropna().unique().astype(int if entity == "run" else str)
        if len(chosen) and not set(labels) & set(there):
            known = ", ".join(sorted(map(str, there))) or "none"
            problems.append(
                error(
                    root,
                    f"no BOLD run of {key} {', '.join(map(str, labels))} (there is: {known})",
                    f"correct selection.{key}",
                )
            )
        chosen = chosen[chosen[entity].isin(labels)]
    if problems:
        return chosen.iloc[:0], problems
    known = set(chosen["sub"])
    named = known if choice.participants == "all" else set(choice.participants)
    if absent := sorted(named - known):
        problems.append(
            error(
                root,
                f"no BOLD run of participant {', '.join(absent)}",
                "correct the list 'participants' or add the images",
            )
        )
    problems += [
        warning("config.yaml", f"exclude names participant {label}, who has no run", "correct it")
        for label in sorted(set(choice.exclude) - set(table["sub"]))
    ]
    chosen = chosen[chosen["sub"].isin(named - set(choice.exclude))]
    if chosen.empty and not problems:
        problems.append(
            error(
                root,
                "no BOLD run (*_bold.nii.gz) matches the configuration",
                "look at bids_dir, participants, exclude and selection",
            )
        )
    return chosen, problems


def usable(table: "pd.DataFrame", root: Path) -> tuple["pd.DataFrame", list[Problem]]:
    """Tell the series that can be analysed from those that cannot, and say why."""
    problems = []
    for name, echoes in table[table["echo"].notna()].groupby(
        table["path"].str.replace(r"_echo-\d+", "", regex=True)
    ):
        problems.append(
            error(
                root / name,
                f"a run of {len(echoes)} echoes, which this workflow does not combine",
                "combine them first (fMRIPrep or tedana) and give the result by "
                "preprocessing.derivatives",
            )
        )
    table = table[table["echo"].isna()]
    # Phase, real and imaginary images are no BOLD series of their own.
    table = table[table["part"].isna() | (table["part"] == "mag")]
    seen: dict[str, str] = {}
    for row in table.itertuples():
        own = f"sub-{row.sub}"
        if not row.path.startswith(f"{own}/"):
            problems.append(
                error(
                    root / row.path,
                    f"is named for participant {row.sub} but lies in another's folder",
                    "rename or move it",
                )
            )
        name = stem(Path(row.path))
        if name in seen:
            problems.append(
                error(
                    root / row.path,
                    f"is there twice, the other is {seen[name]}",
                    "remove one of the two",
                )
            )
        seen[name] = row.path
    return table, problems


def index_study(
    bids_dir: str | Path, choice: Choice, *, needs_events: bool = True
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
    images = table[table["ext"].isin(IMAGES)]
    series = images[(images["suffix"] == "bold") & (images["datatype"] == "func")]
    chosen, found = choose(series, root, choice)
    problems += found
    chosen, found = usable(chosen, root)
    problems += found
    t1w = images[(images["suffix"] == "T1w") & (images["datatype"] == "anat")]
    anats = {
        participant: [Path(path) for path in group["path"]]
        for participant, group in t1w.groupby("sub")
    }
    listing = functools.cache(list_folder)
    runs = []
    for row in chosen.itertuples():
        run = describe_run(root, Path(row.path), row.sub, anats.get(row.sub, []), listing)
        found = check_files(run, needs_events=needs_events)
        problems += found
        if not any(problem.severity == "error" for problem in found):
            runs.append(run)
    return runs, problems


def list_folder(folder: Path) -> list[str]:
    """Return the names in a folder, in order."""
    return sorted(os.listdir(folder))


def describe_run(
    root: Path,
    series: Path,
    participant: str,
    anats: list[Path],
    listing: Callable[[Path], list[str]] = list_folder,
) -> Run:
    """Gather what goes with one BOLD series; paths are relative to the data set's root."""
    folder = series.parent.parent.as_posix()
    same_session = [path for path in anats if path.parent.parent == series.parent.parent]
    anat = (same_session or anats or [None])[0]
    events = inherited(root, series, ".tsv", suffix="events", listing=listing)
    return Run(
        participant=participant,
        folder=folder,
        name=stem(series),
        bold=root / series,
        events=events[-1] if events else None,
        sidecars=tuple(inherited(root, series, ".json", listing=listing)),
        anat=stem(anat) if anat else None,
        anat_folder=anat.parent.parent.as_posix() if anat else None,
        t1w=root / anat if anat else None,
    )


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


def check_present(path: Path) -> list[Problem]:
    """Check that a file has content, and say so where git-annex keeps it elsewhere."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        if not path.is_symlink():
            return [error(path, "the file is not there", "add it or leave its participant out")]
        target = os.readlink(path)
        if "annex/objects" in Path(target).as_posix():
            return [absent_content(path)]
        return [
            error(path, f"is a link to {target}, which is not there", "mend the link or fetch it")
        ]
    except OSError as fault:
        return [error(path, f"cannot be read ({fault.strerror})", "mend the path or permissions")]
    if 0 < size < 1000 and path.name.endswith(IMAGES):
        with path.open("rb") as file:
            # What git-annex leaves in place of an unlocked file.
            if file.read(15) == b"/annex/objects/":
                return [absent_content(path)]
    return []


def absent_content(path: Path) -> Problem:
    """Return the problem of a file of git-annex that was not fetched."""
    return error(
        path,
        "its content is absent: git-annex (datalad) keeps it elsewhere",
        "fetch it by 'datalad get' or 'git annex get', or exclude the participant",
    )


def by_participant(runs: Iterable[Run]) -> dict[str, list[Run]]:
    """Return the runs of each participant, in the order in which they come."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        found.setdefault(run.participant, []).append(run)
    return found


def inherited(
    root: Path,
    series: Path,
    extension: str,
    *,
    suffix: str = "bold",
    listing: Callable[[Path], list[str]] = list_folder,
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
    listing : callable
        Returns the names in a folder.

    Returns
    -------
    list of Path
        From the root to the series' own folder; in one folder, the more particular last.
    """
    entities = set(stem(series).split("_"))
    found = []
    for folder in (root / parent for parent in reversed(series.parents)):
        if not folder.is_dir():
            continue
        here = [
            name
            for name in listing(folder)
            if name == f"{suffix}{extension}"
            or (
                name.endswith(f"_{suffix}{extension}")
                and set(stem(Path(name)).split("_")) <= entities
            )
        ]
        found += [folder / name for name in sorted(here, key=lambda name: name.count("_"))]
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
    if Path(film).is_symlink():
        refuse(check_present(Path(film)))
    if not Path(film).is_file():
        raise InputError(f"{film}: the film is not there; set film to the file that was watched")
    return Path(film)


def annotations_path(annotations_dir: str | None, *, bids_dir: str, expected: bool) -> Path | None:
    """Return the folder of the film's annotations, ``stimuli/annotations`` unless it is given.

    Parameters
    ----------
    annotations_dir : str or None
        As the configuration gives it.
    bids_dir : str
        The data set.
    expected : bool
        Whether the data set will have annotations that are not there yet.

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
        return own if expected or own.is_dir() else None
    if not Path(annotations_dir).is_dir():
        raise InputError(
            f"{annotations_dir}: no such folder; set annotations_dir to the folder with the "
            "sub-folders video and sound"
        )
    return Path(annotations_dir)
