"""What films, annotations and blocks tell before anything is computed from them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import av
import pandas as pd
from av.container import InputContainer
from av.stream import Stream

from stim2bold.models.folds import FoldSettings, make_folds
from stim2bold.runtime.errors import InputError
from stim2bold.runtime.issues import Problem, error, from_refusal, refusals, warning
from stim2bold.stimulus.annotations import annotation_files, read_blocks, read_events
from stim2bold.stimulus.blocks import check_high_pass, cut_film, design_period, join_runs, to_film
from stim2bold.stimulus.channels import channel_names, mono_weights
from stim2bold.stimulus.film import StreamSettings
from stim2bold.stimulus.film_frames import orientation
from stim2bold.stimulus.film_streams import choose_stream, decode, open_film
from stim2bold.stimulus.film_survey import Survey, survey
from stim2bold.study import study
from stim2bold.study.bids import Run
from stim2bold.study.check_run import Header

Found = TypeVar("Found")
# Seconds by which scan, blocks and annotations may differ from the film before it is said.
SLACK = 5.0
# Seconds that streams of one film may differ, or a frame may stand, before it is said.
LENGTHS_DIFFER = 1.0
# Lengths in seconds that are tried where a film cannot be cut as it was asked.
STRETCHES = (5.0, 7.5, 10.0, 12.0, 15.0, 20.0, 30.0, 45.0, 60.0)


def asked(problems: list[Problem], file: object, ask: Callable[[], Found]) -> Found | None:
    """Return what a question gives; where it is refused, note that and return None."""
    try:
        return ask()
    except InputError as refusal:
        problems.append(from_refusal(refusal, str(file)))
        return None


def check_film(
    path: Path,
    streams: dict[str, Any],
    *,
    sound_file: str | None = None,
    needs_sound: bool = True,
) -> tuple[float | None, list[Problem]]:
    """Check that a film opens, that its frames have a clock, and that it has the sound it needs.

    Parameters
    ----------
    path : Path
        The film.
    streams : dict
        Section `streams` of the configuration.
    sound_file : str, optional
        The film's sound, where it is in a file of its own.
    needs_sound : bool
        Whether a direction predicts sound.

    Returns
    -------
    duration : float or None
        Length of the film in seconds, where it could be told.
    problems : list of Problem
    """
    settings = StreamSettings(**streams)
    problems: list[Problem] = []
    container = asked(problems, path, lambda: open_film(path))
    if container is None:
        return None, problems
    with container:
        kinds = {"video": settings.video, "audio": None if sound_file else settings.audio}
        chosen = {
            kind: asked(
                problems, path, lambda kind=kind, n=number: choose_stream(container, kind, n)
            )
            for kind, number in kinds.items()
        }
        if problems:
            return None, problems
        video, audio = chosen["video"], chosen["audio"]
        if video is None:
            return None, [
                error(path, "has no video stream", "give the film as shown, picture and sound")
            ]
        if audio is not None:
            problems += check_channels(path, audio, settings)
            problems += check_default_stream(path, container, settings)
        elif sound_file is None:
            problems += check_silence(path, settings, needs_sound=needs_sound)
        found = asked(problems, path, lambda: survey(path, container, video, audio))
    problems += refusals(path, lambda: check_first_frame(path, settings))
    if found is None:
        return None, problems
    if sound_file is not None:
        problems += check_sound_file(sound_file, settings, duration=found.duration)
    return found.duration, problems + check_clock(path, found)


def check_first_frame(path: Path, settings: StreamSettings) -> None:
    """Refuse a film whose first frame cannot be decoded, or is displayed askew."""
    with open_film(path) as container:
        video = choose_stream(container, "video", settings.video)
        for frame in decode(container, video):
            orientation(frame, path)
            return
    raise InputError(f"{path}: not one frame could be decoded; copy the film again")


def check_channels(path: Path, audio: Stream, settings: StreamSettings) -> list[Problem]:
    """Check that the channels of a stream make one."""
    names = channel_names(audio.codec_context.layout)
    return refusals(path, lambda: mono_weights(names, settings.channels, path=path))


def check_silence(path: Path, settings: StreamSettings, *, needs_sound: bool) -> list[Problem]:
    """Check a film without sound: whether something is to be predicted from it or to it."""
    if needs_sound:
        what = "has no audio stream" if settings.audio is not None else "is read without its sound"
        return [
            error(
                path,
                f"{what}, and 'directions' names audio",
                "give the film with its sound (streams.audio, film_sound), or take the directions "
                "with audio out of 'directions'",
            )
        ]
    if settings.audio is None:
        return []
    return [
        warning(
            path,
            "has no audio stream: features of sound are left out",
            "if that is right set streams.audio to null; else set film_sound to the file that "
            "holds its sound",
        )
    ]


def check_default_stream(
    path: Path, container: InputContainer, settings: StreamSettings
) -> list[Problem]:
    """Say when a player would take another of several streams of sound."""
    marked = [
        number
        for number, stream in enumerate(container.streams.audio)
        if stream.disposition & stream.disposition.default
    ]
    if len(container.streams.audio) < 2 or not marked or settings.audio in marked:
        return []
    return [
        warning(
            path,
            f"has {len(container.streams.audio)} audio streams, of which players take number "
            f"{marked[0]} and this study takes number {settings.audio}",
            "set streams.audio to the one that was heard",
        )
    ]


def check_sound_file(
    sound_file: str, settings: StreamSettings, *, duration: float
) -> list[Problem]:
    """Check the sound that is in a file of its own, against the length of the film."""
    problems: list[Problem] = []
    container = asked(problems, sound_file, lambda: open_film(sound_file))
    if container is None:
        return problems
    with container:
        number = settings.audio
        if number is None:
            what, fix = "is not read: streams.audio is null", "set streams.audio to 0"
            return [error(sound_file, what, fix)]
        audio = asked(problems, sound_file, lambda: choose_stream(container, "audio", number))
        if audio is None:
            return problems or [
                error(sound_file, "has no audio stream", "set film_sound to the film's sound")
            ]
        problems += check_channels(Path(sound_file), audio, settings)
        seconds = container.duration / av.time_base if container.duration else None
    if seconds is not None and abs(seconds - duration) > LENGTHS_DIFFER:
        problems.append(
            warning(
                sound_file,
                f"lasts {seconds:.1f} s, the film {duration:.1f} s; the two begin together",
                "check that they are of the same version of the film",
            )
        )
    return problems


def check_clock(path: Path, found: Survey) -> list[Problem]:
    """Say where a film stands still, or is silent for longer than its frames tell."""
    problems = []
    fix = "check that the film is whole, as it was shown"
    if found.longest > max(LENGTHS_DIFFER, 3 * found.usual):
        what = f"shows one frame for {found.longest:.1f} s from {found.longest_at:.1f} s on"
        problems.append(warning(path, what, fix))
    if found.sound_missing and found.sound_missing > LENGTHS_DIFFER:
        what = f"its sound has holes of {found.sound_missing:.1f} s in all, which are silence"
        problems.append(warning(path, what, fix))
    if found.sound_end is not None and abs(found.sound_end - found.duration) > SLACK:
        what = f"its sound ends at {found.sound_end:.1f} s, its picture at {found.duration:.1f} s"
        problems.append(warning(path, what, fix))
    if found.sound_start is not None and found.sound_start > SLACK:
        what = f"its sound begins {found.sound_start:.1f} s after its picture"
        problems.append(warning(path, what, fix))
    return problems


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
