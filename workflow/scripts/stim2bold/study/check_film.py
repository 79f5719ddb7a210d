"""What films, annotations and blocks tell before anything is computed from them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import av
from av.container import InputContainer
from av.stream import Stream

from stim2bold.runtime.errors import InputError
from stim2bold.runtime.issues import Problem, error, from_refusal, refusals, warning
from stim2bold.stimulus.channels import channel_names, mono_weights
from stim2bold.stimulus.film_frames import orientation
from stim2bold.stimulus.film_streams import StreamSettings, choose_stream, decode, open_film
from stim2bold.stimulus.film_survey import Survey, survey

Found = TypeVar("Found")
# Seconds by which scan, blocks and annotations may differ from the film before it is said.
SLACK = 5.0
# Seconds that streams of one film may differ, or a frame may stand, before it is said.
LENGTHS_DIFFER = 1.0


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
    raise InputError(path, "not one frame could be decoded", "copy the film again")


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
        what = f"its sound ends at {found.sound_end:.1f} s, its video at {found.duration:.1f} s"
        problems.append(warning(path, what, fix))
    if found.sound_start is not None and found.sound_start > SLACK:
        what = f"its sound begins {found.sound_start:.1f} s after its video"
        problems.append(warning(path, what, fix))
    return problems
