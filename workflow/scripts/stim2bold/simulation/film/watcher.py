"""What is seen in a film, frame by frame: form, motion, colour and cuts."""

from collections.abc import Iterable, Iterator

import cv2
import numpy as np

_SMALL = (80, 60)


_SPEEDS = (0.0, 0.25, 1.0, np.inf)


_COLOUR_GRID, _COARSE_GRID = (4, 3), (2, 2)
_WAVELENGTHS, _ORIENTATIONS = (5.0, 11.0), 4
# A cut, where it is not known: that much of the frame has another colour, and greys differ by
# that much (of 1) on average.
_CUT_COLOUR, _CUT_GREY = 0.4, 0.06


def _gabors() -> list[tuple[np.ndarray, np.ndarray]]:
    pairs = []
    for wavelength in _WAVELENGTHS:
        half = int(wavelength)
        y, x = np.mgrid[-half : half + 1, -half : half + 1].astype(float)
        window = np.exp(-(x**2 + y**2) / (2 * (0.45 * wavelength) ** 2))
        for number in range(_ORIENTATIONS):
            angle = np.pi * number / _ORIENTATIONS
            phase = 2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / wavelength
            even = window * np.cos(phase)
            even -= window * even.sum() / window.sum()
            odd = window * np.sin(phase)
            scale = np.abs(even).sum()
            pairs.append(((even / scale).astype(np.float32), (odd / scale).astype(np.float32)))
    return pairs


_GABORS = _gabors()


def _pooled(image: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    return cv2.resize(image, grid, interpolation=cv2.INTER_AREA).reshape(-1)


def _form(small: np.ndarray) -> np.ndarray:
    """Colour, contrast and oriented energy of a frame (60, 80, 3)."""
    red, green, blue = (np.ascontiguousarray(small[..., channel]) for channel in range(3))
    grey = 0.299 * red + 0.587 * green + 0.114 * blue
    parts = [
        _pooled(channel, _COLOUR_GRID) for channel in (grey, red - green, blue - (red + green) / 2)
    ]
    parts.append(np.sqrt(_pooled((grey - cv2.blur(grey, (15, 15))) ** 2, _COLOUR_GRID)))
    for even, odd in _GABORS:
        energy = cv2.filter2D(grey, -1, even) ** 2 + cv2.filter2D(grey, -1, odd) ** 2
        parts.append(np.log1p(30 * np.sqrt(_pooled(energy, _COARSE_GRID))))
    return np.concatenate(parts)


def _motion(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Movement by direction and speed between two grey frames (60, 80)."""
    flow = cv2.calcOpticalFlowFarneback(before, after, None, 0.5, 2, 9, 2, 5, 1.1, 0)
    dx, dy = flow[..., 0], flow[..., 1]
    speed = np.hypot(dx, dy)
    parts = []
    for low, high in zip(_SPEEDS[:-1], _SPEEDS[1:], strict=True):
        inside = (speed >= low) & (speed < high)
        for part in (dx, -dx, dy, -dy):
            parts.append(np.sqrt(np.mean(np.maximum(part, 0) * inside)))
    parts += [*_pooled(speed, _COARSE_GRID), *_pooled(dx, _COARSE_GRID), *_pooled(dy, _COARSE_GRID)]
    y, x = np.mgrid[-1:1:60j, -1:1:80j]
    parts += [np.mean(dx * x + dy * y), np.mean(dy * x - dx * y)]
    return np.array(parts)


_N_FORM = 12 * 4 + len(_GABORS) * 4


_N_MOTION = 12 + 12 + 2


def _colours(small: np.ndarray) -> np.ndarray:
    """Histogram of 8 x 8 x 8 colours of a frame, summing to 1."""
    histogram = cv2.calcHist([small], [0, 1, 2], None, [8, 8, 8], [0, 256] * 3)
    return histogram / histogram.sum()


def _is_cut(before: np.ndarray, after: np.ndarray) -> bool:
    """Tell whether a frame (60, 80, 3) belongs to another shot than the one before it."""
    apart = np.abs(after.astype(np.float32) - before.astype(np.float32)).mean() / 255
    changed = np.abs(_colours(after) - _colours(before)).sum() / 2
    return bool(apart > _CUT_GREY and changed > _CUT_COLOUR)


class Watcher:
    """Looks at every frame that passes and keeps what it saw.

    Parameters
    ----------
    cuts : iterable of int, optional
        First frames of shots: no movement is seen across a cut. Where it is not given, cuts are
        found where colours and brightness change at once.

    Attributes
    ----------
    cuts : set of int
        Given, or found so far; that the film begins is not found to be a cut.
    """

    def __init__(self, cuts: Iterable[int] | None = None) -> None:
        self._known = cuts is not None
        self.cuts = set(cuts or ())
        self._form: list[np.ndarray] = []
        self._motion: list[np.ndarray] = []

    def watch(self, frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Pass frames on.

        Parameters
        ----------
        frames : iterable of ndarray of shape (height, width, 3), uint8
            RGB.

        Yields
        ------
        ndarray of shape (height, width, 3), uint8
            The same frames.
        """
        before = small_before = None
        for number, frame in enumerate(frames):
            small = cv2.resize(frame, _SMALL, interpolation=cv2.INTER_AREA)
            if not self._known and number and _is_cut(small_before, small):
                self.cuts.add(number)
            self._form.append(_form(small.astype(np.float32) / 255))
            grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
            moved = np.zeros(_N_MOTION)
            if before is not None and number not in self.cuts:
                moved = _motion(before, grey)
            self._motion.append(moved)
            before, small_before = grey, small
            yield frame

    def features(self) -> np.ndarray:
        """Return what was seen.

        Returns
        -------
        ndarray of shape (n_frames, n_features)
            Row k is the mean over the time of frame k. Movement between frames k - 1 and k
            belongs to the border of the two, so a row has half of what came before and after it.
        """
        motion = np.vstack([*self._motion, self._motion[-1]])
        cut = np.isin(np.arange(len(self._form)), list(self.cuts)).astype(float)
        return np.column_stack([self._form, (motion[:-1] + motion[1:]) / 2, cut])
