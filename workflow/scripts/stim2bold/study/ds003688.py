"""OpenNeuro ds003688, version 1.0.7: where it lies, and what is known of it.

Berezutskaya et al. (2022), Scientific Data 9:91. Thirty of its participants were scanned while they
watched the film; the others have intracranial recordings alone.
"""

from pathlib import Path

import numpy as np

from stim2bold.preprocessing.images import open_image
from stim2bold.runtime.errors import InputError
from stim2bold.runtime.issues import Problem, error, refusals
from stim2bold.study.bids import index_study, repetition_time
from stim2bold.study.bids_index import Choice

BUCKET = "openneuro.org"
PREFIX = "ds003688/"
VERSION = "1.0.7"
# fmt: off
PARTICIPANTS = (
    "04", "07", "08", "09", "11", "13", "14", "15", "16", "18", "22", "24", "27", "28", "29",
    "31", "35", "41", "43", "44", "45", "46", "47", "51", "52", "53", "55", "56", "60", "62",
)
# fmt: on
TR = 0.608
N_VOLUMES = 641
N_VOXELS = 64 * 64 * 40
ANNOTATIONS = {"video": 135, "sound": 13}


def check_facts(folder: str | Path, *, n_volumes: int = N_VOLUMES) -> list[Problem]:
    """Compare a copy of the data set with what is known of it.

    Parameters
    ----------
    folder : str or Path
        The data set.
    n_volumes : int
        Volumes of a run.
    """
    folder = Path(folder)
    again = "fetch it again (make ds003688)"
    runs, problems = index_study(folder, Choice(selection={"task": "film"}))
    found = tuple(run.participant for run in runs)
    if found != PARTICIPANTS:
        lacking = ", ".join(sorted(set(PARTICIPANTS) - set(found))) or "nobody"
        beyond = ", ".join(sorted(set(found) - set(PARTICIPANTS))) or "nobody"
        what = f"{len(found)} runs of the film, not one of each of 30: {lacking} lacks one"
        problems.append(error(folder, f"{what}, {beyond} has one too many", again))
    for run in runs:
        if run.t1w is None:
            problems.append(error(run.bold, "has no T1w image", again))
        problems += check_run(run, n_volumes=n_volumes, fix=again)
    for kind, expected in ANNOTATIONS.items():
        place = folder / "stimuli" / "annotations" / kind
        n = len(list(place.glob("*.tsv")))
        if n != expected:
            problems.append(
                error(place, f"{n} annotations where there should be {expected}", again)
            )
    return problems


def check_run(run, *, n_volumes: int, fix: str) -> list[Problem]:
    """Compare one run's header and sidecar with what is known."""
    try:
        image = open_image(run.bold)
        own = repetition_time(run)
    except InputError:
        return refusals(run.bold, lambda: open_image(run.bold)) + refusals(
            run.sidecar, lambda: repetition_time(run)
        )
    problems = []
    if image.shape[3:] != (n_volumes,) or int(np.prod(image.shape[:3])) != N_VOXELS:
        problems.append(
            error(
                run.bold,
                f"its shape is {image.shape}, not {N_VOXELS} voxels by {n_volumes} volumes",
                fix,
            )
        )
    if abs(own - TR) > 1e-6:
        problems.append(error(run.sidecar, f"gives TR {own:g} s, not {TR:g} s", fix))
    return problems
