"""Films: which frame is shown when, and the frames themselves.

Only the time stamps of the decoded frames are believed, never a nominal frame rate.
"""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pandas as pd
from av.video.reformatter import VideoReformatter

from stim2bold.runtime.errors import InputError
from stim2bold.stimulus.channels import channel_names, mono_weights
from stim2bold.stimulus.film_frames import frame_image, orientation
from stim2bold.stimulus.film_sound import (
    SoundSpan,
    _describe,
    _last_duration,
    _sound,
    declared_seconds,
    probe_sound,
    refuse_cut,
)
from stim2bold.stimulus.film_streams import (
    MOST_DROPPED,
    StreamSettings,
    choose_stream,
    decode,
    open_film,
    timed_video,
)


def probe(
    path: str | Path,
    settings: StreamSettings,
    *,
    sound_file: str | Path | None = None,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Find the true presentation time of every frame, and where the sound lies.

    Parameters
    ----------
    path : str or Path
        The film.
    settings : StreamSettings
        Which streams.
    sound_file : str or Path, optional
        The film's sound, where it is in a file of its own. The two begin together.

    Returns
    -------
    frames : DataFrame
        One row per decoded frame: frame (number), time and duration (seconds of film time), repeat
        (1 where the image equals the one before).
    film : dict
        zero (container time of film time 0), duration (film time at which the last frame goes),
        video and audio (of the chosen streams; audio is None when there is none; its zero is the
        time of film time 0 in the sound's own file), streams (all).

    Raises
    ------
    InputError
        When the film cannot be read, has no video, breaks off before its declared end, or has
        frames or sound that cannot be shown at their time.
    """
    times: list[float] = []
    sums: list[int] = []
    last = None
    n_corrupt = 0
    with open_film(path) as container:
        streams = [_describe(stream) for stream in container.streams]
        video = choose_stream(container, "video", settings.video)
        if video is None:
            raise InputError(path, "has no video stream", "set 'film' to the film that was shown")
        own = sound_file is None
        audio = choose_stream(container, "audio", settings.audio) if own else None
        if audio is not None:
            mono_weights(channel_names(audio.codec_context.layout), settings.channels, path=path)
        chosen = [video] if audio is None else [video, audio]
        declared = declared_seconds(container, video)
        of_video = bool(video.duration)
        span = SoundSpan(path, container.format.name)

        def video_frames() -> Iterator[Any]:
            for frame in decode(container, *chosen):
                if isinstance(frame, av.VideoFrame):
                    yield frame
                else:
                    span.add(frame)

        for time, frame in timed_video(video_frames(), video):
            times.append(time)
            sums.append(zlib.crc32(frame.planes[0]))
            n_corrupt += frame.is_corrupt
            last = frame
        if last is None:
            raise InputError(path, "not one frame could be decoded", "copy the film again")
        orientation(last, path)
        aspect = video.sample_aspect_ratio or video.codec_context.sample_aspect_ratio
        stored = {
            "codec": video.codec_context.name,
            "width": last.width,
            "height": last.height,
            "pixel_aspect": float(aspect) if aspect else 1.0,
        }
        described = None if audio is None else _describe(audio)
    if n_corrupt > max(1, MOST_DROPPED * len(times)):
        raise InputError(
            path,
            f"{n_corrupt} of {len(times)} frames are damaged",
            "copy it again, or convert the original once more",
        )

    start = np.array(times)
    between = np.diff(start)
    end = start[-1] + _last_duration(last, between)
    if not of_video and span.end is not None:
        # The file's length is that of its longest stream.
        refuse_cut(path, declared, start=min(start[0], span.start), end=max(end, span.end))
    else:
        refuse_cut(path, declared, start=start[0], end=end)
    span.refuse_loss()
    zero = float(start[0] if span.start is None else min(start[0], span.start))
    frames = frame_table(start - zero, end - zero, sums)
    film = {
        "zero": round(zero, 6),
        "duration": round(float(end - zero), 6),
        "video": {"stream": settings.video, **stored, **rate_of(frames)},
        "audio": None,
        "streams": streams,
    }
    if not own:
        film["audio"] = probe_sound(sound_file, settings)
    elif described is not None and span.start is not None:
        film["audio"] = _sound(described, span, settings, zero=zero)
    return frames, film


def frame_table(start: np.ndarray, end: float, sums: list[int]) -> pd.DataFrame:
    """Return when each frame is shown, and whether it equals the one before.

    Parameters
    ----------
    start : ndarray of shape (n_frames,)
        Film time of each.
    end : float
        When the last frame goes.
    sums : list of int
        A check sum of each.
    """
    repeats = np.diff(np.array(sums, dtype=np.int64), prepend=sums[0] ^ 1) == 0
    return pd.DataFrame(
        {
            "frame": np.arange(len(start)),
            "time": np.round(start, 6),
            "duration": np.round(np.diff(start, append=end), 6),
            "repeat": repeats.astype(int),
        }
    )


def rate_of(frames: pd.DataFrame) -> dict[str, Any]:
    """Describe the clock of a film's frames; what `frame_table` returns is given."""
    start, duration = frames["time"].to_numpy(), frames["duration"].to_numpy()
    end, between = start[-1] + duration[-1], np.diff(start)
    usual = float(np.median(duration))
    return {
        "start": round(float(start[0]), 6),
        "end": round(float(end), 6),
        "frames": len(start),
        "mean_rate": round(len(start) / float(end - start[0]), 6),
        "usual_frame_seconds": round(usual, 6),
        # Time stamps of a constant rate may still be rounded to 1 ms (Matroska).
        "constant_rate": bool(np.ptp(between) < 2.5e-3) if len(between) else True,
        "gaps": int((between > 1.5 * usual).sum()),
        "longest_gap": round(float(between.max(initial=0.0)), 6),
        "repeated_frames": int(frames["repeat"].sum()),
    }


def sample(
    path: str | Path,
    times: np.ndarray,
    *,
    zero: float,
    stream: int = 0,
    short_side: int = 256,
    crop: int = 224,
) -> Iterator[np.ndarray]:
    """Take from a film the frames shown at given times, one after the other.

    A frame is shown from its own time stamp until the next frame's. Before the first frame the
    screen is black; after the last one the last stays.

    Parameters
    ----------
    path : str or Path
        The film.
    times : ndarray of shape (n,)
        Increasing film times in seconds.
    zero : float
        Container time of film time 0, as `probe` gives it.
    stream : int
        Which video stream.
    short_side, crop : int
        See `frame_image`.

    Yields
    ------
    ndarray of shape (crop, crop, 3), uint8
        RGB; the same array may be yielded more than once and is not to be written to.
    """
    if crop > short_side:
        raise ValueError(f"crop ({crop}) is larger than short_side ({short_side})")
    black = np.zeros((crop, crop, 3), np.uint8)
    with open_film(path) as container:
        video = choose_stream(container, "video", stream)
        if video is None:
            raise InputError(path, "has no video stream", "set 'film' to the film that was shown")
        pixel = video.sample_aspect_ratio or video.codec_context.sample_aspect_ratio
        aspect = float(pixel) if pixel else 1.0
        coming = timed_video(decode(container, video), video)
        following = next(coming, None)
        shown, image = None, black
        scaler = VideoReformatter()
        # Half a microsecond: a time that was meant to be the stamp itself counts as reached.
        for time in np.asarray(times, dtype=float) + zero + 5e-7:
            while following is not None and following[0] <= time:
                shown, image = following[1], None
                following = next(coming, None)
            if image is None:
                image = frame_image(
                    shown,
                    turn=orientation(shown, path),
                    short_side=short_side,
                    crop=crop,
                    aspect=aspect,
                    scaler=scaler,
                )
            yield image
