"""What a film contains, moment by moment, and the responses it would evoke.

Computed from frames, sound and words at their exact times. Nothing here comes from the code under
test (no video network, no spectrogram, no frame clock), so an error of a clock there shows against
this truth.
"""

from collections.abc import Sequence
from pathlib import Path

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
from stim2bold.simulation.film.watcher import Watcher

N_COMPONENTS = {"visual": 24, "auditory": 14, "language": 8}
"""Independent dimensions of each kind that are planted."""

_N_BANDS = 24


def hear(sound: np.ndarray) -> np.ndarray:
    """Return the strength of 24 bands of sound, its envelope and its onsets at every frame.

    Parameters
    ----------
    sound : ndarray of shape (n_samples,)
        At `SOUND_RATE`.

    Returns
    -------
    ndarray of shape (n_frames, 26)
        Decibels in bands from 80 Hz to 12 kHz, decibels overall, mean rise of the bands. Each is
        measured in a Hann window of 80 ms about the middle of the frame.
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
    """Return what there is to understand at every frame where only the words are known.

    Parameters
    ----------
    words : sequence of (str, float, float)
        Each word in the order said, with onset and offset in seconds.
    n_frames : int
        Frames.

    Returns
    -------
    ndarray of shape (n_frames, 7)
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
    """Return the frame, of so many, that is shown at a time in seconds."""
    return min(max(int(time * FRAME_RATE), 0), n_frames - 1)


def frames_covered(onset: float, offset: float, n_frames: int) -> np.ndarray:
    """Return the fraction of each frame, of so many, that an interval in seconds covers."""
    edges = np.arange(n_frames + 1) / FRAME_RATE
    overlap = np.minimum(edges[1:], offset) - np.maximum(edges[:-1], onset)
    return np.maximum(overlap, 0) * FRAME_RATE


_NAMES = {"visual": "seen", "auditory": "heard", "language": "understood"}


def plant(features: dict[str, np.ndarray], settings: FilmSettings, *, source: str) -> xr.Dataset:
    """Turn the features of a film into the dimensions that brains will follow.

    Parameters
    ----------
    features : dict of str to ndarray of shape (n_frames, n_features)
        Kind -> features at each frame; a kind that is absent is not planted.
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
        frame.
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
                {"units": "s", "long_name": "film time, start of frame"},
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
    heard : ndarray of shape (n_frames, 26)
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
            film,
            "neither image nor sound ever changes, so that no brain could follow it",
            "give another film",
        )
    starts = np.isin(np.arange(settings.n_frames), list(watcher.cuts))
    truth["shot"] = (("frame",), np.cumsum(starts).astype(np.int32))
    return truth
