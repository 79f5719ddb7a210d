"""Streams of a film: opened, decoded, and every frame given its true time.

Only the stamps that the file holds are believed. What no stamp can tell is refused, with the line
that makes a film of it that can be told.
"""

import logging
import math
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
from av.container import Flags, InputContainer
from av.error import FFmpegError
from av.stream import Stream

from stim2bold.runtime.errors import InputError
from stim2bold.stimulus.film_parts import refuse_joined

log = logging.getLogger(__name__)

# Frames that could not be shown at their time, beyond which a film is refused.
MOST_DROPPED = 0.01
# Stamps that go back by more seconds than frames can be out of order: a clock that begins again.
RESTART_SECONDS = 1.0
# Formats whose clock may be set anew within a file; FFmpeg, too, takes a leap of 10 s there for
# another clock and not for a gap (`-dts_delta_threshold`).
RESTARTING_FORMATS = ("mpegts", "mpeg")
LEAP_SECONDS = 10.0
# Streams as they leave the encoder, without a container: they have no clock.
RAW_FORMATS = ("h264", "hevc", "vvc", "obu")


def converted(path: str | Path) -> str:
    """Return the command that writes a film anew, with every frame at its time.

    It decodes and encodes: frames that are copied keep the stamps that were wrong.
    """
    path = Path(path)
    new = path.with_name(f"{path.stem}_converted.mp4")
    return (
        f"ffmpeg -i {shlex.quote(str(path))} -c:v libx264 -crf 16 -c:a aac {shlex.quote(str(new))}"
    )


def open_film(path: str | Path) -> InputContainer:
    """Open a film file.

    Raises
    ------
    InputError
        When it is missing, empty, not a film, or several films one after the other.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(path, "there is no such film", "set 'film' to the file that was shown")
    if path.is_dir():
        raise InputError(path, "is a folder", "set 'film' to the film file in it")
    if path.stat().st_size == 0:
        raise InputError(path, "is empty (0 bytes)", "copy the film again")
    try:
        container = av.open(str(path))
    except FFmpegError as error:
        raise InputError(
            path,
            f"cannot be read as a film ({error.strerror})",
            (
                "it is damaged, cut short, or not a film: copy it again or convert it to H.264 "
                "and AAC in MP4"
            ),
        ) from error
    # PyAV asks libavformat to invent presentation times where there are none. In AVI it takes
    # those of decoding, and frames with B-frames among them come out of order.
    container.flags &= ~Flags.gen_pts.value
    refuse_joined(path, container.format.name)
    return container


def choose_stream(container: InputContainer, kind: str, index: int | None) -> Stream | None:
    """Take the `index`-th video or audio stream of a film.

    Parameters
    ----------
    container : InputContainer
        The open film.
    kind : {'video', 'audio'}
        Kind of stream.
    index : int or None
        Which of them, from 0; None for none.

    Returns
    -------
    Stream or None
        None when none is wanted, or the film has no stream of that kind at all.

    Raises
    ------
    InputError
        When there are streams of that kind, but not that one, or its codec cannot be decoded.
    """
    streams = [
        stream
        for stream in container.streams
        # Cover art is a video stream of one frame.
        if stream.type == kind and not stream.disposition & stream.disposition.attached_pic
    ]
    if index is None or not streams:
        return None
    name = container.name
    if index >= len(streams):
        raise InputError(
            name,
            f"has {len(streams)} {kind} stream(s), none with number {index}",
            f"set 'streams: {kind}' to 0-{len(streams) - 1}",
        )
    stream = streams[index]
    if stream.codec_context is None:
        raise InputError(
            name, f"{kind} stream {index} is in an unknown codec", "convert it to H.264 and AAC"
        )
    if kind == "video":
        stream.thread_type = "AUTO"
    return stream


def decode(container: InputContainer, *streams: Stream) -> Iterator[Any]:
    """Decode streams in one pass; damaged packets are counted, logged and left out.

    Yields
    ------
    VideoFrame or AudioFrame

    Raises
    ------
    InputError
        When more than one packet in a hundred is damaged.
    """
    n_packets = n_damaged = 0
    try:
        for packet in container.demux(*streams):
            n_packets += 1
            try:
                yield from packet.decode()
            except FFmpegError as error:
                n_damaged += 1
                last = error.strerror
    except FFmpegError as error:
        raise InputError(container.name, error.strerror, "copy the film again") from error
    if n_damaged:
        if n_damaged > max(1, MOST_DROPPED * n_packets):
            raise InputError(
                container.name,
                f"{n_damaged} of {n_packets} packets cannot be decoded ({last})",
                "the file is damaged: copy it again, or convert it to H.264 and AAC",
            )
        log.warning("%s: left out %d damaged packet(s): %s", container.name, n_damaged, last)


def has_sound(path: str | Path) -> bool:
    """Tell whether a film has an audio stream, by its header."""
    with open_film(path) as container:
        return bool(container.streams.audio)


def stamp(item: Any) -> float | None:
    """Return the container time of a frame or packet in seconds, None where it has no stamp.

    A frame without a presentation time of its own (AVI, some of MPEG) is shown when it leaves the
    decoder: at the decoding time that it carries.
    """
    ticks = item.dts if item.pts is None else item.pts
    return None if ticks is None else float(ticks * item.time_base)


def frame_seconds(stream: Stream) -> float:
    """Return the seconds of a frame by the rate that a stream declares.

    Raises
    ------
    InputError
        When it is a raw stream that does not say its rate.
    """
    container = stream.container
    told = stream.codec_context.framerate
    if container.format.name in RAW_FORMATS and not told:
        name = container.name
        raise InputError(
            name,
            "is a raw stream without any clock or rate",
            (
                "say its rate and put it into a container: ffmpeg -framerate 25 -i "
                f"{shlex.quote(name)} -c copy {shlex.quote(str(Path(name).with_suffix('.mp4')))}"
            ),
        )
    rate = told or stream.average_rate or stream.guessed_rate
    return float(1 / rate) if rate else 0.04


def refuse_restart(
    before: float, after: float, *, path: str, container_format: str, where: str
) -> None:
    """Refuse stamps that go on by another clock.

    Parameters
    ----------
    before, after : float
        Container times of one frame and the next, seconds.
    path : str
        The film.
    container_format : str
        Name of its format in FFmpeg.
    where : str
        Which the later one is.

    Raises
    ------
    InputError
        When they go back by more than frames can be out of order, or, in a format that may set its
        clock anew, on by more than 10 s.
    """
    back = before - after > RESTART_SECONDS
    leap = after - before > LEAP_SECONDS and container_format in RESTARTING_FORMATS
    if back or leap:
        raise InputError(
            path,
            (
                f"its time stamps go {'back' if back else 'on'} from {before:.2f} s to "
                f"{after:.2f} s at {where}, as where parts were joined by cat"
            ),
            f"give every frame its time by: {converted(path)}",
        )


def timed_video(frames: Iterator[Any], stream: Stream) -> Iterator[tuple[float, Any]]:
    """Give every video frame its container time.

    Parameters
    ----------
    frames : iterator of VideoFrame
        In the order of decoding, which is that of display.
    stream : Stream
        Where they come from.

    Yields
    ------
    time : float
        Seconds; increasing.
    frame : VideoFrame

    Raises
    ------
    InputError
        When the stamps begin again, or more than one frame in a hundred has one that is not after
        the last.
    """
    container = stream.container
    usual = frame_seconds(stream)
    previous = -math.inf
    n_frames = n_dropped = 0
    for frame in frames:
        time = stamp(frame)
        n_frames += 1
        if time is None:
            time = 0.0 if math.isinf(previous) else previous + usual
        elif not math.isinf(previous):
            refuse_restart(
                *(previous, time),
                path=container.name,
                container_format=container.format.name,
                where=f"frame {n_frames - 1}",
            )
        if time <= previous:
            n_dropped += 1
            continue
        previous = time
        yield time, frame
    if n_dropped:
        said = f"{n_dropped} of {n_frames} frames have a time stamp that is not after the last"
        if n_dropped > max(1, MOST_DROPPED * n_frames):
            name = container.name
            raise InputError(name, said, f"give every frame its time by: {converted(name)}")
        log.warning("%s: %s, and were dropped", container.name, said)


@dataclass(frozen=True, kw_only=True)
class StreamSettings:
    """Which streams of the film are the stimulus.

    Parameters
    ----------
    video : int
        Counted among the video streams, from 0.
    audio : int or None
        Likewise; None where the film is without sound.
    channels : sequence of str or int, optional
        Which channels of the sound, see `stim2bold.stimulus.channels.mono_weights`; None: all, by
        the standard downmix.
    """

    video: int
    audio: int | None
    channels: Sequence[str | int] | None
