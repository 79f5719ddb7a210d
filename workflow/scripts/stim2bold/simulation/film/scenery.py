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
"""Size of the film's pictures in pixels."""

Painter = Callable[[float], np.ndarray]
"""Seconds since the shot began -> picture (height, width, 3), uint8, RGB."""

_Y, _X = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)


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


def _side(rng: np.random.Generator) -> int:
    return 1 if rng.random() < 0.5 else -1


def _sea(setting: Setting) -> Painter:
    rng = setting.rng
    hue = rng.uniform(0.48, 0.66)
    sky = gradient(
        HEIGHT, WIDTH, colour_of(rng.uniform(0, 1), 0.35, 0.95), colour_of(hue, 0.15, 1.0)
    )
    horizon = int(rng.uniform(70, 120))
    direction = _side(rng)
    speed = rng.uniform(25, 70) * setting.pace * direction
    crests = [
        (horizon + depth, rng.uniform(0, 1), 18 + 0.5 * depth, 2 + 0.07 * depth)
        for depth in np.geomspace(4, HEIGHT - horizon + 20, 9)
    ]
    boat = rng.uniform(80, 240)

    def paint(time: float) -> np.ndarray:
        picture = sky.copy()
        ellipse(picture, (250, 40), (20, 20), (255, 240, 170))
        x = (boat + 0.4 * speed * time) % (WIDTH + 80) - 40
        for number, (level, phase, length, height) in enumerate(crests):
            if number == 3:
                tilt = 4 * np.sin(2 * np.pi * time / 2)
                base = level - 2
                polygon(picture, [(x - 24, base), (x + 24, base), (x + 16, base + 14),
                                  (x - 16, base + 14)], (150, 70, 40))  # fmt: skip
                polygon(picture, [(x, base - 4), (x + tilt, base - 52), (x + 26, base - 6)],
                        (250, 250, 240))  # fmt: skip
            across = np.arange(-4, WIDTH + 8, 4)
            shift = speed * time * (0.3 + 0.12 * number)
            wave = level + height * np.sin(2 * np.pi * ((across - shift) / (4 * length) + phase))
            outline = np.column_stack([across, wave])
            corners = np.vstack([outline, [(WIDTH + 4, HEIGHT), (-4, HEIGHT)]])
            polygon(picture, corners, colour_of(hue, 0.75, 0.95 - 0.07 * number))
        return picture

    return paint


def _forest(setting: Setting) -> Painter:
    rng = setting.rng
    hue = rng.uniform(0.16, 0.42)
    background = gradient(
        HEIGHT, WIDTH, colour_of(hue + 0.1, 0.2, 0.9), colour_of(hue, 0.6, rng.uniform(0.3, 0.6))
    )
    speed = rng.uniform(30, 140) * setting.pace * _side(rng)
    trunks = sorted(
        (rng.uniform(0.25, 1.0), rng.uniform(0, WIDTH * 1.5), rng.uniform(0.7, 1.3))
        for _ in range(22)
    )

    def paint(time: float) -> np.ndarray:
        picture = background.copy()
        for near, place, girth in trunks:
            x = (place - speed * near * time) % (WIDTH * 1.5) - WIDTH * 0.25
            half = 9 * near * girth
            foot = 120 + 120 * near
            trunk = [(x - half, foot), (x - half * 0.7, -5), (x + half * 0.7, -5), (x + half, foot)]
            polygon(picture, trunk, colour_of(0.07, 0.5, 0.55 - 0.4 * near))
            ellipse(picture, (x, 20 - 20 * near), (55 * near * girth, 38 * near),
                    colour_of(hue, 0.7, 0.75 - 0.45 * near))  # fmt: skip
        return picture

    return paint


def _street(setting: Setting) -> Painter:
    rng = setting.rng
    speed = rng.uniform(30, 110) * setting.pace * _side(rng)
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
        picture = sky.copy()
        for number, (colour, height, n_windows) in enumerate(houses):
            x = (number * 90 - speed * time) % 540 - 110
            top = 190 - height
            polygon(picture, [(x, 190), (x, top), (x + 84, top), (x + 84, 190)], colour)
            polygon(picture, [(x - 4, top), (x + 42, top - 34), (x + 88, top)], (150, 60, 45))
            for row in range(2):
                for column in range(n_windows):
                    left = x + 8 + column * 76 / n_windows
                    up = top + 10 + row * 34
                    polygon(picture, [(left, up), (left + 18, up), (left + 18, up + 22),
                                      (left, up + 22)], (225, 240, 250))  # fmt: skip
            polygon(picture, [(x + 34, 190), (x + 34, 162), (x + 50, 162), (x + 50, 190)],
                    (80, 50, 40))  # fmt: skip
        x = (160 + car_speed * time) % 460 - 70
        polygon(picture, [(x - 45, 215), (x - 45, 198), (x - 25, 182), (x + 22, 182),
                          (x + 45, 198), (x + 45, 215)], car)  # fmt: skip
        for wheel in (-26, 26):
            ellipse(picture, (x + wheel, 216), (10, 10), (20, 20, 20))
        return picture

    return paint


def _clouds(setting: Setting) -> Painter:
    rng = setting.rng
    sky = gradient(HEIGHT, WIDTH, colour_of(0.6, 0.7, 0.75), colour_of(0.55, 0.25, 1.0))
    drift = rng.uniform(10, 40) * setting.pace * _side(rng)
    puffs = rng.uniform(0, 1, (26, 3))
    birds = rng.uniform(0, 1, (7, 2))
    flight = rng.uniform(50, 110) * setting.pace * _side(rng)

    def paint(time: float) -> np.ndarray:
        picture = sky.copy()
        for number, (across, down, size) in enumerate(puffs):
            x = (across * 480 + drift * time * (0.5 + size)) % 480 - 80
            white = 225 + 30 * (number % 2)
            ellipse(picture, (x, 30 + 170 * down), (26 + 34 * size, 12 + 14 * size), (white,) * 3)
        for across, down in birds:
            x = (across * 420 + flight * time) % 420 - 50
            y = 40 + 130 * down + 8 * np.sin(time * 3 + 6 * across)
            wing = 9 * np.sin(2 * np.pi * (time / (2 * setting.beat) + across))
            line(picture, (x - 15, y - wing), (x, y), (30, 30, 40), 2)
            line(picture, (x, y), (x + 15, y - wing), (30, 30, 40), 2)
        return picture

    return paint


def _meadow(setting: Setting) -> Painter:
    rng = setting.rng
    hue = rng.uniform(0.2, 0.36)
    field = gradient(HEIGHT, WIDTH, colour_of(0.55, 0.3, 1.0), colour_of(0.5, 0.1, 1.0))
    field[120:] = gradient(120, WIDTH, colour_of(hue, 0.6, 0.8), colour_of(hue, 0.8, 0.45))
    for x, y in zip(rng.uniform(0, WIDTH, 300), rng.uniform(125, HEIGHT, 300), strict=True):
        line(field, (x, y), (x + 2, y - 8), colour_of(hue, 0.9, rng.uniform(0.3, 0.6)))
    coat = colour_of(rng.uniform(0.02, 0.12), rng.uniform(0.1, 0.8), rng.uniform(0.3, 0.9))
    speed = rng.uniform(30, 100) * setting.pace * _side(rng)
    places = rng.uniform(0, 400, 3)

    def paint(time: float) -> np.ndarray:
        picture = field.copy()
        ahead = np.sign(speed)
        for number, place in enumerate(places):
            x = (place + speed * time) % 440 - 60
            y, size = 135 + 25 * number, 0.7 + 0.25 * number
            for leg, phase in ((-24, 0.0), (-18, 0.5), (18, 0.25), (24, 0.75)):
                swing = 12 * size * np.sin(2 * np.pi * (time / setting.beat + phase))
                foot = (x + leg * size + swing, y + 46 * size)
                line(picture, (x + leg * size, y + 8 * size), foot, coat, max(2, int(6 * size)))
            ellipse(picture, (x, y), (36 * size, 17 * size), coat)
            neck = x + ahead * 30 * size
            line(picture, (neck, y), (neck + ahead * 16 * size, y - 30 * size), coat,
                 max(3, int(12 * size)))  # fmt: skip
            ellipse(picture, (neck + ahead * 22 * size, y - 30 * size), (15 * size, 8 * size), coat,
                    angle=25 * ahead)  # fmt: skip
        return picture

    return paint


def _grating(setting: Setting) -> Painter:
    rng = setting.rng
    angle = rng.uniform(0, np.pi)
    period = np.exp(rng.uniform(np.log(10), np.log(70)))
    speed = rng.uniform(20, 110) * setting.pace * _side(rng)
    one, other = (
        np.array(colour_of(rng.uniform(0, 1), rng.uniform(0.3, 1), value), dtype=np.float32)
        for value in (rng.uniform(0.1, 0.5), rng.uniform(0.7, 1.0))
    )
    place = _X * np.float32(np.cos(angle) / period) + _Y * np.float32(np.sin(angle) / period)

    def paint(time: float) -> np.ndarray:
        turn = np.float32(speed * time / period)
        # A table of 256 colours is ten times quicker than mixing each pixel.
        level = ((place - turn) % 1 * 256).astype(np.uint8)
        mix = 0.5 + 0.5 * np.sin(2 * np.pi * np.arange(256) / 256)[:, None]
        return np.round(one + (other - one) * mix).astype(np.uint8)[level]

    return paint


def _checkerboard(setting: Setting) -> Painter:
    rng = setting.rng
    x, y = _X - WIDTH / 2, _Y - HEIGHT / 2
    rings = np.log(np.hypot(x, y) + 4) * rng.uniform(2.0, 5.0)
    spokes = np.arctan2(y, x) / (2 * np.pi) * int(rng.integers(4, 12))
    growth = rng.uniform(0.3, 1.5) * setting.pace * _side(rng)
    spin = rng.uniform(0.0, 1.0) * setting.pace * _side(rng)
    colours = np.array(
        [colour_of(rng.uniform(0, 1), 0.8, 1.0), colour_of(rng.uniform(0, 1), 0.6, 0.25)]
    ).astype(np.uint8)

    def paint(time: float) -> np.ndarray:
        field = np.floor(rings - np.float32(growth * time)) + np.floor(
            2 * (spokes - np.float32(spin * time))
        )
        return colours[field.astype(np.int32) & 1]

    return paint


def _storm(setting: Setting) -> Painter:
    rng = setting.rng
    sky = gradient(HEIGHT, WIDTH, (40, 44, 58), (88, 92, 104))
    drops = rng.uniform(0, 1, (160, 3))
    slant = rng.uniform(-0.6, 0.6)
    speed = rng.uniform(150, 320) * setting.pace

    def paint(time: float) -> np.ndarray:
        picture = sky.copy()
        flash = max(0.0, np.sin(2 * np.pi * time / (4 * setting.beat))) ** 12
        picture = cv2.add(picture, np.full_like(picture, int(110 * flash)))
        for across, down, near in drops:
            y = (down * 280 + speed * (0.5 + near) * time) % 280 - 20
            x = (across * 400 + slant * y) % 400 - 40
            length = 8 + 12 * near
            line(picture, (x, y), (x + slant * length, y + length), (170, 180, 205))
        return picture

    return paint


def _fireworks(setting: Setting) -> Painter:
    rng = setting.rng
    night = gradient(HEIGHT, WIDTH, (5, 5, 25), (30, 15, 45))
    bursts = [
        (rng.uniform(40, 280), rng.uniform(30, 150), colour_of(rng.uniform(0, 1), 0.7, 1.0),
         rng.uniform(0, 1))
        for _ in range(5)
    ]  # fmt: skip
    rays = np.linspace(0, 2 * np.pi, 22, endpoint=False)

    def paint(time: float) -> np.ndarray:
        picture = night.copy()
        for x, y, colour, phase in bursts:
            age = (time / (2 * setting.beat) + phase) % 1
            radius = 75 * np.sqrt(age)
            fading = tuple(channel * (1 - age) for channel in colour)
            for ray in rays:
                place = (x + radius * np.cos(ray), y + radius * np.sin(ray) + 30 * age**2)
                ellipse(picture, place, (4 - 2 * age, 4 - 2 * age), fading)
        polygon(picture, [(0, HEIGHT), (0, 205), (80, 190), (180, 212), (WIDTH, 198),
                          (WIDTH, HEIGHT)], (8, 10, 12))  # fmt: skip
        return picture

    return paint


def _aquarium(setting: Setting) -> Painter:
    rng = setting.rng
    hue = rng.uniform(0.45, 0.62)
    water = gradient(HEIGHT, WIDTH, colour_of(hue, 0.5, 0.8), colour_of(hue, 0.9, 0.3))
    bubbles = rng.uniform(0, 1, (30, 3))
    fishes = [
        (rng.uniform(0, 420), rng.uniform(40, 200), rng.uniform(25, 110) * _side(rng),
         colour_of(rng.uniform(-0.05, 0.17), 0.9, 1.0), rng.uniform(0.6, 1.5))
        for _ in range(6)
    ]  # fmt: skip

    def paint(time: float) -> np.ndarray:
        picture = water.copy()
        for across, down, size in bubbles:
            y = (down * 270 - (30 + 50 * size) * setting.pace * time) % 270 - 15
            ellipse(picture, (across * WIDTH + 5 * np.sin(3 * time + 9 * down), y),
                    (2 + 6 * size,) * 2, (210, 240, 250), thickness=1)  # fmt: skip
        for place, level, speed, colour, size in fishes:
            x = (place + speed * setting.pace * time) % 420 - 50
            y = level + 6 * np.sin(2 * time + place)
            back = -np.sign(speed)
            tail = 9 * size * np.sin(2 * np.pi * time / setting.beat)
            end = x + back * 32 * size
            fin = [
                (x + back * 15 * size, y),
                (end, y - 11 * size + tail),
                (end, y + 11 * size + tail),
            ]
            polygon(picture, fin, colour)
            ellipse(picture, (x, y), (21 * size, 11 * size), colour)
            ellipse(picture, (x - back * 12 * size, y - 3 * size), (2.5, 2.5), (10, 10, 10))
        return picture

    return paint


def _dancers(setting: Setting) -> Painter:
    rng = setting.rng
    floor = gradient(HEIGHT, WIDTH, colour_of(rng.uniform(0, 1), 0.6, 0.5), (25, 20, 30))
    shirts = [colour_of(rng.uniform(0, 1), 0.8, 0.95) for _ in range(3)]
    phases = rng.uniform(0, 0.3, 3)

    def paint(time: float) -> np.ndarray:
        picture = floor.copy()
        for number, (shirt, phase) in enumerate(zip(shirts, phases, strict=True)):
            turn = 2 * np.pi * (time / setting.beat / 2 + phase)
            x = 70 + 90 * number + 14 * np.sin(turn)
            hip = 160 - 16 * abs(np.sin(turn))
            skin = (225, 180, 150)
            for side in (-1, 1):
                foot = (x + side * 24 + 10 * np.sin(turn), 222 - 14 * max(0, side * np.sin(turn)))
                line(picture, (x + side * 6, hip), foot, (40, 45, 90), 9)
                hand = (x + side * 40, hip - 52 - 38 * np.sin(turn + side))
                line(picture, (x + side * 12, hip - 48), hand, skin, 7)
            polygon(picture, [(x - 16, hip - 54), (x + 16, hip - 54), (x + 12, hip + 4),
                              (x - 12, hip + 4)], shirt)  # fmt: skip
            ellipse(picture, (x + 4 * np.sin(turn), hip - 72), (13, 16), skin)
        return picture

    return paint


def _windmill(setting: Setting) -> Painter:
    rng = setting.rng
    sky = gradient(HEIGHT, WIDTH, colour_of(rng.uniform(0, 1), 0.5, 0.9), (250, 225, 190))
    sky[205:] = colour_of(rng.uniform(0.2, 0.35), 0.7, 0.5)
    spin = rng.uniform(0.6, 2.4) * setting.pace * _side(rng)
    x0 = rng.uniform(110, 210)

    def paint(time: float) -> np.ndarray:
        picture = sky.copy()
        polygon(picture, [(x0 - 38, 210), (x0 - 20, 95), (x0 + 20, 95), (x0 + 38, 210)],
                (110, 75, 55))  # fmt: skip
        polygon(picture, [(x0 - 24, 97), (x0, 70), (x0 + 24, 97)], (60, 40, 35))
        for blade in range(4):
            angle = spin * time + blade * np.pi / 2
            along = np.array([np.cos(angle), np.sin(angle)])
            aside = np.array([-along[1], along[0]])
            hub = np.array([x0, 92.0])
            polygon(picture, [hub, hub + 88 * along, hub + 88 * along + 17 * aside,
                              hub + 18 * along + 17 * aside], (240, 235, 220))  # fmt: skip
            line(picture, tuple(hub), tuple(hub + 90 * along), (60, 40, 30), 3)
        return picture

    return paint


SCENES: dict[str, tuple[Callable[[Setting], Painter], tuple[str, ...]]] = {
    "sea": (_sea, ("water", "boat", "sky", "outdoors", "nature", "summer")),
    "forest": (_forest, ("tree", "leaf", "outdoors", "nature")),
    "street": (_street, ("house", "building", "window", "door", "road", "outdoors", "car")),
    "clouds": (_clouds, ("sky", "bird", "animal", "outdoors", "nature")),
    "meadow": (_meadow, ("horse", "animal", "grass", "field", "sky", "outdoors", "rural")),
    "grating": (_grating, ("pattern", "stripes")),
    "checkerboard": (_checkerboard, ("pattern",)),
    "storm": (_storm, ("rain", "storm", "wet", "dark", "outdoors")),
    "fireworks": (_fireworks, ("dark", "performance", "outdoors")),
    "aquarium": (_aquarium, ("fish", "animal", "water", "indoors")),
    "dancers": (_dancers, ("dance", "dancer", "person", "people", "group", "indoors")),
    "windmill": (_windmill, ("building", "sky", "outdoors", "rural")),
}
"""Name of a scene -> how it is made, and the concepts that it shows."""


def make_scene(name: str, setting: Setting) -> Painter:
    """Return the painter of a scene.

    Parameters
    ----------
    name : str
        One of `SCENES`.
    setting : Setting
        Its chance and its pace.

    Returns
    -------
    callable
        Seconds since the shot began -> picture.
    """
    return SCENES[name][0](setting)
