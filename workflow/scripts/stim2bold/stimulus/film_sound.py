"""Where the sound of a film lies, and how whole it is."""

from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.stream import Stream

from stim2bold.runtime.errors import InputError
from stim2bold.stimulus.channels import channel_names, mono_weights
from stim2bold.stimulus.film_streams import (
    MOST_DROPPED,
    RAW_FORMATS,
    RESTARTING_FORMATS,
    StreamSettings,
    choose_stream,
    converted,
    decode,
    open_film,
    refuse_restart,
    stamp,
)

# A file whose streams end this much before the length it declares was cut off, not rounded.
MISSING_SECONDS = 1.0


MISSING_FRACTION = 0.02


# Containers round time stamps (Matroska to 1 ms): only a larger jump of sound is a gap or overlap.
JUMP_SECONDS = 0.005


class SoundSpan:
    """Where a stream of sound lies on the clock of its file, frame by frame.

    Attributes
    ----------
    start, end : float or None
        Container times in seconds.
    samples : int
        Decoded in all.
    missing, lost : float
        Seconds without sound between stamps, and of sound whose place is taken by earlier sound.
    """

    def __init__(self, path: str | Path, container_format: str):
        self.path, self.container_format = str(path), container_format
        self.start: float | None = None
        self.end: float | None = None
        self.samples = 0
        self.missing = self.lost = 0.0

    def add(self, frame: av.AudioFrame) -> None:
        """Take the next frame in."""
        time = stamp(frame)
        if time is None:
            time = 0.0 if self.end is None else self.end
        seconds = frame.samples / frame.sample_rate
        if self.end is None:
            self.start = self.end = time
        elif abs(time - self.end) > JUMP_SECONDS:
            refuse_restart(
                *(self.end, time),
                path=self.path,
                container_format=self.container_format,
                where=f"sample {self.samples} of its sound",
            )
            self.missing += max(0.0, time - self.end)
            self.lost += min(seconds, max(0.0, self.end - time))
        self.samples += frame.samples
        self.end = max(self.end, time + seconds)

    def refuse_loss(self) -> None:
        """Refuse sound of which more than a hundredth would be lost.

        Raises
        ------
        InputError
            When its stamps overlap by more.
        """
        if self.start is not None and self.lost > MOST_DROPPED * (self.end - self.start):
            raise InputError(
                self.path,
                f"the time stamps of {self.lost:.1f} s of its sound lie within sound before them",
                f"give every sample its time by: {converted(self.path)}",
            )


def _last_duration(frame: Any, differences: np.ndarray) -> float:
    if frame.duration and frame.time_base:
        return float(frame.duration * frame.time_base)
    return float(np.median(differences)) if len(differences) else 0.04


def _describe(stream: Stream) -> dict[str, Any]:
    context = stream.codec_context
    text = {"type": stream.type, "codec": context.name if context else "unknown"}
    if stream.type == "video" and context:
        text |= {"width": context.width, "height": context.height}
    if stream.type == "audio" and context:
        text |= {"rate": context.sample_rate, "channels": context.channels}
        text |= {"layout": list(channel_names(context.layout))}
    return text | {"language": stream.language or "und"}


def declared_seconds(container: InputContainer, stream: Stream) -> float | None:
    """Return the length that a file declares of a stream, None where it declares none.

    Of MPEG streams FFmpeg estimates one from the stamps at both ends, which is no declaration.
    """
    if container.format.name in (*RESTARTING_FORMATS, *RAW_FORMATS):
        return None
    if stream.duration:
        return float(stream.duration * stream.time_base)
    return container.duration / av.time_base if container.duration else None


def refuse_cut(path: str | Path, declared: float | None, *, start: float, end: float) -> None:
    """Refuse a film that ends before the length that it declares.

    Raises
    ------
    InputError
        When it does by more than `MISSING_SECONDS` and `MISSING_FRACTION`.
    """
    # Some containers count the length from 0, some from the first frame, which may lie before 0:
    # believe the less.
    reached = max(end, end - start)
    if declared and declared - reached > max(MISSING_SECONDS, MISSING_FRACTION * declared):
        raise InputError(
            path, f"breaks off at {reached:.1f} s of {declared:.1f} s", "copy it again"
        )


def probe_sound(path: str | Path, settings: StreamSettings) -> dict[str, Any]:
    """Find where the sound of a file of its own lies; it begins with the film.

    Parameters
    ----------
    path : str or Path
        The file that `film_sound` names.
    settings : StreamSettings
        Which stream.

    Returns
    -------
    dict
        As ``audio`` of `probe`.

    Raises
    ------
    InputError
        When it has no sound, or breaks off.
    """
    with open_film(path) as container:
        audio = choose_stream(container, "audio", settings.audio)
        if audio is None:
            raise InputError(path, "has no audio stream", "set film_sound to the film's sound")
        mono_weights(channel_names(audio.codec_context.layout), settings.channels, path=path)
        declared = declared_seconds(container, audio)
        span = SoundSpan(path, container.format.name)
        for frame in decode(container, audio):
            span.add(frame)
        described = _describe(audio)
    if span.start is None:
        raise InputError(path, "not one sample of its sound could be decoded", "copy it again")
    span.refuse_loss()
    refuse_cut(path, declared, start=span.start, end=span.end)
    return _sound(described, span, settings, zero=span.start)


def _sound(
    described: dict[str, Any], span: SoundSpan, settings: StreamSettings, *, zero: float
) -> dict[str, Any]:
    return described | {
        "stream": settings.audio,
        "mixed": None if settings.channels is None else list(settings.channels),
        "zero": round(zero, 6),
        "start": round(span.start - zero, 6),
        "end": round(span.end - zero, 6),
        "samples": span.samples,
        "missing_seconds": round(span.missing, 3),
        "lost_seconds": round(span.lost, 3),
    }
