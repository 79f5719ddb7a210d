"""Checks of the film's annotations and blocks, and of the folds that are made of them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from stim2bold.models.folds import FoldSettings, make_folds
from stim2bold.runtime.issues import Problem, error, refusals, warning
from stim2bold.stimulus.annotations import annotation_files, read_blocks, read_events
from stim2bold.stimulus.blocks import check_high_pass, cut_film, design_period, join_runs, to_film
from stim2bold.study import study
from stim2bold.study.bids import Run
from stim2bold.study.check_film import SLACK, asked
from stim2bold.study.check_run import Header

# Lengths in seconds that are tried where a film cannot be cut as it was asked.
STRETCHES = (5.0, 7.5, 10.0, 12.0, 15.0, 20.0, 30.0, 45.0, 60.0)


def check_annotations(folder: Path, *, duration: float | None) -> list[Problem]:
    """Check each table of annotations."""
    problems = []
    tables = [
        (path, kind) for kind in ("video", "sound") for path in annotation_files(folder, kind)
    ]
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
        return check_cut(config, TR=TR, duration=duration)
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


def check_cut(config: dict[str, Any], *, TR: float | None, duration: float) -> list[Problem]:
    """Check that folds can be made of even stretches; where not, advise lengths that were tried."""

    def found(seconds: float) -> list[Problem]:
        blocks = cut_film(duration, seconds, film_onset=0.0)
        return check_folds(blocks, config, TR=TR, duration=duration, file="config.yaml")

    problems = found(config["blocks"]["seconds"])
    if not problems:
        return []
    works = [seconds for seconds in STRETCHES if seconds < duration and not found(seconds)]
    if works:
        closest = min(works, key=lambda seconds: abs(seconds - config["blocks"]["seconds"]))
        fix = f"set blocks.seconds to {closest:g}"
    else:
        gap = config["folds"]["gap"]
        fix = f"use a film longer than its {duration:.0f} s: no stretches fit beside {gap:g} s gaps"
    return [replace(problem, fix=fix) for problem in problems]


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
