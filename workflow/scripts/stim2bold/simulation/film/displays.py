"""Scenes that are shown rather than found: patterns, fireworks, an aquarium, dancers."""

import numpy as np

from stim2bold.simulation.film.drawing import colour_of, ellipse, gradient, line, polygon
from stim2bold.simulation.film.scenery import HEIGHT, WIDTH, Painter, Setting, X, Y, either_side


def grating(setting: Setting) -> Painter:
    """Stripes that drift."""
    rng = setting.rng
    angle = rng.uniform(0, np.pi)
    period = np.exp(rng.uniform(np.log(10), np.log(70)))
    speed = rng.uniform(20, 110) * setting.pace * either_side(rng)
    one, other = (
        np.array(colour_of(rng.uniform(0, 1), rng.uniform(0.3, 1), value), dtype=np.float32)
        for value in (rng.uniform(0.1, 0.5), rng.uniform(0.7, 1.0))
    )
    place = X * np.float32(np.cos(angle) / period) + Y * np.float32(np.sin(angle) / period)

    def paint(time: float) -> np.ndarray:
        turn = np.float32(speed * time / period)
        # A table of 256 colours is ten times quicker than mixing each pixel.
        level = ((place - turn) % 1 * 256).astype(np.uint8)
        mix = 0.5 + 0.5 * np.sin(2 * np.pi * np.arange(256) / 256)[:, None]
        return np.round(one + (other - one) * mix).astype(np.uint8)[level]

    return paint


def checkerboard(setting: Setting) -> Painter:
    """Rings and spokes that turn."""
    rng = setting.rng
    x, y = X - WIDTH / 2, Y - HEIGHT / 2
    rings = np.log(np.hypot(x, y) + 4) * rng.uniform(2.0, 5.0)
    spokes = np.arctan2(y, x) / (2 * np.pi) * int(rng.integers(4, 12))
    growth = rng.uniform(0.3, 1.5) * setting.pace * either_side(rng)
    spin = rng.uniform(0.0, 1.0) * setting.pace * either_side(rng)
    colours = np.array(
        [colour_of(rng.uniform(0, 1), 0.8, 1.0), colour_of(rng.uniform(0, 1), 0.6, 0.25)]
    ).astype(np.uint8)

    def paint(time: float) -> np.ndarray:
        field = np.floor(rings - np.float32(growth * time)) + np.floor(
            2 * (spokes - np.float32(spin * time))
        )
        return colours[field.astype(np.int32) & 1]

    return paint


def fireworks(setting: Setting) -> Painter:
    """Bursts of sparks over a dark ridge."""
    rng = setting.rng
    night = gradient(HEIGHT, WIDTH, (5, 5, 25), (30, 15, 45))
    bursts = [
        (rng.uniform(40, 280), rng.uniform(30, 150), colour_of(rng.uniform(0, 1), 0.7, 1.0),
         rng.uniform(0, 1))
        for _ in range(5)
    ]  # fmt: skip
    rays = np.linspace(0, 2 * np.pi, 22, endpoint=False)

    def paint(time: float) -> np.ndarray:
        frame = night.copy()
        for x, y, colour, phase in bursts:
            age = (time / (2 * setting.beat) + phase) % 1
            radius = 75 * np.sqrt(age)
            fading = tuple(channel * (1 - age) for channel in colour)
            for ray in rays:
                place = (x + radius * np.cos(ray), y + radius * np.sin(ray) + 30 * age**2)
                ellipse(frame, place, (4 - 2 * age, 4 - 2 * age), fading)
        polygon(frame, [(0, HEIGHT), (0, 205), (80, 190), (180, 212), (WIDTH, 198),
                          (WIDTH, HEIGHT)], (8, 10, 12))  # fmt: skip
        return frame

    return paint


def aquarium(setting: Setting) -> Painter:
    """Fish and bubbles."""
    rng = setting.rng
    hue = rng.uniform(0.45, 0.62)
    water = gradient(HEIGHT, WIDTH, colour_of(hue, 0.5, 0.8), colour_of(hue, 0.9, 0.3))
    bubbles = rng.uniform(0, 1, (30, 3))
    fishes = [
        (rng.uniform(0, 420), rng.uniform(40, 200), rng.uniform(25, 110) * either_side(rng),
         colour_of(rng.uniform(-0.05, 0.17), 0.9, 1.0), rng.uniform(0.6, 1.5))
        for _ in range(6)
    ]  # fmt: skip

    def paint(time: float) -> np.ndarray:
        frame = water.copy()
        for across, down, size in bubbles:
            y = (down * 270 - (30 + 50 * size) * setting.pace * time) % 270 - 15
            ellipse(frame, (across * WIDTH + 5 * np.sin(3 * time + 9 * down), y),
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
            polygon(frame, fin, colour)
            ellipse(frame, (x, y), (21 * size, 11 * size), colour)
            ellipse(frame, (x - back * 12 * size, y - 3 * size), (2.5, 2.5), (10, 10, 10))
        return frame

    return paint


def dancers(setting: Setting) -> Painter:
    """Three dancers on the beat."""
    rng = setting.rng
    floor = gradient(HEIGHT, WIDTH, colour_of(rng.uniform(0, 1), 0.6, 0.5), (25, 20, 30))
    shirts = [colour_of(rng.uniform(0, 1), 0.8, 0.95) for _ in range(3)]
    phases = rng.uniform(0, 0.3, 3)

    def paint(time: float) -> np.ndarray:
        frame = floor.copy()
        for number, (shirt, phase) in enumerate(zip(shirts, phases, strict=True)):
            turn = 2 * np.pi * (time / setting.beat / 2 + phase)
            x = 70 + 90 * number + 14 * np.sin(turn)
            hip = 160 - 16 * abs(np.sin(turn))
            skin = (225, 180, 150)
            for side in (-1, 1):
                foot = (x + side * 24 + 10 * np.sin(turn), 222 - 14 * max(0, side * np.sin(turn)))
                line(frame, (x + side * 6, hip), foot, (40, 45, 90), 9)
                hand = (x + side * 40, hip - 52 - 38 * np.sin(turn + side))
                line(frame, (x + side * 12, hip - 48), hand, skin, 7)
            polygon(frame, [(x - 16, hip - 54), (x + 16, hip - 54), (x + 12, hip + 4),
                              (x - 12, hip + 4)], shirt)  # fmt: skip
            ellipse(frame, (x + 4 * np.sin(turn), hip - 72), (13, 16), skin)
        return frame

    return paint
