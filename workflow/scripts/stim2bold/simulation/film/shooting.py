"""The simulated film on disk: its frames drawn one by one and encoded with its sound."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from av.codec.context import Flags as CodecFlags
from av.container import Flags

from stim2bold.simulation.film.faces import Pose, draw_room, draw_speaker
from stim2bold.simulation.film.filmmaking import Film, Shot, mouth_movement
from stim2bold.simulation.film.scenery import HEIGHT, WIDTH, Painter, Setting
from stim2bold.simulation.film.scenes import make_scene
from stim2bold.simulation.film.settings import FRAME_RATE, SOUND_RATE


def draw_frames(film: Film) -> Iterator[np.ndarray]:
    """Draw the film.

    Parameters
    ----------
    film : Film
        What is shown when.

    Yields
    ------
    ndarray of shape (240, 320, 3), uint8
        Frame k, RGB, shown from k/25 to (k+1)/25 s; moving things stand where they are in the
        middle of that time.
    """
    opening, rounding = mouth_movement(film)
    for shot in film.shots:
        rng = np.random.default_rng(shot.seed)
        if shot.scene is not None:
            paint = make_scene(shot.scene, Setting(rng, shot.pace, shot.beat))
        else:
            frames = slice(shot.first, shot.last)
            paint = _speaking(shot, rng, opening[frames], rounding[frames])
        for number in range(shot.last - shot.first):
            yield paint((number + 0.5) / FRAME_RATE)


def _speaking(
    shot: Shot, rng: np.random.Generator, opening: np.ndarray, rounding: np.ndarray
) -> Painter:
    room = draw_room(shot.speaker, rng)
    size = 1.0 if shot.close_up else 0.68
    x0, y0 = WIDTH / 2 + rng.uniform(-30, 30), (118 if shot.close_up else 125)
    sway = rng.uniform(3, 8, 2)
    speeds = rng.uniform(0.15, 0.6, 3)
    phases = rng.uniform(0, 2 * np.pi, 3)
    next_blink, blink_every = rng.uniform(0.3, 2.0), rng.uniform(1.8, 3.5)

    def paint(time: float) -> np.ndarray:
        frame = min(int(time * FRAME_RATE), len(opening) - 1)
        waves = np.sin(2 * np.pi * speeds * time + phases)
        since = (time - next_blink) % blink_every if time > next_blink else 1.0
        # A blink takes a fifth of a second; the head nods a little with the voice.
        blink = max(0.0, 1 - abs(since - 0.1) / 0.1)
        pose = Pose(
            centre=(x0 + sway[0] * waves[0], y0 + sway[1] * waves[1] - 3 * opening[frame]),
            size=size,
            opening=float(opening[frame]),
            rounding=float(rounding[frame]),
            blink=blink,
            gaze=float(np.round(1.5 * waves[2]) / 2),
            smile=shot.smile,
            tilt=0.06 * float(waves[2]),
        )
        image = room.copy()
        draw_speaker(image, shot.speaker, pose)
        return image

    return paint


def write_film(path: Path, frames: Iterator[np.ndarray], sound: np.ndarray) -> None:
    """Encode a film as H.264 and AAC in MP4.

    Parameters
    ----------
    path : Path
        The file to write; its suffix is .mp4.
    frames : iterator of ndarray of shape (240, 320, 3), uint8
        25 a second.
    sound : ndarray of shape (n_samples,), float32
        44,100 a second, in [-1, 1].
    """
    with av.open(str(path), "w") as container:
        # Leaves out the encoder's version and the date: the same film is the same bytes.
        container.flags |= Flags.bitexact.value
        video = container.add_stream("libx264", rate=FRAME_RATE)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        # One thread: with more, the bits would depend on the machine. Neither a tree of macroblocks
        # nor weighted prediction: x264's look ahead for these reads memory that nobody wrote, and
        # one film in a dozen came out with other bits.
        video.options = {
            "preset": "veryfast",
            "crf": "20",
            "threads": "1",
            "g": "50",
            "x264-params": "mbtree=0:weightp=0",
        }
        video.codec_context.flags |= CodecFlags.bitexact
        audio = container.add_stream("aac", rate=SOUND_RATE, layout="mono")
        audio.bit_rate = 128_000
        audio.codec_context.flags |= CodecFlags.bitexact
        written = 0
        for number, image in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts = number
            container.mux(video.encode(frame))
            # Sound goes along with the frames, so that a player finds both together.
            due = (number + 1) * SOUND_RATE // FRAME_RATE
            container.mux(_encode_sound(audio, sound, written, due))
            written = due
        container.mux(video.encode(None))
        container.mux(_encode_sound(audio, sound, written, len(sound)))
        container.mux(audio.encode(None))


def _encode_sound(stream, sound: np.ndarray, start: int, stop: int) -> list:
    if stop <= start:
        return []
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(sound[None, start:stop]), format="fltp", layout="mono"
    )
    frame.sample_rate = SOUND_RATE
    frame.pts = start
    return stream.encode(frame)
