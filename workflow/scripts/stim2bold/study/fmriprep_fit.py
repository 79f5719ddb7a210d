"""Derivatives of fMRIPrep's ``--level minimal``: what it fitted, by which we resample raw series.

Names are those of fMRIPrep 23.2 and later. Beside the T1w image lie its brain, its tissues and the
transforms to templates; beside each run's reference volumes, the head motion of every volume
(``from-orig_to-boldref``) and the transform to the T1w image (``from-boldref_to-T1w``), both text
files of ITK. Our own preprocessing gives the same names to the same things.
"""

import functools
import re
from dataclasses import replace
from pathlib import Path

from stim2bold.runtime.issues import Problem, error, few, n_errors
from stim2bold.study.bids import Fit, Run, check_files, index_study
from stim2bold.study.bids_index import Choice, check_description, index_files
from stim2bold.study.bids_names import entities, list_folder
from stim2bold.study.t1w_choice import choose_t1w

MOTION = "from-orig_to-boldref_mode-image_desc-hmc_xfm.txt"
COREGISTRATION = "from-boldref_to-T1w_mode-image_desc-coreg_xfm.txt"
#: Templates that are one brain's size, place and shape, so that our grid and tissues fit them.
TO_TEMPLATE = re.compile(r"_from-T1w_to-(MNI152[A-Za-z0-9]+)_mode-image_xfm\.h5$")
#: The transform to a fieldmap, which is there where a fieldmap was used.
TO_FIELDMAP = re.compile(
    r"_from-boldref_to-(?!T1w_|T2w_|anat_)[A-Za-z0-9]+_mode-image_(\S+_)?xfm\."
)


def is_fit_alone(derivatives: str | Path) -> bool:
    """Tell whether a folder holds head motion as fMRIPrep fits it, and no series in a template."""

    def holds(names: str) -> bool:
        folders = ("sub-*/func", "sub-*/ses-*/func")
        return any(any(Path(derivatives).glob(f"{folder}/{names}")) for folder in folders)

    return holds(f"*_{MOTION}") and not holds("*_space-MNI*_desc-preproc_bold.nii.gz")


def index_fits(
    derivatives: str | Path,
    bids_dir: str | Path,
    choice: Choice,
    *,
    space: str | None,
    needs_events: bool = True,
) -> tuple[list[Run], list[Problem], str | None]:
    """Find the raw runs of a data set, and what fMRIPrep has fitted to each.

    Parameters
    ----------
    derivatives : str or Path
        The folder that fMRIPrep wrote.
    bids_dir : str or Path
        The raw data set, for series, sidecars and events; its T1w images are not needed.
    choice : Choice
        Whom and what to choose.
    space : str or None
        The template to resample to; None where the folder has transforms to but one.
    needs_events : bool
        Whether a run without events.tsv is an error.

    Returns
    -------
    runs : list of Run
        `bold` is the raw series, `t1w` the T1w image that fMRIPrep made.
    problems : list of Problem
    space : str or None
        The template's space; None where there is none.
    """
    root, raw = Path(derivatives), Path(bids_dir)
    problems = check_description(root, derivative=True)
    if raw == root:
        problems.append(
            error(
                root,
                "holds transforms and no series in a template space, so the raw series are needed",
                "give the raw data set by bids_dir, or run fMRIPrep with --level full",
            )
        )
    if n_errors(problems):
        return [], problems, None
    raw_runs, found = index_study(raw, choice, needs_events=needs_events, needs_t1w=False)
    problems += found
    if not raw_runs:
        return [], problems, None
    table = index_files(root)
    heads = table[(table["suffix"] == "T1w") & (table["desc"] == "preproc") & table["space"].isna()]
    of = {label: [*map(Path, group["path"])] for label, group in heads.groupby("sub")}
    fitted = []
    for run in raw_runs:
        head, found = choose_head(root, run, of.get(run.participant, []), choice)
        problems += found
        fitted += [(run, head)] if head else []
    space, found = find_template(root, [head for _, head in fitted], space)
    problems += found
    runs = []
    for run, head in fitted if space else []:
        run = with_fit(root, run, head, space)
        found = check_fieldmap(run) + check_files(run, needs_events=False)
        problems += found
        runs += [run] if not n_errors(found) else []
    return runs, problems, space


def choose_head(
    root: Path, run: Run, heads: list[Path], choice: Choice
) -> tuple[Path | None, list[Problem]]:
    """Choose the T1w image, of those that fMRIPrep made, that a run was brought to."""
    if not heads:
        what = f"has no *_desc-preproc_T1w.nii.gz of participant {run.participant} ({run.name})"
        fix = "run fMRIPrep for this participant, or leave them out by exclude"
        return None, [error(root, what, fix)]
    series = Path(run.folder) / "func" / run.bold.name
    return choose_t1w(heads, series, root, wanted=choice.selection.get("t1w"))


def find_template(
    root: Path, heads: list[Path], space: str | None
) -> tuple[str | None, list[Problem]]:
    """Choose the template that T1w images are brought to.

    Parameters
    ----------
    root : Path
        The derivatives.
    heads : list of Path
        The T1w images, relative to it.
    space : str or None
        The wanted template; None where there is but one.
    """
    listing = functools.cache(list_folder)
    there = {
        match[1]
        for head in heads
        for name in listing(root / head.parent)
        if (match := TO_TEMPLATE.search(name)) and name.startswith(f"{head_name(head)}_from-")
    }
    if space in there or (space is None and len(there) == 1):
        return space or there.pop(), []
    if not heads:
        return None, []
    if space is None and there:
        what = f"has transforms to several templates: {', '.join(sorted(there))}"
        return None, [error(root, what, "choose one by preprocessing.space")]
    wanted = space or "MNI152..."
    what = (
        f"has no transform to {wanted} (*_from-T1w_to-{wanted}_mode-image_xfm.h5; there is: "
        f"{few(sorted(there)) or 'none'})"
    )
    fix = "correct preprocessing.space, or run fMRIPrep with such --output-spaces"
    return None, [error(root, what, fix)]


def head_name(head: Path) -> str:
    """Return the entities of a T1w image that fMRIPrep made, as its other files begin."""
    return head.name.split("_desc-")[0]


def with_fit(root: Path, run: Run, head: Path, space: str) -> Run:
    """Return a raw run with what was fitted to it, whether the files are there or not."""
    folder = root / run.folder / "func"
    of_head = f"{root / head.parent}/{head_name(head)}_"
    parts = [f"label-{tissue}_probseg.nii.gz" for tissue in ("GM", "WM", "CSF")]
    parts = ["desc-brain_mask.nii.gz", "dseg.nii.gz", *parts]
    fit = Fit(
        folder / f"{run.name}_{MOTION}",
        folder / f"{run.name}_{COREGISTRATION}",
        Path(f"{of_head}from-T1w_to-{space}_mode-image_xfm.h5"),
        folder / f"{run.name}_desc-hmc_boldref.nii.gz",
        folder / f"{run.name}_desc-coreg_boldref.nii.gz",
        folder / f"{run.name}_desc-brain_mask.nii.gz",
        *(Path(of_head + part) for part in parts),
    )
    anat_folder = head.parent.parent.as_posix()
    return replace(run, anat=head_name(head), anat_folder=anat_folder, t1w=root / head, fit=fit)


def check_fieldmap(run: Run) -> list[Problem]:
    """Refuse a run that was brought to its T1w image by a fieldmap: we apply none."""
    folder = run.fit.motion.parent
    own = entities(run.name)
    names = [
        name
        for name in (list_folder(folder) if folder.is_dir() else [])
        if (match := TO_FIELDMAP.search(name)) and entities(name[: match.start()]) == own
    ]
    return [
        error(
            folder / name,
            "a fieldmap was fitted to this run, and resampling without it would misplace the brain",
            "run fMRIPrep with --level full (and this folder as --derivatives), or exclude the run",
        )
        for name in names[:1]
    ]
