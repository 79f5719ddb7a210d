"""Derivatives of fMRIPrep in place of our own preprocessing.

Names are those of fMRIPrep 20.2 and later: ``<run>_space-<space>[_res-<res>]_desc-preproc_bold``
with ``_desc-brain_mask`` and ``<run>_desc-confounds_timeseries.tsv`` beside it. Events stay in the
raw data set, where fMRIPrep leaves them.
"""

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from stim2bold.runtime.issues import Problem, error, n_errors
from stim2bold.study.bids import Run, check_files
from stim2bold.study.bids_index import (
    Choice,
    check_description,
    choose,
    heeded,
    index_files,
    usable,
)
from stim2bold.study.bids_names import inherited, list_folder, nearest, stem
from stim2bold.study.echoes import combined_only

if TYPE_CHECKING:
    import pandas as pd

#: Entities that fMRIPrep adds to a run's.
ADDED = {"space", "cohort", "res", "den", "desc"}
CONFOUNDS = ("desc-confounds_timeseries.tsv", "desc-confounds_regressors.tsv")
MOTION = [f"{kind}_{axis}" for kind in ("trans", "rot") for axis in "xyz"]
#: What follows a regressor's name in each of nilearn's expansions.
EXPANSIONS = {
    "basic": ("",),
    "derivatives": ("", "_derivative1"),
    "power2": ("", "_power2"),
    "full": ("", "_derivative1", "_power2", "_derivative1_power2"),
}


def needed_columns(strategy: str, motion: str) -> list[str]:
    """Return the confounds that a strategy of nilearn's load_confounds_strategy reads by name."""
    if strategy == "ica_aroma":
        return ["csf", "white_matter"]
    columns = [f"{name}{suffix}" for name in MOTION for suffix in EXPANSIONS[motion]]
    if strategy == "compcor":
        return columns
    tissues = "full" if strategy == "scrubbing" else "basic"
    columns += [
        f"{name}{suffix}" for name in ("csf", "white_matter") for suffix in EXPANSIONS[tissues]
    ]
    return columns + (["framewise_displacement", "std_dvars"] if strategy == "scrubbing" else [])


def find_space(
    series: "pd.DataFrame",
    root: Path,
    *,
    space: str | None,
    cohort: str | None = None,
    res: str | None,
) -> tuple["pd.DataFrame", list[Problem]]:
    """Choose the series of one space, cohort of its template, and resolution.

    Parameters
    ----------
    series : DataFrame
        Preprocessed series of all spaces.
    root : Path
        The derivatives, for messages.
    space, cohort, res : str or None
        The wanted labels; None where there is but one, '' for series without.
    """
    for entity, wanted in (("space", space), ("cohort", cohort), ("res", res)):
        labels = series[entity].astype(object).where(series[entity].notna(), "")
        # '' is a series without that entity, which is one of several only beside others.
        there = sorted(set(labels)) if labels.any() and entity != "space" else []
        if entity == "space":
            # Other spaces are nobody's but the participant's: voxels must mean the same in all.
            there = sorted({label for label in labels if label.startswith("MNI")})
        if wanted is None and len(there) > 1:
            return series.iloc[:0], [
                error(
                    root,
                    f"has series of several preprocessing.{entity}: "
                    f"{', '.join(label or 'none' for label in there)}",
                    f"choose one by preprocessing.{entity}"
                    + (" ('' for those without)" if "" in there else ""),
                )
            ]
        if (wanted not in (None, "", *there)) or (entity == "space" and not there):
            return series.iloc[:0], [
                error(
                    root,
                    f"has no series (*_desc-preproc_bold.nii.gz) of {entity} {wanted or 'MNI...'} "
                    f"(there is: {', '.join(there) or 'none'})",
                    f"correct preprocessing.{entity}, or run fMRIPrep with such --output-spaces",
                )
            ]
        if there:
            series = series[labels == (there[0] if wanted is None else wanted)]
    return series, []


def index_derivatives(
    derivatives: str | Path,
    bids_dir: str | Path,
    choice: Choice,
    *,
    space: str | None,
    cohort: str | None = None,
    res: str | None,
    needs_events: bool = True,
) -> tuple[list[Run], list[Problem], str | None]:
    """Find the preprocessed runs of a folder that fMRIPrep wrote.

    Parameters
    ----------
    derivatives : str or Path
        That folder.
    bids_dir : str or Path
        The raw data set, for the events; its images are not needed.
    choice : Choice
        Whom and what to choose.
    space, cohort, res : str or None
        Labels of the output space, see `find_space`.
    needs_events : bool
        Whether a run without events.tsv is an error.

    Returns
    -------
    runs : list of Run
        `bold` is the preprocessed series.
    problems : list of Problem
    space : str or None
        The space that the series are in; None where there is none.
    """
    root, raw = Path(derivatives), Path(bids_dir)
    problems = check_description(root, derivative=True)
    if raw != root:
        problems += check_description(raw, derivative=False)
    if n_errors(problems):
        return [], problems, None
    table = index_files(root)
    series = table[(table["suffix"] == "bold") & (table["desc"] == "preproc")]
    series = series[series["ext"] == ".nii.gz"]
    series, found = find_space(series, root, space=space, cohort=cohort, res=res)
    problems += found
    if found:
        return [], problems, None
    series, found = heeded(
        series, *dict.fromkeys((root, raw)), names=lambda path: original_of(Path(path)).as_posix()
    )
    problems += found
    combined, found = combined_only([Path(path) for path in series["path"]], root)
    problems += found
    chosen, found = choose(series[combined], root, choice)
    problems += found
    chosen, found = usable(chosen, root)
    problems += found
    listing = functools.cache(list_folder)
    runs = []
    for row in chosen.itertuples():
        run, found = describe_derived(root, raw, Path(row.path), row.sub, listing)
        found = found + check_files(run, needs_events=needs_events)
        problems += found
        if not n_errors(found):
            runs.append(run)
    return runs, problems, series["space"].iloc[0] if len(series) else None


def original_of(series: Path) -> Path:
    """Return what the raw series of a preprocessed one is called."""
    parts = series.name.split(".", 1)[0].split("_")[:-1]
    name = "_".join(part for part in parts if part.split("-", 1)[0] not in ADDED)
    return series.parent / f"{name}_bold.nii.gz"


def describe_derived(
    root: Path, raw: Path, series: Path, participant: str, listing
) -> tuple[Run, list[Problem]]:
    """Gather what goes with one preprocessed series; its path is relative to the derivatives."""
    original = original_of(series)
    name = stem(original)
    names = listing(root / series.parent)
    mask = series.name.replace("_desc-preproc_bold", "_desc-brain_mask")
    confounds = [f"{name}_{end}" for end in CONFOUNDS if f"{name}_{end}" in names]
    own = inherited(root, series, ".json", listing=listing)
    sidecars = inherited(raw, original, ".json", listing=listing) if raw != root else []
    events, problems = nearest(
        inherited(raw, original, ".tsv", suffix="events", listing=listing), original
    )
    folder = root / series.parent
    if not confounds:
        problems.append(
            error(
                root / series,
                f"has no confounds ({name}_{CONFOUNDS[0]}) beside it",
                "copy them there, or run fMRIPrep for this participant again",
            )
        )
    if mask not in names:
        problems.append(
            error(
                root / series,
                f"has no brain mask ({mask}) beside it",
                "copy it there, or run fMRIPrep for this participant again",
            )
        )
    run = Run(
        participant=participant,
        folder=series.parent.parent.as_posix(),
        name=name,
        bold=root / series,
        events=events,
        sidecars=(*sidecars, *own),
        mask=folder / mask if mask in names else None,
        confounds=folder / confounds[0] if confounds else None,
    )
    return run, problems
