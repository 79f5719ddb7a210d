"""Drawn speakers whose mouths follow their speech: what the speech blocks of the film show."""

from dataclasses import dataclass

import numpy as np

from stim2bold.simulation.film.drawing import Colour, colour_of, ellipse, gradient, line, polygon
from stim2bold.simulation.film.scenery import HEIGHT, WIDTH
from stim2bold.simulation.film.speech import Voice

MOUTH: Colour = (95, 15, 25)
"""The inside of a mouth; nothing else in a speech block has this colour."""


@dataclass(frozen=True)
class Speaker:
    """A person of the film.

    Parameters
    ----------
    name : str
        As in the annotations.
    voice : Voice
        How they sound.
    skin, hair, clothes, wall : tuple of float
        Colours.
    hair_style : str
        long, short or bun.
    glasses : bool
        Whether they wear any.
    concepts : tuple of str
        What is seen when they are.
    """

    name: str
    voice: Voice
    skin: Colour
    hair: Colour
    clothes: Colour
    wall: Colour
    hair_style: str
    glasses: bool
    concepts: tuple[str, ...]


SPEAKERS = (
    Speaker(
        name="saar",
        voice=Voice("nl+f2", 68, 152),
        skin=(244, 205, 175),
        hair=(196, 92, 30),
        clothes=(40, 120, 70),
        wall=(205, 190, 225),
        hair_style="long",
        glasses=False,
        concepts=("girl", "child", "young"),
    ),
    Speaker(
        name="daan",
        voice=Voice("nl+m3", 38, 140),
        skin=(150, 102, 72),
        hair=(28, 22, 20),
        clothes=(225, 180, 40),
        wall=(110, 150, 160),
        hair_style="short",
        glasses=False,
        concepts=("man", "adult"),
    ),
    Speaker(
        name="oma",
        voice=Voice("nl+f5", 22, 128),
        skin=(235, 190, 165),
        hair=(225, 225, 230),
        clothes=(120, 60, 150),
        wall=(230, 205, 150),
        hair_style="bun",
        glasses=True,
        concepts=("woman", "adult"),
    ),
)
"""The cast."""


@dataclass(frozen=True)
class Pose:
    """A face at one moment.

    Parameters
    ----------
    centre : tuple of float
        Middle of the face in pixels.
    size : float
        1 is a face 150 pixels high.
    opening : float
        Of the mouth, 0 (closed) to 1.
    rounding : float
        Of the lips, 0 (spread) to 1 (as in "oe").
    blink : float
        0 (open eyes) to 1 (closed).
    gaze : float
        -1 (left) to 1 (right).
    smile : float
        -1 to 1.
    tilt : float
        Radians.
    """

    centre: tuple[float, float]
    size: float
    opening: float
    rounding: float
    blink: float
    gaze: float
    smile: float
    tilt: float


def draw_room(speaker: Speaker, rng: np.random.Generator) -> np.ndarray:
    """Return the room behind a speaker: a wall with its paper, a window or a picture.

    Parameters
    ----------
    speaker : Speaker
        Whose room it is.
    rng : numpy Generator
        Where things hang.

    Returns
    -------
    ndarray of shape (240, 320, 3), uint8
        The empty room.
    """
    wall = np.asarray(speaker.wall)
    room = gradient(HEIGHT, WIDTH, tuple(wall), tuple(0.75 * wall))
    darker = tuple(0.85 * wall)
    spacing = rng.uniform(14, 44)
    vertical = rng.random() < 0.5
    for place in np.arange(0, WIDTH, spacing):
        if vertical:
            line(room, (place, 0), (place, HEIGHT), darker, 3)
        else:
            line(room, (0, place), (WIDTH, place), darker, 3)
    left = rng.choice([12.0, 228.0])
    frame = [(left, 22), (left + 76, 22), (left + 76, 112), (left, 112)]
    polygon(room, frame, (95, 70, 50))
    inner = [(left + 6, 28), (left + 70, 28), (left + 70, 106), (left + 6, 106)]
    polygon(room, inner, colour_of(rng.uniform(0, 1), 0.45, 0.95))
    if rng.random() < 0.5:
        line(room, (left + 38, 28), (left + 38, 106), (95, 70, 50), 4)
        line(room, (left + 6, 67), (left + 70, 67), (95, 70, 50), 4)
    else:
        ellipse(room, (left + 38, 70), (20, 26), colour_of(rng.uniform(0, 1), 0.7, 0.7))
    return room


def draw_speaker(frame: np.ndarray, speaker: Speaker, pose: Pose) -> None:
    """Draw a speaker's head and shoulders.

    Parameters
    ----------
    frame : ndarray of shape (240, 320, 3), uint8
        Drawn on in place.
    speaker : Speaker
        Who.
    pose : Pose
        How the face looks at this moment.
    """
    size = pose.size
    cosine, sine = np.cos(pose.tilt), np.sin(pose.tilt)

    def at(x: float, y: float) -> tuple[float, float]:
        """Return the place of a point of the face, given in pixels of a face of size 1."""
        return (
            pose.centre[0] + size * (cosine * x - sine * y),
            pose.centre[1] + size * (sine * x + cosine * y),
        )

    def oval(x: float, y: float, rx: float, ry: float, colour: Colour, **kwargs) -> None:
        ellipse(frame, at(x, y), (size * rx, size * ry), colour,
                angle=np.degrees(pose.tilt), **kwargs)  # fmt: skip

    skin = np.asarray(speaker.skin)
    shade = tuple(0.85 * skin)
    if speaker.hair_style == "long":
        oval(0, 8, 72, 92, speaker.hair)
    if speaker.hair_style == "bun":
        oval(0, -84, 30, 24, speaker.hair)
    # The body stays while the head sways.
    x, y = pose.centre
    ellipse(frame, (x, y + 165 * size), (105 * size, 82 * size), speaker.clothes)
    polygon(frame, [at(-20, 50), at(20, 50), (x + 24 * size, y + 100 * size),
                      (x - 24 * size, y + 100 * size)], shade)  # fmt: skip
    for side in (-1, 1):
        oval(58 * side, 4, 9, 15, shade)
    oval(0, 0, 57, 75, speaker.skin)
    oval(0, -38, 58, 42, speaker.hair, arc=(180, 360))
    if speaker.hair_style != "short":
        oval(-50, -14, 13, 36, speaker.hair)
        oval(50, -14, 13, 36, speaker.hair)
    for side in (-1, 1):
        eye = 23 * side
        oval(eye, -12, 12, max(0.8, 8 * (1 - pose.blink)), (250, 250, 250))
        if pose.blink < 0.6:
            oval(eye + 4 * pose.gaze, -12, 5, 5 * (1 - pose.blink), (40, 60, 70))
        line(frame, at(eye - 12, -29 - 3 * pose.smile), at(eye + 12, -29 - 3 * pose.smile),
             speaker.hair, max(2, round(4 * size)))  # fmt: skip
        if speaker.glasses:
            oval(eye, -12, 17, 14, (60, 60, 70), thickness=2)
    polygon(frame, [at(0, -6), at(9, 17), at(-9, 17)], shade)
    _draw_mouth(frame, speaker, pose, at)


def _draw_mouth(frame: np.ndarray, speaker: Speaker, pose: Pose, at) -> None:
    size = pose.size
    half = 25 - 12 * pose.rounding
    height = 17 * pose.opening
    lips = tuple(0.5 * np.asarray(speaker.skin) + 0.5 * np.array([190, 60, 70]))
    # Corners of the mouth go up in a smile.
    across = np.linspace(-1, 1, 17)
    bow = -5 * pose.smile * across**2
    bulge = np.sqrt(1 - across**2)
    upper = [at(half * u, 40 + b - 0.35 * height * w) for u, b, w in
             zip(across, bow, bulge, strict=True)]  # fmt: skip
    lower = [at(half * u, 40 + b + height * w) for u, b, w in
             zip(across, bow, bulge, strict=True)]  # fmt: skip
    outline = upper + lower[::-1]
    if height > 0.5:
        polygon(frame, outline, MOUTH)
        if height > 5:
            teeth = upper[4:13] + [(x, y + 3 * size) for x, y in upper[4:13]][::-1]
            polygon(frame, teeth, (245, 245, 240))
    for side in (upper, lower):
        for start, end in zip(side[:-1], side[1:], strict=True):
            line(frame, start, end, lips, max(2, round(4 * size)))
