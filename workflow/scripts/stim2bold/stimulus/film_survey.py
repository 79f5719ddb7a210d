"""What the packets of a film tell without a frame decoded: frames, length, holes, another clock."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from av.container import InputContainer
from av.stream import Stream

from stim2bold.runtime.errors import InputError
from stim2bold.stimulus.film_sound import JUMP_SECONDS, declared_seconds, refuse_cut
from stim2bold.stimulus.film_streams import MOST_DROPPED, frame_seconds, refuse_restart, stamp


@dataclass(frozen=True)
class Survey:
    """What was found; times in seconds, of film time unless they are lengths.

    Attributes
    ----------
    frames : int
        Packets of the video stream that are shown.
    duration : float
        When the last frame goes.
    usual : float
        Seconds of most frames.
    longest, longest_at : float
        The longest time without a new frame, and when it begins.
    sound_start, sound_end, sound_missing : float or None
        Where the sound lies, and the seconds of holes in it; None without sound.
    """

    frames: int
    duration: float
    usual: float
    longest: float
    longest_at: float
    sound_start: float | None
    sound_end: float | None
    sound_missing: float | None


def survey(
    path: str | Path, container: InputContainer, video: Stream, audio: Stream | None
) -> Survey:
    """Read all packets of a film.

    Parameters
    ----------
    path : str or Path
        The film, for messages.
    container : InputContainer
        Open, at its beginning.
    video, audio : Stream
        The streams that are the stimulus.

    Raises
    ------
    InputError
        When its clock begins anew, it breaks off, or frames that it declares are not there.
    """
    usual = frame_seconds(video)
    declared, n_declared = declared_seconds(container, video), video.frames
    shown: list[float] = []
    max_shown, last = -np.inf, 0.0
    decoded_at: float | None = None
    n_unstamped = n_packets = 0
    sound_start = sound_end = None
    missing = 0.0
    for packet in container.demux(*(stream for stream in (video, audio) if stream is not None)):
        if not packet.size:
            continue
        time = stamp(packet)
        if packet.stream is video or packet.stream_index == video.index:
            n_packets += 1
            if packet.is_discard:
                continue
            if time is None:
                n_unstamped += 1
                continue
            if packet.dts is not None:
                at = float(packet.dts * packet.time_base)
                if decoded_at is not None:
                    refuse_restart(
                        *(decoded_at, at),
                        path=str(path),
                        container_format=container.format.name,
                        where=f"frame {len(shown)}",
                    )
                decoded_at = at
            if time > max_shown:
                max_shown, last = time, float((packet.duration or 0) * packet.time_base)
            shown.append(time)
        elif time is not None:
            seconds = float((packet.duration or 0) * packet.time_base)
            if sound_end is None:
                sound_start = sound_end = time
            elif time - sound_end > JUMP_SECONDS and packet.duration:
                missing += time - sound_end
            sound_end = max(sound_end, time + seconds)
    if not shown and not n_unstamped:
        raise InputError(path, "holds not one frame", "copy the film again")
    if n_declared and n_packets < (1 - MOST_DROPPED) * n_declared - 1:
        raise InputError(
            path, f"holds {n_packets} of the {n_declared} frames that it declares", "copy it again"
        )
    if not shown:
        times = np.arange(n_unstamped) * usual
    else:
        times = np.unique(shown)
        times = np.append(times, times[-1] + usual * (1 + np.arange(n_unstamped)))
    # How long the last frame is shown, its packet says; else it is shown as long as most.
    end = float(times[-1] + (usual if n_unstamped or not last else last))
    between = np.diff(times, append=end)
    if video.duration:
        refuse_cut(path, declared, start=float(times[0]), end=end)
    zero = float(times[0]) if sound_start is None else min(float(times[0]), sound_start)
    widest = int(between.argmax())
    return Survey(
        frames=len(shown) + n_unstamped,
        duration=end - zero,
        usual=float(np.median(between)),
        longest=float(between[widest]),
        longest_at=float(times[widest]) - zero,
        sound_start=None if sound_start is None else sound_start - zero,
        sound_end=None if sound_end is None else sound_end - zero,
        sound_missing=None if sound_start is None else missing,
    )
