"""The index of a BIDS data set, and which of its series a configuration chooses.

Entities, folders and inheritance are those of the BIDS specification 1.10. Nothing is read but
names.
"""

import logging
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stim2bold.io.presence import hidden
from stim2bold.runtime.errors import InputError
from stim2bold.runtime.issues import Problem, error, few, from_refusal, n_errors, note, warning
from stim2bold.study.bids_names import entities, stem
from stim2bold.study.bids_names import named as run_named
from stim2bold.study.bidsignore import ignored
from stim2bold.study.sidecars import read_sidecars

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
        Participants and runs that are left out, and why; see `excluded`.
    selection : dict
        A label, a list of labels or None for each key of `CHOICES`, where '' stands for a name
        without that entity; ``t1w``, likewise for `stim2bold.study.t1w_choice.T1W_CHOICES`.
    """

    participants: str | list[str] = "all"
    exclude: dict[str, str] = field(default_factory=dict)
    selection: dict[str, Any] = field(default_factory=dict)


def excluded(setting: list[str] | dict[str, str]) -> dict[str, str]:
    """Return who is left out and why, from the configuration's key `exclude`.

    Participants stand by their labels, runs by a label and entities: ``02_run-1``.
    """
    reasons = (
        setting
        if isinstance(setting, dict)
        else dict.fromkeys(setting, "left out by the configuration")
    )
    return {str(label).removeprefix("sub-"): reason for label, reason in reasons.items()}


def participants_of(exclude: dict[str, str]) -> dict[str, str]:
    """Return the participants, not the single runs, among those who are left out."""
    return {label: reason for label, reason in exclude.items() if "_" not in label}


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
    chosen, problems = by_entities(table, root, choice)
    if n_errors(problems):
        return chosen.iloc[:0], problems
    if len(chosen) < len(table):
        left = [Path(path).name for path in table["path"][~table.index.isin(chosen.index)]]
        problems.append(
            note(
                root,
                f"{len(left)} of {len(table)} BOLD series are not chosen: {few(left)}",
                "selection says which are",
            )
        )
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
    problems += unknown_exclusions(choice, set(table["sub"]))
    chosen, found = without_excluded(
        chosen[chosen["sub"].isin(named - set(choice.exclude))], choice.exclude
    )
    problems += found
    if chosen.empty and not n_errors(problems):
        problems.append(
            error(
                root,
                "no BOLD run (*_bold.nii.gz) matches the configuration",
                "look at bids_dir, participants, exclude and selection",
            )
        )
    return chosen, problems


def by_entities(
    table: "pd.DataFrame", root: Path, choice: Choice
) -> tuple["pd.DataFrame", list[Problem]]:
    """Choose series by the entities of their names; arguments as of `choose`."""
    problems: list[Problem] = []
    for key, entity in CHOICES.items():
        wanted = choice.selection.get(key)
        if wanted is None:
            continue
        labels = wanted if isinstance(wanted, list) else [wanted]
        # An index of a run is a number there, other labels are text; '' is no entity at all.
        there = table[entity].astype(object).where(table[entity].notna(), "")
        there = there.map(lambda label: label if isinstance(label, str) else str(int(label)))
        wished = [str(int(label)) if entity == "run" and label else label for label in labels]
        known = ", ".join(sorted({label or "none" for label in there})) or "none"
        for label in [label for label in wished if label not in set(there) and len(table)]:
            tell = warning if set(wished) & set(there) else error
            problems.append(
                tell(
                    root,
                    f"no BOLD run of {key} {label or 'absent'} (there is: {known})",
                    f"correct selection.{key}",
                )
            )
        table = table[there.isin(wished)]
    return table, problems


def unknown_exclusions(choice: Choice, everybody: set[str]) -> list[Problem]:
    """Say which excluded participants have no run."""
    problems = []
    for label in sorted(participants_of(choice.exclude).keys() - everybody):
        # Quoted or not, 2 is not 02: whoever is meant would stay in without a word.
        meant = [other for other in sorted(everybody) if other.lstrip("0") == label.lstrip("0")]
        tell = error if meant else warning
        fix = f"write it as the data set does: '{meant[0]}'" if meant else "correct it"
        what = f"exclude names participant {label}, who has no run"
        problems.append(tell("config.yaml", what, fix))
    return problems


def without_excluded(
    chosen: "pd.DataFrame", exclude: dict[str, str]
) -> tuple["pd.DataFrame", list[Problem]]:
    """Leave out the runs that `exclude` names, and say which."""
    problems = []
    own = [entities(stem(Path(path))).items() for path in chosen["path"]]
    left_out = [False] * len(own)
    for key in [key for key in exclude if "_" in key]:
        fits = [run_named(key).items() <= items for items in own]
        left_out = [a or b for a, b in zip(left_out, fits, strict=True)]
        names = [Path(path).name for path, fit in zip(chosen["path"], fits, strict=True) if fit]
        if names:
            what = f"{few(names)} is left out: {exclude[key]}"
            problems.append(note("config.yaml", what, "exclude says so"))
        elif key.split("_")[0] not in participants_of(exclude):
            what = f"exclude names the run {key}, which is not there"
            problems.append(error("config.yaml", what, "correct it"))
    return chosen.iloc[[row for row, out in enumerate(left_out) if not out]], problems


def usable(table: "pd.DataFrame", root: Path) -> tuple["pd.DataFrame", list[Problem]]:
    """Tell the series that can be analysed from those that cannot, and say why."""
    problems = []
    # Phase, real and imaginary images are no BOLD series of their own.
    magnitude = table["part"].isna() | (table["part"] == "mag")
    if not magnitude.all():
        left = [Path(path).name for path in table["path"][~magnitude]]
        what = f"{len(left)} series are no magnitude images and are passed over: {few(left)}"
        problems.append(note(root, what, "nothing need be done"))
    table = table[magnitude]
    problems += reconstructions(table, root)
    seen: dict[tuple, str] = {}
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
        name = tuple(sorted(entities(stem(Path(row.path))).items()))
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


def reconstructions(table: "pd.DataFrame", root: Path) -> list[Problem]:
    """Refuse what is one measurement reconstructed in several ways: its mean would be taken."""
    ways: dict[tuple, dict[str, str]] = {}
    for path in table["path"]:
        own = entities(stem(Path(path)))
        label = own.pop("rec", "")
        ways.setdefault(tuple(sorted(own.items())), {})[label] = path
    return [
        error(
            root / next(iter(found.values())),
            "is one run in several reconstructions: "
            + ", ".join(f"rec-{label}" if label else "without rec" for label in sorted(found)),
            "choose one by selection.reconstruction ('' for the one without)",
        )
        for found in ways.values()
        if len(found) > 1
    ]


def heeded(table: "pd.DataFrame", *roots: Path, names=None) -> tuple["pd.DataFrame", list[Problem]]:
    """Leave out the images that a data set's .bidsignore lists.

    Parameters
    ----------
    table : DataFrame
        Images, as `index_files` returns them.
    *roots : Path
        Data sets that may hold a .bidsignore.
    names : callable, optional
        Returns what a path of the table is called in the second data set.
    """
    problems = []
    for root in roots:
        try:
            tell = ignored(root)
        except InputError as refusal:
            problems.append(from_refusal(refusal, root / ".bidsignore"))
            continue
        rename = names if names and root != roots[0] else str
        out = [tell(rename(path)) for path in table["path"]]
        if any(out):
            left = [Path(path).name for path, gone in zip(table["path"], out, strict=True) if gone]
            what = f"lists {len(left)} image(s), which are passed over: {few(left)}"
            fix = "remove the line of one that is to be analysed"
            problems.append(warning(root / ".bidsignore", what, fix))
            table = table.iloc[[row for row, gone in enumerate(out) if not gone]]
    return table, problems
