"""The sound of a film on the film's own clock."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import soxr
from av.audio.resampler import AudioResampler

from stim2bold.runtime.errors import InputError
from stim2bold.stimulus.channels import channel_names, mono_weights
from stim2bold.stimulus.film_sound import JUMP_SECONDS
from stim2bold.stimulus.film_streams import choose_stream, decode, open_film, stamp

log = logging.getLogger(__name__)

FULL_SCALE = 0.999
SILENCE_DBFS = -60.0


@dataclass(frozen=True)
class Condition:
    """What may be wrong with a sound.

    Attributes
    ----------
    silent_fraction : float
        Fraction of 20 ms pieces below -60 dBFS.
    clipped_samples : int
        Samples within runs of at least three at full scale.
    peak : float
        Largest magnitude; 1 is full scale.
    rms : float
        Root mean square.
    """

    silent_fraction: float
    clipped_samples: int
    peak: float
    rms: float


def read_sound(
    path: str | Path,
    *,
    zero: float,
    duration: float,
    rate: int,
    stream: int = 0,
    channels: Sequence[str | int] | None = None,
) -> np.ndarray:
    """Read a film's sound, mixed to one channel and resampled once.

    Sample n is the sound at film time ``n / rate``: a stream that starts late begins with silence,
    one that starts before film time 0 is cut, gaps in its time stamps are silence.

    Parameters
    ----------
    path : str or Path
        The film.
    zero : float
        Container time of film time 0, seconds.
    duration : float
        Length of the film; the sound is cut, or continued by silence, to this length.
    rate : int
        Samples per second wanted.
    stream : int
        Which audio stream.
    channels : sequence of str or int, optional
        Which of its channels, see `stim2bold.stimulus.channels.mono_weights`.

    Returns
    -------
    ndarray of float32, shape (round(duration * rate),)
        Full scale is 1.

    Raises
    ------
    InputError
        When the film has no sound or it cannot be decoded.
    """
    with open_film(path) as container:
        audio = choose_stream(container, "audio", stream)
        if audio is None:
            raise InputError(
                path,
                "has no audio stream",
                (
                    "use the film with its sound, set film_sound to the file that holds it, or "
                    "take the directions with audio out of 'directions' and set streams.audio to "
                    "null"
                ),
            )
        native = audio.codec_context.sample_rate
        # A broadcast may go from stereo to 5.1 and back: a converter and weights for each layout.
        # Interleaved: PyAV reads beyond the planes of a frame that has eight of them (7.1).
        packed_of: dict[tuple, AudioResampler] = {}
        resampler = soxr.ResampleStream(native, rate, 1, dtype="float32", quality="HQ")
        pieces: list[np.ndarray] = []
        position = 0  # in native samples since film time 0

        def push(samples: np.ndarray) -> None:
            pieces.append(resampler.resample_chunk(samples))

        for frame in decode(container, audio):
            if frame.sample_rate != native:
                raise InputError(
                    path,
                    (
                        f"its sampling rate changes from {native} to {frame.sample_rate} Hz "
                        "within the film"
                    ),
                    "convert its sound to one rate",
                )
            start = position
            time = stamp(frame)
            if time is not None:
                due = round((time - zero) * native)
                if abs(due - position) > JUMP_SECONDS * native or position == 0:
                    start = due
            names = channel_names(frame.layout)
            kind = (frame.format.name, names)
            if kind not in packed_of:
                packed_of[kind] = AudioResampler(format="flt")
            parts = [part.to_ndarray() for part in packed_of[kind].resample(frame)]
            samples = np.concatenate(parts, axis=1).reshape(-1, len(names))
            mono = samples @ mono_weights(names, channels, path=path)
            if start > position:
                if position:
                    log.warning("%s: sound missing for %.3f s", path, (start - position) / native)
                push(np.zeros(start - position, np.float32))
                position = start
            mono = mono[position - start :]
            if len(mono):
                push(np.ascontiguousarray(mono))
                position += len(mono)
        pieces.append(resampler.resample_chunk(np.zeros(0, np.float32), last=True))
    if position == 0:
        raise InputError(path, "not one sample of its sound could be decoded", "copy it again")
    sound = np.concatenate(pieces)
    wanted = round(duration * rate)
    if len(sound) < wanted - rate:
        log.warning("%s: sound ends %.1f s before the film", path, (wanted - len(sound)) / rate)
    return np.pad(sound[:wanted], (0, max(0, wanted - len(sound))))


def read_film_sound(path: str | Path, clock: dict[str, Any], *, rate: int) -> np.ndarray:
    """Read the sound that belongs to a film's clock, see `read_sound`.

    Parameters
    ----------
    path : str or Path
        The film, or the file that holds its sound.
    clock : dict
        As `stim2bold.stimulus.film.probe` gives it.
    rate : int
        Samples per second wanted.
    """
    audio = clock["audio"] or {"stream": 0, "zero": clock["zero"], "mixed": None}
    return read_sound(
        path,
        zero=audio["zero"],
        duration=clock["duration"],
        rate=rate,
        stream=audio["stream"],
        channels=audio["mixed"],
    )


def examine(sound: np.ndarray, rate: int) -> Condition:
    """Look for silence and clipping.

    Parameters
    ----------
    sound : ndarray of shape (n_samples,)
        Full scale is 1.
    rate : int
        Samples per second.

    Returns
    -------
    Condition
    """
    piece = max(1, round(0.02 * rate))
    pieces = sound[: len(sound) // piece * piece].reshape(-1, piece).astype(float)
    level = np.sqrt((pieces**2).mean(axis=1))
    at_limit = (np.abs(sound) >= FULL_SCALE).astype(np.int8)
    changes = np.flatnonzero(np.diff(at_limit, prepend=0, append=0))
    runs = changes[1::2] - changes[::2]
    return Condition(
        silent_fraction=float((level < 10 ** (SILENCE_DBFS / 20)).mean()) if len(level) else 1.0,
        clipped_samples=int(runs[runs >= 3].sum()),
        peak=float(np.abs(sound).max(initial=0.0)),
        rms=float(np.sqrt(np.mean(np.square(sound, dtype=float)))) if len(sound) else 0.0,
    )


def write_wav(path: str | Path, sound: np.ndarray, rate: int) -> None:
    """Write 16-bit PCM mono sound; what exceeds full scale is clipped.

    Parameters
    ----------
    path : str or Path
        A ``.wav`` file.
    sound : ndarray of shape (n_samples,)
        Full scale is 1.
    rate : int
        Samples per second.
    """
    samples = np.clip(np.round(np.asarray(sound, dtype=float) * 32767), -32768, 32767)
    with av.open(str(path), "w", format="wav") as container:
        stream = container.add_stream("pcm_s16le", rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(
            samples.astype(np.int16)[np.newaxis], format="s16", layout="mono"
        )
        frame.sample_rate = rate
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
