"""Moving scenery: what the music blocks of the simulated film show.

Every scene is made once for its shot and then painted at any moment of it. Scenes differ strongly
in colour, in the orientation and scale of their texture, and in speed and direction of movement,
for a film whose visual features are few-dimensional could not test a model of many dimensions.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from stim2bold.simulation.film.drawing import colour_of, ellipse, gradient, line, polygon

HEIGHT, WIDTH = 240, 320
"""Size of the film's frames in pixels."""

Painter = Callable[[float], np.ndarray]
"""Seconds since the shot began -> frame (height, width, 3), uint8, RGB."""

Y, X = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)


@dataclass(frozen=True)
class Setting:
    """What a scene is made with.

    Parameters
    ----------
    rng : numpy Generator
        Source of the scene's chance.
    pace : float
        How fast things move: 1 is usual, music of a higher tempo has more.
    beat : float
        Seconds between two beats of the music.
    """

    rng: np.random.Generator
    pace: float
    beat: float


def either_side(rng: np.random.Generator) -> int:
    """Draw a direction: 1 or -1."""
    return 1 if rng.random() < 0.5 else -1


def sea(setting: Setting) -> Painter:
    """Waves, a boat, and the colours of a summer's day."""
    rng = setting.rng
    hue = rng.uniform(0.48, 0.66)
    sky = gradient(
        HEIGHT, WIDTH, colour_of(rng.uniform(0, 1), 0.35, 0.95), colour_of(hue, 0.15, 1.0)
    )
    horizon = int(rng.uniform(70, 120))
    direction = either_side(rng)
    speed = rng.uniform(25, 70) * setting.pace * direction
    crests = [
        (horizon + depth, rng.uniform(0, 1), 18 + 0.5 * depth, 2 + 0.07 * depth)
        for depth in np.geomspace(4, HEIGHT - horizon + 20, 9)
    ]
    boat = rng.uniform(80, 240)

    def paint(time: float) -> np.ndarray:
        frame = sky.copy()
        ellipse(frame, (250, 40), (20, 20), (255, 240, 170))
        x = (boat + 0.4 * speed * time) % (WIDTH + 80) - 40
        for number, (level, phase, length, height) in enumerate(crests):
            if number == 3:
                tilt = 4 * np.sin(2 * np.pi * time / 2)
                base = level - 2
                polygon(frame, [(x - 24, base), (x + 24, base), (x + 16, base + 14),
                                  (x - 16, base + 14)], (150, 70, 40))  # fmt: skip
                polygon(frame, [(x, base - 4), (x + tilt, base - 52), (x + 26, base - 6)],
                        (250, 250, 240))  # fmt: skip
            across = np.arange(-4, WIDTH + 8, 4)
            shift = speed * time * (0.3 + 0.12 * number)
            wave = level + height * np.sin(2 * np.pi * ((across - shift) / (4 * length) + phase))
            outline = np.column_stack([across, wave])
            corners = np.vstack([outline, [(WIDTH + 4, HEIGHT), (-4, HEIGHT)]])
            polygon(frame, corners, colour_of(hue, 0.75, 0.95 - 0.07 * number))
        return frame

    return paint


def forest(setting: Setting) -> Painter:
    """Trunks that pass by, and leaves."""
    rng = setting.rng
    hue = rng.uniform(0.16, 0.42)
    background = gradient(
        HEIGHT, WIDTH, colour_of(hue + 0.1, 0.2, 0.9), colour_of(hue, 0.6, rng.uniform(0.3, 0.6))
    )
    speed = rng.uniform(30, 140) * setting.pace * either_side(rng)
    trunks = sorted(
        (rng.uniform(0.25, 1.0), rng.uniform(0, WIDTH * 1.5), rng.uniform(0.7, 1.3))
        for _ in range(22)
    )

    def paint(time: float) -> np.ndarray:
        frame = background.copy()
        for near, place, girth in trunks:
            x = (place - speed * near * time) % (WIDTH * 1.5) - WIDTH * 0.25
            half = 9 * near * girth
            foot = 120 + 120 * near
            trunk = [(x - half, foot), (x - half * 0.7, -5), (x + half * 0.7, -5), (x + half, foot)]
            polygon(frame, trunk, colour_of(0.07, 0.5, 0.55 - 0.4 * near))
            ellipse(frame, (x, 20 - 20 * near), (55 * near * girth, 38 * near),
                    colour_of(hue, 0.7, 0.75 - 0.45 * near))  # fmt: skip
        return frame

    return paint


def street(setting: Setting) -> Painter:
    """Houses, and cars that pass."""
    rng = setting.rng
    speed = rng.uniform(30, 110) * setting.pace * either_side(rng)
    sky = gradient(HEIGHT, WIDTH, colour_of(0.58, 0.4, 0.9), colour_of(0.1, 0.15, 0.95))
    sky[190:] = (90, 90, 95)
    houses = [
        (colour_of(rng.uniform(0, 1), rng.uniform(0.3, 0.8), rng.uniform(0.5, 0.9)),
         rng.uniform(70, 130), int(rng.integers(2, 4)))
        for _ in range(6)
    ]  # fmt: skip
    car = colour_of(rng.uniform(0, 1), 0.9, 0.9)
    car_speed = -speed * rng.uniform(1.0, 2.0)

    def paint(time: float) -> np.ndarray:
        frame = sky.copy()
        for number, (colour, height, n_windows) in enumerate(houses):
            x = (number * 90 - speed * time) % 540 - 110
            top = 190 - height
            polygon(frame, [(x, 190), (x, top), (x + 84, top), (x + 84, 190)], colour)
            polygon(frame, [(x - 4, top), (x + 42, top - 34), (x + 88, top)], (150, 60, 45))
            for row in range(2):
                for column in range(n_windows):
                    left = x + 8 + column * 76 / n_windows
                    up = top + 10 + row * 34
                    polygon(frame, [(left, up), (left + 18, up), (left + 18, up + 22),
                                      (left, up + 22)], (225, 240, 250))  # fmt: skip
            polygon(frame, [(x + 34, 190), (x + 34, 162), (x + 50, 162), (x + 50, 190)],
                    (80, 50, 40))  # fmt: skip
        x = (160 + car_speed * time) % 460 - 70
        polygon(frame, [(x - 45, 215), (x - 45, 198), (x - 25, 182), (x + 22, 182),
                          (x + 45, 198), (x + 45, 215)], car)  # fmt: skip
        for wheel in (-26, 26):
            ellipse(frame, (x + wheel, 216), (10, 10), (20, 20, 20))
        return frame

    return paint


def clouds(setting: Setting) -> Painter:
    """Clouds and birds."""
    rng = setting.rng
    sky = gradient(HEIGHT, WIDTH, colour_of(0.6, 0.7, 0.75), colour_of(0.55, 0.25, 1.0))
    drift = rng.uniform(10, 40) * setting.pace * either_side(rng)
    puffs = rng.uniform(0, 1, (26, 3))
    birds = rng.uniform(0, 1, (7, 2))
    flight = rng.uniform(50, 110) * setting.pace * either_side(rng)

    def paint(time: float) -> np.ndarray:
        frame = sky.copy()
        for number, (across, down, size) in enumerate(puffs):
            x = (across * 480 + drift * time * (0.5 + size)) % 480 - 80
            white = 225 + 30 * (number % 2)
            ellipse(frame, (x, 30 + 170 * down), (26 + 34 * size, 12 + 14 * size), (white,) * 3)
        for across, down in birds:
            x = (across * 420 + flight * time) % 420 - 50
            y = 40 + 130 * down + 8 * np.sin(time * 3 + 6 * across)
            wing = 9 * np.sin(2 * np.pi * (time / (2 * setting.beat) + across))
            line(frame, (x - 15, y - wing), (x, y), (30, 30, 40), 2)
            line(frame, (x, y), (x + 15, y - wing), (30, 30, 40), 2)
        return frame

    return paint


def meadow(setting: Setting) -> Painter:
    """Grass, and a horse that runs on it."""
    rng = setting.rng
    hue = rng.uniform(0.2, 0.36)
    field = gradient(HEIGHT, WIDTH, colour_of(0.55, 0.3, 1.0), colour_of(0.5, 0.1, 1.0))
    field[120:] = gradient(120, WIDTH, colour_of(hue, 0.6, 0.8), colour_of(hue, 0.8, 0.45))
    for x, y in zip(rng.uniform(0, WIDTH, 300), rng.uniform(125, HEIGHT, 300), strict=True):
        line(field, (x, y), (x + 2, y - 8), colour_of(hue, 0.9, rng.uniform(0.3, 0.6)))
    coat = colour_of(rng.uniform(0.02, 0.12), rng.uniform(0.1, 0.8), rng.uniform(0.3, 0.9))
    speed = rng.uniform(30, 100) * setting.pace * either_side(rng)
    places = rng.uniform(0, 400, 3)

    def paint(time: float) -> np.ndarray:
        frame = field.copy()
        ahead = np.sign(speed)
        for number, place in enumerate(places):
            x = (place + speed * time) % 440 - 60
            y, size = 135 + 25 * number, 0.7 + 0.25 * number
            for leg, phase in ((-24, 0.0), (-18, 0.5), (18, 0.25), (24, 0.75)):
                swing = 12 * size * np.sin(2 * np.pi * (time / setting.beat + phase))
                foot = (x + leg * size + swing, y + 46 * size)
                line(frame, (x + leg * size, y + 8 * size), foot, coat, max(2, int(6 * size)))
            ellipse(frame, (x, y), (36 * size, 17 * size), coat)
            neck = x + ahead * 30 * size
            line(frame, (neck, y), (neck + ahead * 16 * size, y - 30 * size), coat,
                 max(3, int(12 * size)))  # fmt: skip
            ellipse(frame, (neck + ahead * 22 * size, y - 30 * size), (15 * size, 8 * size), coat,
                    angle=25 * ahead)  # fmt: skip
        return frame

    return paint


def storm(setting: Setting) -> Painter:
    """Rain and lightning."""
    rng = setting.rng
    sky = gradient(HEIGHT, WIDTH, (40, 44, 58), (88, 92, 104))
    drops = rng.uniform(0, 1, (160, 3))
    slant = rng.uniform(-0.6, 0.6)
    speed = rng.uniform(150, 320) * setting.pace

    def paint(time: float) -> np.ndarray:
        frame = sky.copy()
        flash = max(0.0, np.sin(2 * np.pi * time / (4 * setting.beat))) ** 12
        frame = cv2.add(frame, np.full_like(frame, int(110 * flash)))
        for across, down, near in drops:
            y = (down * 280 + speed * (0.5 + near) * time) % 280 - 20
            x = (across * 400 + slant * y) % 400 - 40
            length = 8 + 12 * near
            line(frame, (x, y), (x + slant * length, y + length), (170, 180, 205))
        return frame

    return paint


def windmill(setting: Setting) -> Painter:
    """Sails that turn, and the mill."""
    rng = setting.rng
    sky = gradient(HEIGHT, WIDTH, colour_of(rng.uniform(0, 1), 0.5, 0.9), (250, 225, 190))
    sky[205:] = colour_of(rng.uniform(0.2, 0.35), 0.7, 0.5)
    spin = rng.uniform(0.6, 2.4) * setting.pace * either_side(rng)
    x0 = rng.uniform(110, 210)

    def paint(time: float) -> np.ndarray:
        frame = sky.copy()
        polygon(frame, [(x0 - 38, 210), (x0 - 20, 95), (x0 + 20, 95), (x0 + 38, 210)],
                (110, 75, 55))  # fmt: skip
        polygon(frame, [(x0 - 24, 97), (x0, 70), (x0 + 24, 97)], (60, 40, 35))
        for blade in range(4):
            angle = spin * time + blade * np.pi / 2
            along = np.array([np.cos(angle), np.sin(angle)])
            aside = np.array([-along[1], along[0]])
            hub = np.array([x0, 92.0])
            polygon(frame, [hub, hub + 88 * along, hub + 88 * along + 17 * aside,
                              hub + 18 * along + 17 * aside], (240, 235, 220))  # fmt: skip
            line(frame, tuple(hub), tuple(hub + 90 * along), (60, 40, 30), 3)
        return frame

    return paint


"""Name of a scene -> how it is made, and the concepts that it shows."""
