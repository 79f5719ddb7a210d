"""The index of a BIDS data set, and which of its series a configuration chooses.

Entities, folders and inheritance are those of the BIDS specification 1.10. Nothing is read but
names.
"""

import logging
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from stim2bold.errors import InputError
from stim2bold.presence import hidden
from stim2bold.problems import Problem, error, warning
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


def list_folder(folder: Path) -> list[str]:
    """Return the names in a folder that are not hidden, in order."""
    return sorted(name for name in os.listdir(folder) if not hidden(name))


def index_files(root: Path) -> "pd.DataFrame":
    """Return the files of a BIDS data set, one a row, with a column for each entity.

    Paths are relative to the data set. Links without content are among them.
    """
    # Imported here: a simulated study is not indexed, and goes without the time this takes.
    from bids2table import index_dataset

    # It tells everybody where its schema lies.
    logging.getLogger("bidsschematools").setLevel(logging.WARNING)
    # Through a link of its own: the index takes a folder with a dot in its name for a file, and one
    # with brackets for a pattern.
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder) / "dataset"
        link.symlink_to(root.absolute(), target_is_directory=True)
        table = index_dataset(link).to_pandas()
    table = table[~table["path"].map(hidden).astype(bool)]
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
