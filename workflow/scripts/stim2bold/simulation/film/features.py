"""What a film contains, moment by moment, and the responses it would evoke.

Computed from pictures, sound and words at their exact times. Nothing here comes from the code under
test (no video network, no spectrogram, no frame clock), so an error of a clock there shows against
this truth.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import xarray as xr

from stim2bold.runtime.errors import InputError
from stim2bold.simulation.film.planted_dimensions import (
    HIGH_PASS,
    KINDS,
    independent_dimensions,
    respond,
)
from stim2bold.simulation.film.settings import FRAME_RATE, SOUND_RATE, FilmSettings

N_COMPONENTS = {"visual": 24, "auditory": 14, "language": 8}
"""Independent dimensions of each kind that are planted."""

_SMALL = (80, 60)
_COLOUR_GRID, _COARSE_GRID = (4, 3), (2, 2)
_WAVELENGTHS, _ORIENTATIONS = (5.0, 11.0), 4
_SPEEDS = (0.0, 0.25, 1.0, np.inf)
_N_BANDS = 24
# A cut, where it is not known: that much of the picture has another colour, and greys differ by
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
    """Colour, contrast and oriented energy of a picture (60, 80, 3)."""
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
    """Movement by direction and speed between two grey pictures (60, 80)."""
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
    """Histogram of 8 x 8 x 8 colours of a picture, summing to 1."""
    histogram = cv2.calcHist([small], [0, 1, 2], None, [8, 8, 8], [0, 256] * 3)
    return histogram / histogram.sum()


def _is_cut(before: np.ndarray, after: np.ndarray) -> bool:
    """Tell whether a picture (60, 80, 3) belongs to another shot than the one before it."""
    apart = np.abs(after.astype(np.float32) - before.astype(np.float32)).mean() / 255
    changed = np.abs(_colours(after) - _colours(before)).sum() / 2
    return bool(apart > _CUT_GREY and changed > _CUT_COLOUR)


class Watcher:
    """Looks at every picture that passes and keeps what it saw.

    Parameters
    ----------
    cuts : iterable of int, optional
        First pictures of shots: no movement is seen across a cut. Where it is not given, cuts are
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

    def watch(self, pictures: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Pass pictures on.

        Parameters
        ----------
        pictures : iterable of ndarray of uint8, (height, width, 3)
            RGB.

        Yields
        ------
        ndarray of uint8, (height, width, 3)
            The same pictures.
        """
        before = small_before = None
        for number, picture in enumerate(pictures):
            small = cv2.resize(picture, _SMALL, interpolation=cv2.INTER_AREA)
            if not self._known and number and _is_cut(small_before, small):
                self.cuts.add(number)
            self._form.append(_form(small.astype(np.float32) / 255))
            grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
            moved = np.zeros(_N_MOTION)
            if before is not None and number not in self.cuts:
                moved = _motion(before, grey)
            self._motion.append(moved)
            before, small_before = grey, small
            yield picture

    def features(self) -> np.ndarray:
        """Return what was seen.

        Returns
        -------
        ndarray, (n_frames, n_features)
            Row k is the mean over the time of picture k. Movement between pictures k - 1 and k
            belongs to the border of the two, so a row has half of what came before and after it.
        """
        motion = np.vstack([*self._motion, self._motion[-1]])
        cut = np.isin(np.arange(len(self._form)), list(self.cuts)).astype(float)
        return np.column_stack([self._form, (motion[:-1] + motion[1:]) / 2, cut])


def hear(sound: np.ndarray) -> np.ndarray:
    """Return the strength of 24 bands of sound, its envelope and its onsets at every picture.

    Parameters
    ----------
    sound : ndarray, (n_samples,)
        At `SOUND_RATE`.

    Returns
    -------
    ndarray, (n_frames, 26)
        Decibels in bands from 80 Hz to 12 kHz, decibels overall, mean rise of the bands. Each is
        measured in a Hann window of 80 ms about the middle of the picture.
    """
    per_frame = SOUND_RATE // FRAME_RATE
    n_frames = len(sound) // per_frame
    half = per_frame // 2
    padded = np.pad(sound, (half, per_frame + half))
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * per_frame)[::per_frame]
    windows = windows[:n_frames] * np.hanning(2 * per_frame).astype(np.float32)
    power = np.abs(np.fft.rfft(windows, axis=1)) ** 2
    frequency = np.fft.rfftfreq(2 * per_frame, 1 / SOUND_RATE)
    edges = np.geomspace(80, 12000, _N_BANDS + 1)
    membership = (frequency >= edges[:-1, None]) & (frequency < edges[1:, None])
    bands = 10 * np.log10(power @ membership.T.astype(float) + 1e-3)
    overall = 10 * np.log10(power.sum(axis=1) + 1e-3)
    rise = np.maximum(np.diff(bands, axis=0, prepend=bands[:1]), 0).mean(axis=1)
    return np.column_stack([bands, overall, rise])


def comprehend_words(words: Sequence[tuple[str, float, float]], n_frames: int) -> np.ndarray:
    """Return what there is to understand at every picture where only the words are known.

    Parameters
    ----------
    words : sequence of (str, float, float)
        Each word in the order said, with onset and offset in seconds.
    n_frames : int
        Pictures.

    Returns
    -------
    ndarray, (n_frames, 7)
        Starts of words, fraction covered by words, length in seconds and in letters of the word,
        words of four letters and fewer, words never said before, words in the last 2 s.
    """
    rows = np.zeros((n_frames, 7))
    known: set[str] = set()
    for item, onset, offset in words:
        if onset * FRAME_RATE >= n_frames:
            continue
        said = frames_covered(onset, offset, n_frames)
        rows[frame_at(onset, n_frames), 0] += 1
        rows[:, 1] += said
        rows[:, 2] += said * (offset - onset)
        rows[:, 3] += said * len(item)
        rows[frame_at(onset, n_frames), 4] += len(item) <= 4
        rows[frame_at(onset, n_frames), 5] += item not in known
        known.add(item)
    started = np.concatenate([[0], np.cumsum(rows[:, 0])])
    ends = np.arange(1, n_frames + 1)
    rows[:, 6] = started[ends] - started[np.maximum(ends - 2 * FRAME_RATE, 0)]
    return rows


def frame_at(time: float, n_frames: int) -> int:
    """Return the picture, of so many, that is shown at a time in seconds."""
    return min(max(int(time * FRAME_RATE), 0), n_frames - 1)


def frames_covered(onset: float, offset: float, n_frames: int) -> np.ndarray:
    """Return the fraction of each picture, of so many, that an interval in seconds covers."""
    edges = np.arange(n_frames + 1) / FRAME_RATE
    overlap = np.minimum(edges[1:], offset) - np.maximum(edges[:-1], onset)
    return np.maximum(overlap, 0) * FRAME_RATE


_NAMES = {"visual": "seen", "auditory": "heard", "language": "understood"}


def plant(features: dict[str, np.ndarray], settings: FilmSettings, *, source: str) -> xr.Dataset:
    """Turn the features of a film into the dimensions that brains will follow.

    Parameters
    ----------
    features : dict of str to ndarray, (n_frames, n_features)
        Kind -> features at each picture; a kind that is absent is not planted.
    settings : FilmSettings
        Length and TR.
    source : str
        What film this is.

    Returns
    -------
    Dataset
        ``planted`` (time, component): independent dimensions of the responses at the middles of
        the volumes, coordinates ``kind`` and ``share`` (of the variance to plant); of ``seen``,
        ``heard`` and ``understood`` (frame, ...) those that there are: the features at each
        picture.
    """
    TR = settings.TR
    times = (np.arange(settings.n_volumes) + 0.5) * TR
    planted, kinds, shares = [], [], []
    for kind in (kind for kind in KINDS if kind in features):
        raw = features[kind]
        spread = raw.std(axis=0)
        standard = (raw - raw.mean(axis=0))[:, spread > 0] / spread[spread > 0]
        part, share = independent_dimensions(
            respond(standard, times, rate=FRAME_RATE), N_COMPONENTS[kind], TR=TR
        )
        planted.append(part)
        shares.append(share)
        kinds += [kind] * part.shape[1]
    truth = xr.Dataset(
        {
            "planted": (
                ("time", "component"),
                np.hstack(planted).astype(np.float32),
                {"units": "standard deviations"},
            ),
        },
        coords={
            "time": ("time", times, {"units": "s", "long_name": "film time, middle of volume"}),
            "kind": ("component", np.array(kinds, dtype=object)),
            "share": ("component", np.concatenate(shares), {"units": "1"}),
            "frame_time": (
                "frame",
                np.arange(settings.n_frames) / FRAME_RATE,
                {"units": "s", "long_name": "film time, start of picture"},
            ),
        },
        attrs={"TR": TR, "source": source, "high_pass": HIGH_PASS},
    )
    for kind, raw in features.items():
        truth[_NAMES[kind]] = (("frame", kind), raw.astype(np.float32))
    return truth


def describe_own(
    settings: FilmSettings,
    watcher: Watcher,
    heard: np.ndarray,
    words: Sequence[tuple[str, float, float]] | None,
    *,
    film: Path,
) -> xr.Dataset:
    """Gather what is known of a film that the user brings.

    Parameters
    ----------
    settings : FilmSettings
        How much of it is shown.
    watcher : Watcher
        That has watched it.
    heard : ndarray, (n_frames, 26)
        From `hear`.
    words : sequence of (str, float, float) or None
        Each word, its onset and offset; None where they are not known: nothing is then planted
        where language is understood.
    film : Path
        Its file, for messages.

    Returns
    -------
    Dataset
        See `plant`; with ``shot`` (frame): number of the shot, by the cuts that were found.

    Raises
    ------
    InputError
        When nothing ever changes in the film.
    """
    features = {"visual": watcher.features(), "auditory": heard}
    if words:
        features["language"] = comprehend_words(words, settings.n_frames)
    truth = plant(features, settings, source="film of the user")
    if not truth.sizes["component"]:
        raise InputError(
            f"{film}: neither picture nor sound ever changes, so that no brain could follow it; "
            "give another film"
        )
    starts = np.isin(np.arange(settings.n_frames), list(watcher.cuts))
    truth["shot"] = (("frame",), np.cumsum(starts).astype(np.int32))
    return truth
