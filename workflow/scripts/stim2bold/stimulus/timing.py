"""One clock for film, features and scan.

All times are seconds of film time: 0 is the instant at which the film's first frame or sound is
presented. Row k (from 0) goes from ``k * TR`` to ``(k + 1) * TR`` of scan time and has its middle
where volume k stands (`stim2bold.preprocessing.scan_clock`); scan time is film time plus
`Timing.film_onset`.
Nothing here assumes a frame rate, or that a TR holds a whole number of frames: at TR 0.608 s and 25
frames per second it holds 15.2.
"""

import math
from dataclasses import dataclass

import numpy as np

from stim2bold.preprocessing.scan_clock import row_middles

# Times come from sums of fractions in floating point: two that differ by less are the same instant.
SAME_INSTANT = 1e-6


@dataclass(frozen=True)
class Timing:
    """How the film lies in the scan.

    Parameters
    ----------
    TR : float
        Repetition time in seconds.
    film_onset : float
        Scan time at which the film starts; negative when the scan starts within the film.
    n_volumes : int, optional
        Number of rows of every table at the TRs. Without it rows run until the film ends.
    """

    TR: float
    film_onset: float = 0.0
    n_volumes: int | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.TR) and self.TR > 0):
            raise ValueError(f"TR must be a positive number of seconds, not {self.TR}")
        if not math.isfinite(self.film_onset):
            raise ValueError(f"film_onset must be a finite number, not {self.film_onset}")
        if self.n_volumes is not None and self.n_volumes < 1:
            raise ValueError(f"n_volumes must be at least 1, not {self.n_volumes}")

    def n_rows(self, duration: float) -> int:
        """Count the volumes that start before a film of `duration` seconds ends."""
        if self.n_volumes is not None:
            return self.n_volumes
        return max(0, math.ceil((duration + self.film_onset - SAME_INSTANT) / self.TR))

    def edges(self, n_rows: int) -> np.ndarray:
        """Film times at which the volumes start and end, shape (n_rows + 1,), seconds."""
        return np.arange(n_rows + 1) * self.TR - self.film_onset

    def centres(self, n_rows: int) -> np.ndarray:
        """Film times of the volumes' middles, shape (n_rows,), seconds."""
        return row_middles(np.arange(n_rows), TR=self.TR, film_onset=self.film_onset)


def inside(edges: np.ndarray, duration: float) -> np.ndarray:
    """Tell which rows overlap the film.

    Parameters
    ----------
    edges : ndarray of shape (n_rows + 1,)
        Film times at which the rows start and end.
    duration : float
        Length of the film in seconds.

    Returns
    -------
    ndarray of shape (n_rows,), bool
    """
    return (edges[1:] > SAME_INSTANT) & (edges[:-1] < duration - SAME_INSTANT)


def sample_times(duration: float, rate: float) -> np.ndarray:
    """Instants at which a film is sampled at a constant rate.

    Sample i stands for the interval from ``i / rate`` to ``(i + 1) / rate`` and is taken in its
    middle: there, a film of that very rate shows frame i, whichever way its time stamps round.

    Parameters
    ----------
    duration : float
        Length of the film in seconds.
    rate : float
        Samples per second.

    Returns
    -------
    ndarray of shape (n_samples,)
        Seconds; an interval that the film fills by less than half is left out.
    """
    n_samples = max(1, math.floor(duration * rate + 0.5))
    return (np.arange(n_samples) + 0.5) / rate


def interpolate(times: np.ndarray, values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Interpolate rows linearly in time; beyond the ends the first and last row are held.

    Parameters
    ----------
    times : ndarray of shape (n,)
        Increasing times of the rows.
    values : ndarray of shape (n, ...)
        The rows.
    at : ndarray of shape (m,)
        Times wanted.

    Returns
    -------
    ndarray of shape (m, ...)
        In the type of `values` where that is floating point, else float64.
    """
    values = np.asarray(values)
    kind = values.dtype if values.dtype.kind == "f" else np.dtype(float)
    position = np.interp(at, times, np.arange(len(times), dtype=float))
    # A wanted time that is a row's own time must give that row, not a blend with 1e-12 of the next.
    position = np.where(
        np.abs(position - np.round(position)) < SAME_INSTANT, np.round(position), position
    )
    before = np.floor(position).astype(int)
    after = np.minimum(before + 1, len(times) - 1)
    weight = (position - before).reshape((-1,) + (1,) * (values.ndim - 1)).astype(kind)
    return values[before] * (1 - weight) + values[after] * weight


def average(times: np.ndarray, values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Mean of a feature over each of a series of adjoining intervals, such as the TRs.

    The rows are points of a function that is linear between them and constant beyond them; what is
    returned is its exact mean over each interval. So nothing depends on how many rows happen to
    fall into an interval (three or four, at 0.16 s and a TR of 0.608 s), a feature keeps its centre
    in time, and rows coarser than the intervals are interpolated.

    Parameters
    ----------
    times : ndarray of shape (n,)
        Increasing times of the rows.
    values : ndarray of shape (n, n_features)
        The rows.
    edges : ndarray of shape (m + 1,)
        Where the intervals start and end.

    Returns
    -------
    ndarray of shape (m, n_features), float64
    """
    times = np.asarray(times, dtype=float)
    values = np.asarray(values, dtype=float)
    edges = np.asarray(edges, dtype=float)
    if len(times) == 1:
        return np.repeat(values, len(edges) - 1, axis=0)
    step = np.diff(times)[:, np.newaxis]
    integral = np.zeros_like(values)
    np.cumsum(step * (values[1:] + values[:-1]) / 2, axis=0, out=integral[1:])
    within = np.clip(edges, times[0], times[-1])
    left = np.clip(np.searchsorted(times, within, side="right") - 1, 0, len(times) - 2)
    at_edges = interpolate(times, values, within)
    into = (within - times[left])[:, np.newaxis]
    total = integral[left] + into * (values[left] + at_edges) / 2
    total += (edges - within)[:, np.newaxis] * at_edges
    return np.diff(total, axis=0) / np.diff(edges)[:, np.newaxis]


def coverage(onsets: np.ndarray, offsets: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Fraction of each interval that is covered by at least one event.

    Parameters
    ----------
    onsets, offsets : ndarray of shape (n_events,)
        Start and end of every event; events may overlap and need no order.
    edges : ndarray of shape (m + 1,)
        Where the adjoining intervals start and end.

    Returns
    -------
    ndarray of shape (m,)
        Between 0 and 1. What lies beyond the first and last edge does not count.
    """
    order = np.argsort(onsets, kind="stable")
    starts = np.asarray(onsets, dtype=float)[order]
    ends = np.asarray(offsets, dtype=float)[order]
    covered = np.zeros(len(edges))
    # Covered time up to each edge: every event adds only what no earlier one has covered.
    reached = -np.inf
    for start, end in zip(starts, ends, strict=True):
        start = max(start, reached)
        if end > start:
            covered += np.clip(edges - start, 0, end - start)
            reached = end
    return np.clip(np.diff(covered) / np.diff(edges), 0, 1)


def weighted_coverage(
    onsets: np.ndarray, offsets: np.ndarray, values: np.ndarray, edges: np.ndarray
) -> np.ndarray:
    """Return the mean over each interval of what holds while an event lasts, and else is 0.

    Parameters
    ----------
    onsets, offsets : ndarray of shape (n_events,)
    values : ndarray of shape (n_events, ...)
        Events may overlap: their values add up.
    edges : ndarray of shape (m + 1,)
        Where the adjoining intervals start and end.

    Returns
    -------
    ndarray of shape (m, ...)
        The integral over the interval, exact whatever part of it an event covers, over its length.
    """
    values = np.asarray(values, dtype=float)
    total = np.zeros((len(edges), *values.shape[1:]))
    for onset, offset, value in zip(onsets, offsets, values, strict=True):
        total += np.multiply.outer(np.clip(edges - onset, 0, offset - onset), value)
    lengths = np.diff(edges).reshape(-1, *[1] * (values.ndim - 1))
    return np.diff(total, axis=0) / lengths
