"""Films: which frame is shown when, and the frames themselves.

Only the time stamps of the decoded frames are believed, never a nominal frame rate.
"""

import logging
import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import pandas as pd
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Stream
from av.video.reformatter import Interpolation, VideoReformatter

from stim2bold.errors import InputError

log = logging.getLogger(__name__)

# A file whose streams end this much before the length it declares was cut off, not rounded.
MISSING_SECONDS = 1.0
MISSING_FRACTION = 0.02


@dataclass(frozen=True)
class StreamSettings:
    """Which streams of the film are the stimulus (counted among their own kind, from 0)."""

    video: int = 0
    audio: int = 0


def open_film(path: str | Path) -> InputContainer:
    """Open a film file.

    Raises
    ------
    InputError
        When it is missing, empty or not a film.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"{path}: there is no such film; set 'film' to the file that was shown")
    if path.is_dir():
        raise InputError(f"{path}: is a folder; set 'film' to the film file in it")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: is empty (0 bytes); copy the film again")
    try:
        return av.open(str(path))
    except FFmpegError as error:
        raise InputError(
            f"{path}: cannot be read as a film ({error.strerror}); it is damaged, cut short, or "
            "not a film: copy it again or convert it to H.264 and AAC in MP4"
        ) from error


def choose_stream(container: InputContainer, kind: str, index: int) -> Stream | None:
    """Take the `index`-th video or audio stream of a film.

    Parameters
    ----------
    container : InputContainer
        The open film.
    kind : {'video', 'audio'}
        Kind of stream.
    index : int
        Which of them, from 0.

    Returns
    -------
    Stream or None
        None when the film has no stream of that kind at all.

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
    if not streams:
        return None
    name = container.name
    if index >= len(streams):
        raise InputError(
            f"{name}: has {len(streams)} {kind} stream(s), none with number {index}; "
            f"set 'streams: {kind}' to 0-{len(streams) - 1}"
        )
    stream = streams[index]
    if stream.codec_context is None:
        raise InputError(
            f"{name}: {kind} stream {index} is in an unknown codec; convert it to H.264 and AAC"
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
        raise InputError(f"{container.name}: {error.strerror}; copy the film again") from error
    if n_damaged:
        if n_damaged > max(1, 0.01 * n_packets):
            raise InputError(
                f"{container.name}: {n_damaged} of {n_packets} packets cannot be decoded ({last}); "
                "the file is damaged: copy it again, or convert it to H.264 and AAC"
            )
        log.warning("%s: left out %d damaged packet(s): %s", container.name, n_damaged, last)


def _start(frame: Any) -> float | None:
    return None if frame.pts is None else float(frame.pts * frame.time_base)


def _timed_video(frames: Iterator[Any], stream: Stream) -> Iterator[tuple[float, Any]]:
    """Give every video frame its container time; frames out of order are dropped."""
    previous = -math.inf
    n_dropped = 0
    for index, frame in enumerate(frames):
        time = _start(frame)
        if time is None:
            # Raw streams and some AVI files carry no stamps: there the rate is all there is.
            rate = stream.average_rate or stream.guessed_rate
            time = float(index / rate) if rate else previous + 0.04
        if time <= previous:
            n_dropped += 1
            continue
        previous = time
        yield time, frame
    if n_dropped:
        log.warning("%d frame(s) with a time stamp not after the last were dropped", n_dropped)


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
    return text | {"language": stream.language or "und"}


def probe(
    path: str | Path, settings: StreamSettings = StreamSettings()
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Find the true presentation time of every frame, and where the sound lies.

    Parameters
    ----------
    path : str or Path
        The film.
    settings : StreamSettings
        Which streams.

    Returns
    -------
    frames : DataFrame
        One row per decoded frame: frame (number), time and duration (seconds of film time), repeat
        (1 where the picture equals the one before).
    film : dict
        zero (container time of film time 0), duration (film time at which the last frame goes),
        video and audio (of the chosen streams; audio is None when there is none), streams (all).

    Raises
    ------
    InputError
        When the film cannot be read, has no video, or breaks off before its declared end.
    """
    times: list[float] = []
    sums: list[int] = []
    audio_start = audio_end = None
    audio_samples = 0
    last = None
    with open_film(path) as container:
        streams = [_describe(stream) for stream in container.streams]
        video = choose_stream(container, "video", settings.video)
        if video is None:
            raise InputError(f"{path}: has no video stream; set 'film' to the film that was shown")
        audio = choose_stream(container, "audio", settings.audio)
        chosen = [video] if audio is None else [video, audio]
        # Some containers count the length from 0, some from the first frame: believe the less.
        declared = [float(s.duration * s.time_base) for s in chosen if s.duration]
        if not declared and container.duration:
            declared = [container.duration / av.time_base]

        def video_frames() -> Iterator[Any]:
            nonlocal audio_start, audio_end, audio_samples
            for frame in decode(container, *chosen):
                if isinstance(frame, av.VideoFrame):
                    yield frame
                    continue
                start = _start(frame)
                if start is None:
                    start = audio_end or 0.0
                if audio_start is None:
                    audio_start = start
                audio_samples += frame.samples
                audio_end = max(audio_end or start, start + frame.samples / frame.sample_rate)

        for time, frame in _timed_video(video_frames(), video):
            times.append(time)
            sums.append(zlib.crc32(frame.planes[0]))
            last = frame
        if last is None:
            raise InputError(f"{path}: not one frame could be decoded; copy the film again")
        codec, width, height = video.codec_context.name, last.width, last.height
        aspect = video.sample_aspect_ratio or video.codec_context.sample_aspect_ratio
        sound = None if audio is None else _describe(audio)

    start = np.array(times)
    between = np.diff(start)
    end = start[-1] + _last_duration(last, between)
    ends = [end] if audio_end is None else [end, audio_end]
    missing = max(declared, default=end) - max(ends)
    if missing > max(MISSING_SECONDS, MISSING_FRACTION * max(declared, default=end)):
        raise InputError(
            f"{path}: breaks off at {max(ends):.1f} s of {max(declared):.1f} s; copy it again"
        )
    zero = float(start[0] if audio_start is None else min(start[0], audio_start))
    repeats = np.diff(np.array(sums, dtype=np.int64), prepend=sums[0] ^ 1) == 0
    frames = pd.DataFrame(
        {
            "frame": np.arange(len(start)),
            "time": np.round(start - zero, 6),
            "duration": np.round(np.append(between, end - start[-1]), 6),
            "repeat": repeats.astype(int),
        }
    )
    usual = float(np.median(frames["duration"]))
    film = {
        "zero": round(zero, 6),
        "duration": round(float(end - zero), 6),
        "video": {
            "stream": settings.video,
            "codec": codec,
            "width": width,
            "height": height,
            "pixel_aspect": float(aspect) if aspect else 1.0,
            "start": round(float(start[0] - zero), 6),
            "end": round(float(end - zero), 6),
            "frames": len(start),
            "mean_rate": round(len(start) / float(end - start[0]), 6),
            "usual_frame_seconds": round(usual, 6),
            # Time stamps of a constant rate may still be rounded to 1 ms (Matroska).
            "constant_rate": bool(np.ptp(between) < 2.5e-3) if len(between) else True,
            "gaps": int((between > 1.5 * usual).sum()),
            "repeated_frames": int(repeats.sum()),
        },
        "audio": None,
        "streams": streams,
    }
    if sound is not None and audio_start is not None:
        film["audio"] = sound | {
            "stream": settings.audio,
            "start": round(audio_start - zero, 6),
            "end": round(audio_end - zero, 6),
            "samples": audio_samples,
        }
    return frames, film


def _fit(width: int, height: int, *, aspect: float, short_side: int) -> tuple[int, int]:
    """Size at which the shorter side of the picture as displayed is `short_side` pixels."""
    shown = width * aspect
    scale = short_side / min(shown, height)
    return max(short_side, round(shown * scale)), max(short_side, round(height * scale))


def picture(
    frame: Any, *, short_side: int, crop: int, aspect: float, scaler: VideoReformatter
) -> np.ndarray:
    """Scale a frame to `short_side` pixels and cut out its middle.

    Parameters
    ----------
    frame : VideoFrame
        A decoded frame.
    short_side : int
        Length of the shorter side after scaling (bilinear, filtered where it shrinks), in pixels.
    crop : int
        Side of the square that is cut from the middle.
    aspect : float
        Width of a pixel over its height.
    scaler : VideoReformatter
        The same for all frames of a film: it works out its filters once.

    Returns
    -------
    ndarray of uint8, shape (crop, crop, 3)
        RGB.
    """
    width, height = _fit(frame.width, frame.height, aspect=aspect, short_side=short_side)
    image = scaler.reformat(
        frame, width=width, height=height, format="rgb24", interpolation=Interpolation.BILINEAR
    ).to_ndarray()
    turns = round(frame.rotation / 90) % 4
    if turns:
        image = np.rot90(image, turns)
    top = (image.shape[0] - crop) // 2
    left = (image.shape[1] - crop) // 2
    return np.ascontiguousarray(image[top : top + crop, left : left + crop])


def sample(
    path: str | Path,
    times: np.ndarray,
    *,
    zero: float,
    stream: int = 0,
    short_side: int = 256,
    crop: int = 224,
) -> Iterator[np.ndarray]:
    """Take from a film the pictures shown at given times, one after the other.

    A frame is shown from its own time stamp until the next frame's. Before the first frame the
    screen is black; after the last one the last stays.

    Parameters
    ----------
    path : str or Path
        The film.
    times : ndarray, shape (n,)
        Increasing film times in seconds.
    zero : float
        Container time of film time 0, as `probe` gives it.
    stream : int
        Which video stream.
    short_side, crop : int
        See `picture`.

    Yields
    ------
    ndarray of uint8, shape (crop, crop, 3)
        RGB; the same array may be yielded more than once and is not to be written to.
    """
    if crop > short_side:
        raise ValueError(f"crop ({crop}) is larger than short_side ({short_side})")
    black = np.zeros((crop, crop, 3), np.uint8)
    with open_film(path) as container:
        video = choose_stream(container, "video", stream)
        if video is None:
            raise InputError(f"{path}: has no video stream; set 'film' to the film that was shown")
        pixel = video.sample_aspect_ratio or video.codec_context.sample_aspect_ratio
        aspect = float(pixel) if pixel else 1.0
        coming = _timed_video(decode(container, video), video)
        following = next(coming, None)
        shown, image = None, black
        scaler = VideoReformatter()
        # Half a microsecond: a time that was meant to be the stamp itself counts as reached.
        for time in np.asarray(times, dtype=float) + zero + 5e-7:
            while following is not None and following[0] <= time:
                shown, image = following[1], None
                following = next(coming, None)
            if image is None:
                image = picture(
                    shown, short_side=short_side, crop=crop, aspect=aspect, scaler=scaler
                )
            yield image
