"""Validation: what must be right with the input before any heavy step, all of it at once.

Headers, tables and the lengths of files are read, and the first volume of each series; what only
the whole image can tell is said by the step that reads it.
"""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from stim2bold.models import catalogue
from stim2bold.preprocessing.images import open_image
from stim2bold.runtime.command import progress
from stim2bold.runtime.errors import InputError
from stim2bold.runtime.issues import Problem, error, from_refusal, in_order, note, refusals, warning
from stim2bold.stimulus.film_length import film_length
from stim2bold.study import stimulus_files, study
from stim2bold.study.bids import Run, repetition_time
from stim2bold.study.check_blocks import check_annotations, check_blocks, check_coverage
from stim2bold.study.check_features import check_own_features
from stim2bold.study.check_film import asked, check_film
from stim2bold.study.check_fit import check_fit
from stim2bold.study.check_run import Header, check_anatomy, check_bold, check_derived
from stim2bold.study.participants import check_participants
from stim2bold.study.read_records import left_out, records_of


@dataclass(frozen=True)
class Findings:
    """What was found.

    Attributes
    ----------
    runs : list of Run
        Runs that can be found; something may be wrong with them.
    TR : float or None
        In seconds.
    onsets : dict
        Film onset of each run.
    space : str or None
        Template space of the analysis.
    problems : list of Problem
        Errors first.
    records : list of dict
        What was read, see `stim2bold.study.read_records`.
    """

    runs: list[Run]
    TR: float | None
    onsets: dict[str, float]
    space: str | None
    problems: list[Problem]
    records: list[dict[str, Any]] = field(default_factory=list)


def examine(config: dict[str, Any]) -> Findings:
    """Check everything the workflow reads, and go on to the end whatever is found.

    Parameters
    ----------
    config : dict
        The configuration, or its `stim2bold.study.study.KEYS`.
    """
    problems = study.check_settings(config)
    runs, found, space = study.index(config)
    problems += found
    described = Path(study.SIMULATED) / "dataset_description.json"
    if study.is_simulated(config) and not described.is_file():
        return Findings(runs, None, {}, space, in_order(problems))
    stimulus, found = examine_stimulus(config, runs)
    problems += found
    duration = stimulus.duration
    problems += check_participants(Path(study.bids_dir(config)), runs)
    TR = shared_TR(runs)
    headers, found = examine_images(config, runs, TR=TR)
    problems += found
    onsets, found = study.film_onsets(runs, config)
    problems += found
    timed = [run for run in runs if run.name in onsets]
    problems += check_blocks(timed, onsets, config, TR=TR, duration=duration)
    if TR is not None and duration is not None:
        problems += check_coverage(headers, onsets, TR=TR, duration=duration)
    if config["preprocessing"]["parcels"] and Path(config["preprocessing"]["parcels"]).is_file():
        atlas = config["preprocessing"]["parcels"]
        problems += refusals(atlas, lambda: open_image(atlas))
    records = records_of(
        runs,
        headers,
        onsets,
        config,
        film=stimulus.film,
        annotations=stimulus.annotations,
        participants=Path(study.bids_dir(config)) / "participants.tsv",
    )
    records += stimulus.own_records
    speech = config["sounds"]["speech"] if stimulus.needs_sound else []
    problems += left_out(records, config["blocks"]["kinds"], speech=speech)
    return Findings(runs, TR, onsets, space, in_order(problems), records)


@dataclass(frozen=True)
class Stimulus:
    """What the participants were shown, as far as it is there.

    Attributes
    ----------
    film, annotations : Path or None
    duration : float or None
        In seconds.
    needs_sound : bool
        Whether a direction asks for the film's sound.
    own_records : list of dict
        What was read of the user's own features.
    """

    film: Path | None
    annotations: Path | None
    duration: float | None
    needs_sound: bool
    own_records: list[dict[str, Any]]


def examine_stimulus(config: dict[str, Any], runs: list[Run]) -> tuple[Stimulus, list[Problem]]:
    """Check the film, its sound and annotations, and the user's own features."""
    problems: list[Problem] = []
    simulated = study.is_simulated(config)
    film = asked(
        problems,
        config["film"] or "config.yaml",
        lambda: stimulus_files.film_path(config["film"], drawn=simulated),
    )
    duration = None
    asked_for = asked(problems, "config.yaml", lambda: catalogue.directions_of(config)) or {}
    needs_sound = film is not None and any(one.needs_sound for one in asked_for.values())
    if film is not None:
        duration, found = check_film(
            film,
            config["streams"],
            sound_file=config["film_sound"],
            needs_sound=needs_sound,
        )
        problems += found
    problems += refusals(
        config["film_sound"] or "config.yaml",
        lambda: stimulus_files.film_sound_path(config["film_sound"]),
    )
    annotations = asked(
        problems,
        config["annotations_dir"],
        lambda: stimulus_files.annotations_path(
            config["annotations_dir"],
            bids_dir=study.bids_dir(config),
            expected=simulated and config["film"] is None,
        ),
    )
    if annotations is not None:
        problems += check_annotations(annotations, duration=duration)
    if film is not None or config["film"] is None:
        problems += left_out_of_stimulus(
            config, asked_for, film, annotations, others=len({run.participant for run in runs}) > 1
        )
    if film is None and config["film"] is None:
        problems.append(
            warning(
                "config.yaml",
                "film is null: there is no film file, and what needs it is left out",
                "set film to the file that the participants watched, where you have it",
            )
        )
        duration = asked(
            problems, "config.yaml", lambda: length_without_film(runs, config, annotations)
        )
    used = {space for one in asked_for.values() for space in one.spaces}
    found, own_records = check_own_features(config, used, duration=duration)
    return Stimulus(film, annotations, duration, needs_sound, own_records), problems + found


def examine_images(
    config: dict[str, Any], runs: list[Run], *, TR: float | None
) -> tuple[list[Header], list[Problem]]:
    """Check the images of all runs, one by one and beside each other."""
    headers, problems = [], []
    for run in progress(runs, "runs looked at"):
        header, found = check_bold(run, TR=TR)
        headers += [header] if header else []
        problems += found
        if run.confounds is None:
            problems += check_anatomy(run)
            if run.fit:
                problems += check_fit(run, n_volumes=header.n_volumes if header else None)
        else:
            cleaning = config["preprocessing"]["cleaning"]
            problems += check_derived(run, strategy=cleaning["strategy"], motion=cleaning["motion"])
    problems += compare_headers(headers, resolution=config["preprocessing"]["resolution"])
    return headers, problems


def length_without_film(
    runs: list[Run], config: dict[str, Any], annotations: Path | None
) -> float | None:
    """Return the length of a film without a file, None where an event file is missing."""
    if not runs:
        return None
    marked = study.marked_runs(runs, config)
    if not marked and config["blocks"]["seconds"] is None:
        return None
    onsets, _ = study.film_onsets(marked, config)
    seconds, _ = film_length(
        [run.events for run in marked],
        config["own_features"],
        annotations,
        kinds=config["blocks"]["kinds"],
        onsets=[onsets[run.name] for run in marked],
    )
    return seconds


def left_out_of_stimulus(
    config: dict[str, Any],
    directions: dict[str, catalogue.Direction],
    film: Path | None,
    annotations: Path | None,
    *,
    others: bool,
) -> list[Problem]:
    """Say which spaces, directions and models cannot be made of the stimulus and people at hand."""
    there = asked(
        problems := [],
        config["film"] or "config.yaml",
        lambda: study.stimulus_parts(config, film, annotations),
    )
    if there is None or not directions:
        return problems
    kept, spaces, gone = catalogue.available(directions, there | {"others": others})
    advice = "give what it needs, or take it out of the configuration"
    problems += [note("config.yaml", sentence, advice) for sentence in spaces]
    problems += [warning("config.yaml", sentence, advice) for sentence in gone]
    if config["group"]["train"] and not others:
        what = "the VAE of the group is left out: there is one participant"
        problems.append(note("config.yaml", what, "nothing need be done"))
    if not kept:
        problems.append(from_refusal(study.NOTHING_LEFT, "config.yaml"))
    return problems + study.check_heard(config, kept, annotations)


def shared_TR(runs: list[Run]) -> float | None:
    """Return the TR of the first run that has a usable one."""
    for run in runs:
        try:
            return repetition_time(run)
        except InputError:
            continue
    return None


def compare_headers(headers: list[Header], *, resolution: str | float) -> list[Problem]:
    """Compare the runs' images with each other."""
    problems = []
    seen: dict[bytes, Path] = {}
    for header in headers:
        if header.mark is None:
            continue
        first = seen.setdefault(header.mark, header.run.bold)
        if first != header.run.bold:
            problems.append(
                warning(
                    header.run.bold,
                    f"holds the very images of {first}",
                    "one of the two is a copy under another name: find out which",
                )
            )
    if not headers:
        return problems
    voxels = [header.voxel for header in headers]
    common = max(voxels, key=voxels.count)
    derived = headers[0].run.confounds is not None
    for header in headers:
        if derived and header.shape != headers[0].shape:
            what = f"its grid is {header.shape} where the first run has {headers[0].shape}"
            fix = "choose an output space of one resolution by preprocessing.res"
        elif not derived and resolution == "native" and not np.allclose(header.voxel, common):
            sizes = " x ".join(f"{size:g}" for size in header.voxel)
            what = (
                f"its voxels are {sizes} mm where most runs have "
                f"{' x '.join(f'{size:g}' for size in common)} mm"
            )
            fix = "set preprocessing.resolution to one voxel size in mm for all"
        else:
            continue
        problems.append(error(header.run.bold, what, fix))
    return problems


def describe(findings: Findings, *, missing: list[dict[str, str]]) -> dict[str, Any]:
    """Return what was found as plain data for ``inputs.json``.

    Parameters
    ----------
    findings : Findings
    missing : list of dict
        Who is left out, and why, as `stim2bold.study.participants.absent_participants` tells.
    """
    return {
        "TR": findings.TR,
        "space": findings.space,
        "participants": sorted({run.participant for run in findings.runs}),
        "missing": missing,
        "runs": [
            {
                "name": run.name,
                "bold": str(run.bold),
                "t1w": str(run.t1w) if run.t1w else None,
                "echoes": len(run.echoes) or 1,
                "film_onset": findings.onsets.get(run.name),
            }
            for run in findings.runs
        ],
        "read": findings.records,
        "problems": [
            {**asdict(problem), "message": problem.message} for problem in findings.problems
        ],
    }
