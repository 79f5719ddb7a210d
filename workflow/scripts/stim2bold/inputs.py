"""The doctor: what must be right with the input before any heavy step, all of it at once.

Headers, tables and the lengths of files are read, and the first volume of each series; what only
the whole image can tell is said by the step that reads it.
"""

import csv
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import av
import numpy as np
import pandas as pd

from stim2bold import bids, study
from stim2bold.annotations import read_blocks, read_events
from stim2bold.bids import Run, repetition_time
from stim2bold.blocks import check_high_pass, cut_film, design_period, join_runs, to_film
from stim2bold.command import progress
from stim2bold.errors import InputError
from stim2bold.film import choose_stream, open_film
from stim2bold.folds import FoldSettings, make_folds
from stim2bold.images import open_image
from stim2bold.problems import Problem, error, from_refusal, in_order, refusals, warning
from stim2bold.run_checks import Header, check_anatomy, check_bold, check_derived

Found = TypeVar("Found")
# Seconds by which scan, blocks and annotations may differ from the film before it is said.
SLACK = 5.0


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
    """

    runs: list[Run]
    TR: float | None
    onsets: dict[str, float]
    space: str | None
    problems: list[Problem]


def asked(problems: list[Problem], file: object, ask: Callable[[], Found]) -> Found | None:
    """Return what a question gives; where it is refused, note that and return None."""
    try:
        return ask()
    except InputError as refusal:
        problems.append(from_refusal(refusal, str(file)))
        return None


def examine(config: dict[str, Any]) -> Findings:
    """Check everything the workflow reads, and go on to the end whatever is found.

    Parameters
    ----------
    config : dict
        The configuration, or its `stim2bold.study.KEYS`.
    """
    problems = study.check_settings(config)
    runs, found, space = study.index(config)
    problems += found
    simulated = study.is_simulated(config)
    drawn = simulated and config["film"] is None
    if simulated and not (Path(study.SIMULATED) / "dataset_description.json").is_file():
        return Findings(runs, None, {}, space, in_order(problems))
    raw = None if simulated else study.bids_dir(config)
    film = asked(
        problems, config["film"] or "config.yaml", lambda: bids.film_path(config["film"], raw)
    )
    duration = None
    if film is not None:
        duration, found = check_film(film, config["streams"])
        problems += found
    annotations = asked(
        problems,
        config["annotations_dir"],
        lambda: bids.annotations_path(
            config["annotations_dir"],
            bids_dir=study.bids_dir(config),
            expected=drawn,
        ),
    )
    if annotations is not None:
        problems += check_annotations(annotations, duration=duration)
    problems += check_participants(Path(study.bids_dir(config)), runs)
    TR = shared_TR(runs)
    headers = []
    for run in progress(runs, "runs looked at"):
        header, found = check_bold(run, TR=TR)
        headers += [header] if header else []
        problems += found
        if run.confounds is None:
            problems += check_anatomy(run)
        else:
            cleaning = config["preprocessing"]["cleaning"]
            problems += check_derived(run, strategy=cleaning["strategy"], motion=cleaning["motion"])
    problems += compare_headers(headers, resolution=config["preprocessing"]["resolution"])
    onsets, found = study.film_onsets(runs, config)
    problems += found
    timed = [run for run in runs if run.name in onsets]
    problems += check_blocks(timed, onsets, config, TR=TR, duration=duration)
    if TR is not None and duration is not None:
        problems += check_coverage(headers, onsets, TR=TR, duration=duration)
    if config["preprocessing"]["parcels"] and Path(config["preprocessing"]["parcels"]).is_file():
        atlas = config["preprocessing"]["parcels"]
        problems += refusals(atlas, lambda: open_image(atlas))
    return Findings(runs, TR, onsets, space, in_order(problems))


def shared_TR(runs: list[Run]) -> float | None:
    """Return the TR of the first run that has a usable one."""
    for run in runs:
        try:
            return repetition_time(run)
        except InputError:
            continue
    return None


def check_film(path: Path, streams: dict[str, int]) -> tuple[float | None, list[Problem]]:
    """Check that the film opens, and has picture and sound; return its length in seconds."""
    problems: list[Problem] = []
    container = asked(problems, path, lambda: open_film(path))
    if container is None:
        return None, problems
    with container:
        for kind in ("video", "audio"):
            stream = asked(
                problems, path, lambda kind=kind: choose_stream(container, kind, streams[kind])
            )
            if stream is None and not problems:
                problems.append(
                    error(
                        path, f"has no {kind} stream", "give the film as shown, picture and sound"
                    )
                )
        duration = container.duration / av.time_base if container.duration else None
    return duration, problems


def check_annotations(folder: Path, *, duration: float | None) -> list[Problem]:
    """Check each table of annotations."""
    problems = []
    tables = [(path, kind) for kind in ("video", "sound") for path in (folder / kind).glob("*.tsv")]
    if not tables:
        problems.append(
            error(
                folder,
                "holds no annotation (video/*.tsv, sound/*.tsv)",
                "set annotations_dir to the folder that does, or remove the folder",
            )
        )
    for path, kind in sorted(tables):
        table = asked(problems, path, lambda path=path, kind=kind: read_events(path, kind))
        if table is None or duration is None or not len(table):
            continue
        late = int((table["onset"] > duration + SLACK).sum())
        if late:
            problems.append(
                warning(
                    path,
                    f"{late} of {len(table)} events begin after the film's end at {duration:.1f} s",
                    "check that film and annotations are of the same version",
                )
            )
    return problems


def check_participants(root: Path, runs: list[Run]) -> list[Problem]:
    """Check that participants.tsv, where there is one, has everybody."""
    path = root / "participants.tsv"
    if not path.is_file():
        return []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            named = {row.get("participant_id") for row in csv.DictReader(file, delimiter="\t")}
    except (UnicodeDecodeError, csv.Error) as fault:
        return [warning(path, f"is no table ({fault})", "mend it, other BIDS tools need it")]
    absent = sorted({run.participant for run in runs} - {str(n)[4:] for n in named if n})
    if not absent:
        return []
    return [
        warning(
            path,
            f"has no row for participant {', '.join(absent)}",
            "add one, other BIDS tools need it",
        )
    ]


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
            remedy = "choose an output space of one resolution by preprocessing.res"
        elif not derived and resolution == "native" and not np.allclose(header.voxel, common):
            sizes = " x ".join(f"{size:g}" for size in header.voxel)
            what = (
                f"its voxels are {sizes} mm where most runs have "
                f"{' x '.join(f'{size:g}' for size in common)} mm"
            )
            remedy = "set preprocessing.resolution to one voxel size in mm for all"
        else:
            continue
        problems.append(error(header.run.bold, what, remedy))
    return problems


def check_blocks(
    runs: list[Run],
    onsets: dict[str, float],
    config: dict[str, Any],
    *,
    TR: float | None,
    duration: float | None,
) -> list[Problem]:
    """Check the tables of blocks, alone, against the first participant's, and for folds."""
    settings = config["blocks"]
    if settings["seconds"] is not None:
        if duration is None:
            return []
        blocks = cut_film(duration, settings["seconds"], film_onset=0.0)
        return check_folds(blocks, config, TR=TR, duration=duration, file="config.yaml")
    problems: list[Problem] = []
    tables: dict[Path, pd.DataFrame | None] = {}
    for run in runs:
        if run.events not in tables:
            tables[run.events] = asked(
                problems, run.events, lambda run=run: read_blocks(run.events, settings["kinds"])
            )
    sound = [run for run in runs if tables.get(run.events) is not None]
    if not sound:
        return problems
    films = {run.name: to_film(tables[run.events], onsets[run.name]) for run in sound}
    first = study.reference(sound)
    blocks = join_runs([films[run.name] for run in first], film_onset=0.0)
    file = first[0].events
    if blocks["trial_type"].nunique() < 2:
        problems.append(
            warning(
                file,
                "names one kind of block alone, so the block's label predicts nothing",
                "name the kinds of the film's blocks by trial_type, where there are several",
            )
        )
    stops = blocks["onset"] + blocks["duration"]
    if (stops > blocks["onset"].shift(-1) + 0.02).any():
        problems.append(
            warning(
                file,
                "has blocks that overlap",
                "name the events that are blocks of the film by blocks.kinds",
            )
        )
    if duration is not None and stops.max() > duration + SLACK:
        problems.append(
            warning(
                file,
                f"its blocks end at {stops.max():.1f} s of the film, the film at {duration:.1f} s",
                "check that the film is the version that was shown, and timing.film_onset",
            )
        )
    high_pass = config["preprocessing"]["cleaning"]["high_pass"]
    problems += refusals("config.yaml", lambda: check_high_pass(high_pass, design_period(blocks)))
    length = float(stops.max()) if duration is None else duration
    problems += check_folds(blocks, config, TR=TR, duration=length, file=file)
    return problems + check_same_blocks(sound, films, blocks)


def check_folds(
    blocks: pd.DataFrame,
    config: dict[str, Any],
    *,
    TR: float | None,
    duration: float,
    file: str | Path,
) -> list[Problem]:
    """Check that folds can be made of the blocks."""
    if TR is None:
        return []
    found = refusals(
        "events",
        lambda: make_folds(
            blocks,
            n_rows=max(1, round(duration / TR)),
            tr=TR,
            film_onset=0.0,
            settings=FoldSettings(**config["folds"]),
        ),
    )
    return [replace(problem, file=str(file)) for problem in found]


def check_same_blocks(
    runs: list[Run], films: dict[str, pd.DataFrame], blocks: pd.DataFrame
) -> list[Problem]:
    """Check that every run shows blocks of the one film: so is its fold file."""
    problems = []
    start, stop = blocks["onset"], blocks["onset"] + blocks["duration"]
    for run in runs:
        for block in films[run.name].itertuples():
            same = (blocks["trial_type"] == block.trial_type) & (start - 0.05 <= block.onset)
            if not (same & (block.offset <= stop + 0.05)).any():
                problems.append(
                    error(
                        run.events,
                        f"differs from the first participant's: no {block.trial_type} from "
                        f"{block.onset:g} to {block.offset:g} s of the film there",
                        "everybody must have seen the same film; set timing.film_onset where it "
                        "began at another moment",
                    )
                )
                break
    return problems


def check_coverage(
    headers: list[Header], onsets: dict[str, float], *, TR: float, duration: float
) -> list[Problem]:
    """Check that each participant was scanned during the film, and not much longer."""
    problems = []
    of: dict[str, list[Header]] = {}
    for header in headers:
        if header.run.name in onsets:
            of.setdefault(header.run.participant, []).append(header)
    for parts in of.values():
        spans = [
            (-onsets[part.run.name], part.n_volumes * TR - onsets[part.run.name]) for part in parts
        ]
        covered, reached = 0.0, 0.0
        for start, stop in sorted(spans):
            covered += max(0.0, min(stop, duration) - max(start, reached))
            reached = max(reached, min(stop, duration))
        file = parts[0].run.bold
        if covered < duration - SLACK:
            problems.append(
                warning(
                    file,
                    f"{covered:.0f} of the film's {duration:.0f} s were scanned in "
                    f"{len(parts)} run(s)",
                    "check that no run is missing and that the film is the version shown",
                )
            )
        last = max(stop for _, stop in spans)
        if last > duration + 60:
            problems.append(
                warning(
                    file,
                    f"the scan goes on for {last - duration:.0f} s after the film's end",
                    "check that the film is the version shown, and timing.film_onset",
                )
            )
    return problems


def describe(findings: Findings, *, missing: list[dict[str, str]]) -> dict[str, Any]:
    """Return what was found as plain data for ``inputs.json``.

    Parameters
    ----------
    findings : Findings
    missing : list of dict
        Who is left out, and why, as `stim2bold.absent.absent_participants` returns them.
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
                "film_onset": findings.onsets.get(run.name),
            }
            for run in findings.runs
        ],
        "problems": [
            {**asdict(problem), "message": problem.message} for problem in findings.problems
        ],
    }
