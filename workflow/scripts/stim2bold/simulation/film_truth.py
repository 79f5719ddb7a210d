"""What the simulated film contains, moment by moment, and the responses it would evoke.

Computed from the pictures as they were drawn, the sound as it was mixed and the words as they were
said, at their exact times. Nothing here comes from the code under test (no video network, no
spectrogram, no frame clock), so an error of a clock there shows against this truth.
"""

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
import xarray as xr

from stim2bold.simulation.film_settings import FRAME_RATE, SOUND_RATE
from stim2bold.simulation.filmmaking import Film, mouth_movement
from stim2bold.simulation.planted_dimensions import (
    HIGH_PASS,
    KINDS,
    independent_dimensions,
    respond,
)

N_COMPONENTS = {"visual": 24, "auditory": 14, "language": 8}
"""Independent dimensions of each kind that are planted."""

_SMALL = (80, 60)
_COLOUR_GRID, _COARSE_GRID = (4, 3), (2, 2)
_WAVELENGTHS, _ORIENTATIONS = (5.0, 11.0), 4
_SPEEDS = (0.0, 0.25, 1.0, np.inf)
_N_BANDS = 24


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


class Watcher:
    """Looks at every picture that passes and keeps what it saw.

    Parameters
    ----------
    cuts : iterable of int
        First pictures of shots: no movement is seen across a cut.
    """

    def __init__(self, cuts: Iterable[int]) -> None:
        self.cuts = frozenset(cuts)
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
        before = None
        for number, picture in enumerate(pictures):
            small = cv2.resize(picture, _SMALL, interpolation=cv2.INTER_AREA)
            self._form.append(_form(small.astype(np.float32) / 255))
            grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
            moved = np.zeros(_N_MOTION)
            if before is not None and number not in self.cuts:
                moved = _motion(before, grey)
            self._motion.append(moved)
            before = grey
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


def comprehend(film: Film) -> np.ndarray:
    """Return what there is to understand at every picture.

    Parameters
    ----------
    film : Film
        What is said when.

    Returns
    -------
    ndarray, (n_frames, 12)
        Starts of words, fraction covered by words, starts of sentences, length in seconds and in
        letters of the word, phonemes started, words of four letters and fewer, words never said
        before, place in the sentence, questions, words in the last 2 s, change of speaker.
    """
    n_frames = film.settings.n_frames
    rows = np.zeros((n_frames, 12))
    edges = np.arange(n_frames + 1) / FRAME_RATE

    def at(time: float) -> int:
        return min(int(time * FRAME_RATE), n_frames - 1)

    def covered(onset: float, offset: float) -> np.ndarray:
        overlap = np.minimum(edges[1:], offset) - np.maximum(edges[:-1], onset)
        return np.maximum(overlap, 0) * FRAME_RATE

    known: set[str] = set()
    speaker = None
    for utterance in film.utterances:
        words = utterance.words
        rows[at(words[0].onset), 2] += 1
        rows[at(words[0].onset), 11] += utterance.speaker is not speaker
        speaker = utterance.speaker
        if utterance.text.endswith("?"):
            rows[:, 9] += covered(words[0].onset, words[-1].offset)
        for place, word in enumerate(words):
            said = covered(word.onset, word.offset)
            rows[at(word.onset), 0] += 1
            rows[:, 1] += said
            rows[:, 3] += said * (word.offset - word.onset)
            rows[:, 4] += said * len(word.item)
            rows[at(word.onset), 6] += len(word.item) <= 4
            rows[at(word.onset), 7] += word.item not in known
            rows[:, 8] += said * (place + 1)
            known.add(word.item)
        for phoneme in utterance.phonemes:
            rows[at(phoneme.onset), 5] += 1
    started = np.concatenate([[0], np.cumsum(rows[:, 0])])
    ends = np.arange(1, n_frames + 1)
    rows[:, 10] = started[ends] - started[np.maximum(ends - 2 * FRAME_RATE, 0)]
    return rows


def describe(film: Film, seen: np.ndarray, sound: np.ndarray) -> xr.Dataset:
    """Gather the truth about a film.

    Parameters
    ----------
    film : Film
        Its script.
    seen : ndarray, (n_frames, n_features)
        From `Watcher.features`.
    sound : ndarray, (n_samples,)
        Its sound track.

    Returns
    -------
    Dataset
        ``planted`` (time, component): independent dimensions of the responses at the middles of
        the volumes, coordinates ``kind`` and ``share`` (of the variance to plant); ``seen``,
        ``heard``, ``understood`` (frame, ...): the features at each picture; ``opening`` (frame):
        of the mouth; ``shot`` (frame): number of the shot.
    """
    TR = film.settings.TR
    times = (np.arange(film.settings.n_volumes) + 0.5) * TR
    features = {"visual": seen, "auditory": hear(sound), "language": comprehend(film)}
    planted, kinds, shares = [], [], []
    for kind in KINDS:
        raw = features[kind]
        spread = raw.std(axis=0)
        standard = (raw - raw.mean(axis=0))[:, spread > 0] / spread[spread > 0]
        part, share = independent_dimensions(
            respond(standard, times, rate=FRAME_RATE), N_COMPONENTS[kind], TR=TR
        )
        planted.append(part)
        shares.append(share)
        kinds += [kind] * part.shape[1]
    shots = np.concatenate(
        [np.full(shot.last - shot.first, number) for number, shot in enumerate(film.shots)]
    )
    return xr.Dataset(
        {
            "planted": (
                ("time", "component"),
                np.hstack(planted).astype(np.float32),
                {"units": "standard deviations"},
            ),
            "seen": (("frame", "visual"), features["visual"].astype(np.float32)),
            "heard": (("frame", "auditory"), features["auditory"].astype(np.float32)),
            "understood": (("frame", "language"), features["language"].astype(np.float32)),
            "opening": (("frame",), mouth_movement(film)[0].astype(np.float32)),
            "shot": (("frame",), shots.astype(np.int32)),
        },
        coords={
            "time": ("time", times, {"units": "s", "long_name": "film time, middle of volume"}),
            "kind": ("component", np.array(kinds, dtype=object)),
            "share": ("component", np.concatenate(shares), {"units": "1"}),
            "frame_time": (
                "frame",
                np.arange(film.settings.n_frames) / FRAME_RATE,
                {"units": "s", "long_name": "film time, start of picture"},
            ),
        },
        attrs={"TR": TR, "source": "simulated film", "high_pass": HIGH_PASS},
    )
