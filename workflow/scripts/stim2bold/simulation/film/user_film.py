"""A film that the user brings: its frames and its sound on the grids of the simulation.

Decoded by the times that the file itself gives, and for the simulation alone: nothing is shared
with the analysis and its clock, so that an error of that clock shows against this truth.
"""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from stim2bold.io.tables import numbers, read_tsv
from stim2bold.runtime.errors import InputError
from stim2bold.simulation.film.settings import FRAME_RATE, SOUND_RATE, FilmSettings

# A place of sound may be this far, in seconds, from where what came before it ends: containers
# round their times. What is further away is a gap.
_JITTER = 0.02
# Frames may end this long, in seconds, before the blocks do.
_TOLERANCE = 0.5


def _stream(container, kind: str, number: int | None):
    if number is None:
        return None
    streams = getattr(container.streams, kind)
    return streams[number] if number < len(streams) else None


def film_zero(path: Path, *, video: int | None, audio: int | None) -> float:
    """Return the time in the file at which the film begins: its first frame or sound.

    Parameters
    ----------
    path : Path
        The film.
    video, audio : int or None
        Which stream of each kind; None for none.

    Returns
    -------
    float
        Seconds.

    Raises
    ------
    InputError
        When it cannot be read, or has no such frame.
    """
    starts = []
    try:
        for kind, number in (("video", video), ("audio", audio)):
            with av.open(str(path)) as container:
                stream = _stream(container, kind, number)
                if stream is not None:
                    starts += [frame.time for frame in _first(container.decode(stream))]
                elif kind == "video" and number is not None:
                    raise InputError(
                        path, f"has no video stream {number}", "correct streams.video or film"
                    )
    except av.FFmpegError as error:
        raise InputError(path, f"cannot be read as a film ({error})", "give another file") from None
    if not starts:
        raise InputError(path, "holds no video", "give another film")
    return float(min(starts))


def _first(frames: Iterator) -> Iterator:
    for frame in frames:
        if frame.time is not None:
            yield frame
            return


def decode_frames(path: Path, n_frames: int, *, zero: float, stream: int) -> Iterator[np.ndarray]:
    """Decode what is on the screen at the middle of each 1/25 s.

    Parameters
    ----------
    path : Path
        The film.
    n_frames : int
        Frames wanted.
    zero : float
        From `film_zero`.
    stream : int
        Which video stream.

    Yields
    ------
    ndarray of shape (height, width, 3), uint8
        RGB; frame k was last shown at or before (k + 0.5) / 25 s. Before the first, black.

    Raises
    ------
    InputError
        When the film ends before the last frame that is wanted.
    """
    number = 0
    shown = None
    last = 0.0
    with av.open(str(path)) as container:
        video = _stream(container, "video", stream)
        video.thread_type = "AUTO"
        for frame in container.decode(video):
            if frame.time is None:
                continue
            start = frame.time - zero
            last = start + float((frame.duration or 0) * frame.time_base)
            while number < n_frames and (number + 0.5) / FRAME_RATE < start:
                if shown is None:
                    yield np.zeros((frame.height, frame.width, 3), np.uint8)
                else:
                    yield shown.to_ndarray(format="rgb24")
                number += 1
            if number == n_frames:
                return
            shown = frame
    if shown is None or last < n_frames / FRAME_RATE - _TOLERANCE:
        raise InputError(
            path,
            (
                f"its frames end at {last:.1f} s, but simulation.n_blocks x block_seconds are "
                f"{n_frames / FRAME_RATE:.1f} s"
            ),
            "take fewer or shorter blocks or a longer film",
        )
    for _ in range(number, n_frames):
        yield shown.to_ndarray(format="rgb24")


def decode_sound(path: Path, n_frames: int, *, zero: float, stream: int | None) -> np.ndarray:
    """Decode the sound of the film's first n_frames / 25 s.

    Parameters
    ----------
    path : Path
        The film.
    n_frames : int
        Frames that the sound is to accompany.
    zero : float
        From `film_zero`.
    stream : int or None
        Which audio stream; None for a film without sound.

    Returns
    -------
    ndarray of shape (n_frames * 1764,), float32
        Mono at `SOUND_RATE`; silence where there is none.
    """
    sound = np.zeros(n_frames * SOUND_RATE // FRAME_RATE, dtype=np.float32)
    with av.open(str(path)) as container:
        audio = _stream(container, "audio", stream)
        if audio is None:
            return sound
        resampler = av.AudioResampler(format="flt", layout="mono", rate=SOUND_RATE)
        # The resampler holds samples back; what it gives follows on what it gave.
        place, end = None, 0.0
        for frame in container.decode(audio):
            if frame.time is None:
                continue
            due = round((frame.time - zero) * SOUND_RATE)
            if place is None or abs(due - end) > _JITTER * SOUND_RATE:
                if place is not None:
                    place = _lay(sound, resampler.resample(None), place)
                    resampler = av.AudioResampler(format="flt", layout="mono", rate=SOUND_RATE)
                place = end = due
            end += frame.samples * SOUND_RATE / frame.sample_rate
            place = _lay(sound, resampler.resample(frame), place)
            if place > len(sound):
                return sound
        if place is not None:
            _lay(sound, resampler.resample(None), place)
    return sound


def _lay(sound: np.ndarray, frames: list, place: int) -> int:
    """Write frames one after the other from a place on, and return where they end."""
    for frame in frames:
        samples = frame.to_ndarray().reshape(-1)
        first, last = max(place, 0), min(place + len(samples), len(sound))
        if last > first:
            sound[first:last] = samples[first - place : last - place]
        place += len(samples)
    return place


def read_words(path: Path) -> list[tuple[str, float, float]]:
    """Read the annotation table of the words.

    Parameters
    ----------
    path : Path
        Tab-separated, with the columns item, onset and offset (seconds of the film).

    Returns
    -------
    list of (str, float, float)
        Word ("" where it is missing), onset and offset, in the order of their onsets.

    Raises
    ------
    InputError
        When a column is missing or a time is not a number.
    """
    table = read_tsv(path, needed=("item", "onset", "offset"))
    onset, offset = (numbers(table, name) for name in ("onset", "offset"))
    items = [row["item"] or "" for row in table.rows]
    return sorted(zip(items, onset, offset, strict=True), key=lambda word: word[1])


def film_settings(section: dict) -> FilmSettings:
    """Return the length that the simulation is to have, from the configuration's section."""
    return FilmSettings(**{key: section[key] for key in FilmSettings.__dataclass_fields__})
