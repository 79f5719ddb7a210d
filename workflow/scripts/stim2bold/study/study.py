"""What the study is, from its configuration: runs, space, and where each run lies in the film."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stim2bold.models import catalogue
from stim2bold.preprocessing.scan_clock import row_onset
from stim2bold.runtime.errors import InputError
from stim2bold.runtime.issues import Problem, error, from_refusal, refusals
from stim2bold.study import bids, fmriprep, fmriprep_fit
from stim2bold.study.bids import Run
from stim2bold.study.bids_index import Choice, excluded
from stim2bold.study.onsets import film_onset, unused
from stim2bold.study.sidecars import phase_encoding, read_sidecars

SIMULATED = "results/simulated/bids"
#: The space of our own preprocessing.
SPACE = "MNI152NLin2009aSym"
RESERVED = set("{}<>\n")
#: What of the configuration says what the study is: all that the validation looks at.
KEYS = (
    "bids_dir",
    "film",
    "film_sound",
    "annotations_dir",
    "participants",
    "exclude",
    "selection",
    "timing",
    "blocks",
    "streams",
    "directions",
    "sources",
    "own_features",
    "preprocessing",
    "folds",
    "group",
    "simulation",
)


def is_simulated(config: dict[str, Any]) -> bool:
    """Tell whether the data set is the built-in one."""
    return config["bids_dir"] is None and config["preprocessing"]["derivatives"] is None


def bids_dir(config: dict[str, Any]) -> str:
    """Return the data set; where there are derivatives alone, they stand for it."""
    if is_simulated(config):
        return SIMULATED
    return config["bids_dir"] or config["preprocessing"]["derivatives"]


def index(config: dict[str, Any]) -> tuple[list[Run], list[Problem], str | None]:
    """Find the runs of the study.

    Parameters
    ----------
    config : dict
        The configuration, or its `KEYS`.

    Returns
    -------
    runs : list of Run
        Those that names have nothing against.
    problems : list of Problem
        What names have against others.
    space : str or None
        The template's space in which the series are analysed.
    """
    preprocessing = config["preprocessing"]
    choice = Choice(config["participants"], excluded(config["exclude"]), config["selection"])
    needs_events = config["blocks"]["seconds"] is None
    if is_simulated(config):
        try:
            runs = bids.simulated_study(config["simulation"]["participants"], choice, SIMULATED)
        except InputError as refusal:
            return [], [from_refusal(refusal, "config.yaml")], SPACE
        return runs, [], SPACE
    if preprocessing["derivatives"] is None:
        runs, problems = bids.index_study(config["bids_dir"], choice, needs_events=needs_events)
        if preprocessing["distortion"] is not None:
            problems += check_distortion(runs)
        return runs, problems, SPACE
    if fmriprep_fit.is_fit_alone(preprocessing["derivatives"]):
        return fmriprep_fit.index_fits(
            preprocessing["derivatives"],
            bids_dir(config),
            choice,
            space=preprocessing["space"],
            needs_events=needs_events,
        )
    return fmriprep.index_derivatives(
        preprocessing["derivatives"],
        bids_dir(config),
        choice,
        space=preprocessing["space"],
        cohort=preprocessing["cohort"],
        res=preprocessing["res"],
        needs_events=needs_events,
    )


def check_distortion(runs: list[Run]) -> list[Problem]:
    """Check that the distortion of each run can be estimated: from its T1w, along a known axis."""
    problems = []
    for run in runs:
        if run.t1w is None:
            what = "has no T1w image, from which its distortion is to be estimated"
            fix = "add one, exclude the run, or set preprocessing.distortion: null"
            problems.append(error(run.bold, what, fix))
        problems += refusals(
            run.sidecar,
            lambda run=run: phase_encoding(read_sidecars(run.sidecars), name=run.sidecar),
        )
    return problems


def film_onsets(runs: list[Run], config: dict[str, Any]) -> tuple[dict[str, float], list[Problem]]:
    """Return the film onset of each run by name, and what is wrong with those that have none."""
    setting = config["timing"]["film_onset"]
    onsets, problems = {}, []
    for run in runs:
        try:
            onsets[run.name] = film_onset(run.name, run.events, setting)
        except InputError as refusal:
            problems.append(from_refusal(refusal, run.events or "config.yaml"))
    problems += [
        error(
            "config.yaml",
            f"timing.film_onset has an entry {key} that applies to no run",
            "name runs as the data set does, or remove it",
        )
        for key in unused([run.name for run in runs], setting)
        if runs
    ]
    return onsets, problems


def is_heard(config: dict[str, Any], film: Path) -> bool:
    """Tell whether the film has sound.

    Parameters
    ----------
    config : dict
        The configuration.
    film : Path
        The film; the simulation's, which has sound, need not be there yet.

    Raises
    ------
    InputError
        When it cannot be opened.
    """
    if config["streams"]["audio"] is None:
        return False
    drawn = config["film"] is None
    # A login node may have Snakemake alone; there streams.audio has to say it.
    if drawn or config["film_sound"] or importlib.util.find_spec("av") is None:
        return True
    from stim2bold.stimulus.film_streams import has_sound

    return has_sound(film)


#: Where no direction can be made.
NOTHING_LEFT = InputError(
    "config.yaml",
    "nothing that is asked for can be predicted: the film, its sound or the annotated words that "
    "'directions' need are not there",
    "set film or annotations_dir, or name feature spaces of your own in own_features and sources",
)


def words_table(annotations: str | Path | None) -> Path:
    """Return where the table of words lies in a folder of annotations."""
    return Path(annotations or "") / "sound" / "sound_annotation_words.tsv"


def stimulus_parts(
    config: dict[str, Any], film: Path | None, annotations: str | Path | None
) -> dict[str, bool]:
    """Tell what there is of the stimulus: ``frames``, ``sound`` and annotated ``words``.

    Parameters
    ----------
    config : dict
        The configuration.
    film : Path or None
        The film; the simulation's need not be there yet.
    annotations : str, Path or None
        Folder of annotations, likewise.

    Raises
    ------
    InputError
        When the film cannot be opened.
    """
    drawn = is_simulated(config) and config["film"] is None
    # A silent film can be predicted from; whether it is one is asked where no direction needs its
    # sound. Where one does, the check of the film says so.
    predicted = any(catalogue.split_name(name)[1] == "audio" for name in config["directions"])
    return {
        "frames": film is not None,
        "sound": film is not None and (predicted or is_heard(config, film)),
        "words": drawn or (annotations is not None and words_table(annotations).is_file()),
    }


def check_heard(
    config: dict[str, Any],
    directions: Mapping[str, catalogue.Direction],
    annotations: str | Path | None,
) -> list[Problem]:
    """Check that the models that are made audible can be had of the stimulus at hand.

    Parameters
    ----------
    config : dict
        The configuration.
    directions : mapping of str to Direction
        Those that are run.
    annotations : str, Path or None
        Folder of annotations.
    """
    heard = any(direction.needs_sound for direction in directions.values())
    if annotations is not None or not heard or "annotations" not in config["sounds"]["models"]:
        return []
    what = "sounds.models names annotations, and the film has none"
    return [error("config.yaml", what, "take it out of sounds.models, or set annotations_dir")]


def shown_spaces(config: dict[str, Any], there: dict[str, bool]) -> list[str]:
    """Return the feature spaces by which moments of the film are told apart.

    Those of the source ``video``; where none of them can be made, all that directions use.
    """
    kept = []
    if "video" in config["sources"]:
        spaces = catalogue.spaces_of("video", config["sources"])
        kept = [space for space in spaces if there.get(catalogue.needs(space), True)]
    if not kept:
        directions, *_ = catalogue.available(catalogue.directions_of(config), there)
        kept = [space for one in directions.values() for space in one.spaces]
    return list(dict.fromkeys(kept))


def reference(runs: list[Run]) -> list[Run]:
    """Return the runs of the participant who has most of them, the first of several."""
    of: dict[str, list[Run]] = {}
    for run in runs:
        of.setdefault(run.participant, []).append(run)
    return max(of.values(), key=len)


def marked_runs(runs: list[Run], config: dict[str, Any]) -> list[Run]:
    """Return the runs whose events mark the film's blocks: none where it is cut evenly."""
    if config["blocks"]["seconds"] is not None:
        return []
    return [run for run in reference(runs) if run.events]


def volume_references(runs: list[Run], config: dict[str, Any], *, TR: float) -> dict[str, float]:
    """Return the instant that a volume of each run stands for, seconds from the volume's start.

    The simulation's stand for their middles, and need not be there yet.

    Raises
    ------
    InputError
        When a sidecar gives an impossible one.
    """
    simulated = is_simulated(config)
    return {run.name: TR / 2 if simulated else bids.volume_reference(run, TR) for run in runs}


def row_onsets(
    onsets: dict[str, float], references: dict[str, float], *, TR: float
) -> dict[str, float]:
    """Return the onset by which each run's rows have their middles where its volumes stand.

    Slices that were shifted to another instant than the middle move the clock of a run; see
    `stim2bold.preprocessing.scan_clock.row_onset`.
    """
    return {
        name: row_onset(onset, TR=TR, reference=references[name]) for name, onset in onsets.items()
    }


def first_row_onset(runs: list[Run], onsets: dict[str, float]) -> float:
    """Return the onset of the study's rows: that of the reference's earliest run.

    Parameters
    ----------
    runs : list of Run
    onsets : dict of str to float
        Of each run's rows, see `row_onsets`.
    """
    return max(onsets[run.name] for run in reference(runs))


def check_settings(config: dict[str, Any]) -> list[Problem]:
    """Check the paths in the configuration: those of data set and film for characters alone."""
    files = {
        "preprocessing.parcels": config["preprocessing"]["parcels"],
        "simulation.images.head": config["simulation"]["images"]["head"],
    }
    folders = {
        "bids_dir": config["bids_dir"],
        "film": config["film"],
        "film_sound": config["film_sound"],
        "annotations_dir": config["annotations_dir"],
        "preprocessing.derivatives": config["preprocessing"]["derivatives"],
    }
    problems = [
        error(path, f"the file that {key} names is not there", f"correct {key}")
        for key, path in files.items()
        if path is not None and not Path(path).is_file()
    ]
    return problems + [
        error(
            repr(path),
            f"{key} holds one of {{ }} < > or a line break, which Snakemake reserves",
            "make a symbolic link to it under another name and give that",
        )
        for key, path in (files | folders).items()
        if path is not None and set(path) & RESERVED
    ]
