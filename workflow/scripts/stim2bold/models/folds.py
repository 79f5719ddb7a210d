"""Cross-validation over film time: which rows may be fitted, predicted, or neither.

A *row* is one volume: row k has its middle at film time (k + 0.5) TR - film onset. All intervals
are half-open, seconds of the film.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from stim2bold.preprocessing.scan_clock import row_middles
from stim2bold.runtime.errors import InputError

FEWEST_ROWS = 10
"""Rows that a model is fitted to at least."""
RULE = (
    "Test intervals are contiguous whole pairs of blocks (the first with the second, the third "
    "with the fourth, ...); a block left over belongs to the last; where there are more pairs than "
    "folds are wanted, several neighbours make one interval. A row is a test row when "
    "its middle lies in the interval; it is a gap row when any part of it lies less than `gap` "
    "seconds from the interval; all other rows of the film may be fitted. The inner folds, which "
    "choose hyper-parameters, are made in the same way from the other pairs, in contiguous groups. "
    "`reach` is how many seconds of the film before a volume, or of the recording after a moment "
    "of the film, a model may look at: never more than the gap."
)


# Seconds, and the least that the schema takes: what the haemodynamic response needs.
LEAST_GAP = 12.0


class NothingLeft(InputError):
    """A fold or inner fold has no row to fit, or none to predict."""


@dataclass(frozen=True, kw_only=True)
class FoldSettings:
    """How folds are made.

    Parameters
    ----------
    gap : float
        Seconds left out on each side of a test interval.
    reach : float
        Seconds that a row's haemodynamic delay may span, at most `gap`.
    inner : int
        Number of inner folds.
    most : int
        Folds at most. Work and memory grow with their number times the length of the film.
    """

    gap: float
    reach: float
    inner: int
    most: int

    def __post_init__(self) -> None:
        if self.reach > self.gap:
            raise InputError(
                "folds",
                (
                    f"reach {self.reach} s is longer than the gap {self.gap} s, so that delays "
                    "would carry test seconds into the fit"
                ),
                "lower folds.reach or raise folds.gap",
            )


@dataclass(frozen=True)
class Split:
    """Rows to fit on and rows to predict, as sorted row numbers."""

    train: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class Fold:
    """One fold of the outer cross-validation and its inner splits."""

    number: int
    train: np.ndarray
    test: np.ndarray
    gap: np.ndarray
    intervals: tuple[tuple[float, float], ...]
    inner: tuple[Split, ...]


def row_times(n_rows: int, *, tr: float, film_onset: float) -> np.ndarray:
    """Return the film time of each row's middle, in seconds, shape (n_rows,)."""
    return row_middles(np.arange(n_rows), TR=tr, film_onset=film_onset)


def as_ranges(rows: np.ndarray) -> list[list[int]]:
    """Return sorted row numbers as half-open ranges ``[[first, stop], ...]``."""
    rows = np.asarray(rows, dtype=int)
    if rows.size == 0:
        return []
    breaks = np.flatnonzero(np.diff(rows) != 1) + 1
    return [[int(part[0]), int(part[-1]) + 1] for part in np.split(rows, breaks)]


def from_ranges(ranges: list[list[int]]) -> np.ndarray:
    """Return the row numbers in half-open ranges, shape (n_rows,)."""
    return np.concatenate([np.arange(0), *(np.arange(first, stop) for first, stop in ranges)])


def near(times: np.ndarray, intervals: list, *, margin: float) -> np.ndarray:
    """Return which rows lie less than `margin` seconds from any interval.

    Parameters
    ----------
    times : ndarray of shape (n_rows, 2)
        Start and stop of each row in seconds.
    intervals : list of (start, stop)
        In seconds.
    margin : float
        In seconds.

    Returns
    -------
    ndarray of shape (n_rows,), bool
    """
    inside = np.zeros(len(times), dtype=bool)
    # A row that ends exactly at the margin is outside, whatever the rounding of k * TR.
    slack = 1e-6
    for start, stop in intervals:
        inside |= (times[:, 1] > start - margin + slack) & (times[:, 0] < stop + margin - slack)
    return inside


def pair_intervals(
    events: pd.DataFrame, *, film_stop: float
) -> list[tuple[float, float, list[str]]]:
    """Return start, stop and block labels of each whole pair of blocks.

    Parameters
    ----------
    events : DataFrame
        Columns onset, duration (film seconds) and trial_type.
    film_stop : float
        The last pair reaches to here.

    Raises
    ------
    InputError
        When there are fewer than three pairs.
    """
    events = events.sort_values("onset", ignore_index=True)
    n_pairs = len(events) // 2
    if n_pairs < 3:
        raise InputError(
            "events",
            f"{len(events)} blocks make {n_pairs} pairs, and cross-validation needs three",
            "check the events file of the film run",
        )
    starts = [float(events.onset[2 * i]) for i in range(n_pairs)]
    last = float((events.onset + events.duration).max())
    stops = [*starts[1:], max(last, film_stop)]
    labels = [list(map(str, events.trial_type[2 * i : 2 * i + 2])) for i in range(n_pairs)]
    labels[-1] = list(map(str, events.trial_type[2 * n_pairs - 2 :]))
    return list(zip(starts, stops, labels, strict=True))


def neighbours_joined(
    pairs: list[tuple[float, float, list[str]]], *, most: int
) -> list[tuple[float, float, list[str]]]:
    """Return at most so many intervals, of as many neighbouring pairs of blocks as is needed."""
    parts = np.array_split(np.arange(len(pairs)), min(most, len(pairs)))
    return [
        (
            pairs[part[0]][0],
            pairs[part[-1]][1],
            [label for i in part for label in pairs[i][2]],
        )
        for part in parts
    ]


def make_folds(
    events: pd.DataFrame, *, n_rows: int, tr: float, film_onset: float, settings: FoldSettings
) -> dict[str, Any]:
    """Return the fold file: what may be fitted and what is predicted, fold by fold.

    Parameters
    ----------
    events : DataFrame
        Columns onset, duration (seconds from the first volume) and trial_type: the blocks.
    n_rows : int
        Number of rows at the TRs.
    tr, film_onset : float
        Repetition time and start of the film after the first volume, in seconds.
    settings : FoldSettings

    Returns
    -------
    dict
        JSON-ready; read back by `read_folds`.

    Raises
    ------
    InputError
        When there are too few blocks, or a fold or inner fold has no row to fit.
    """
    if settings.gap < tr:
        raise InputError(
            "configuration folds",
            (
                f"gap {settings.gap} s is shorter than the TR of {tr} s, and models look at the "
                "row before and after"
            ),
            "raise folds.gap",
        )
    try:
        return _fold_file(events, n_rows=n_rows, tr=tr, film_onset=film_onset, settings=settings)
    except NothingLeft as fault:
        refused = fault
    # Only what has been tried is advised.
    for key, value in _easier(settings):
        try:
            easier = replace(settings, **{key: value})
            _fold_file(events, n_rows=n_rows, tr=tr, film_onset=film_onset, settings=easier)
        except InputError:
            continue
        raise InputError(refused.file, refused.what, f"set folds.{key} to {value:g}")
    raise InputError(
        refused.file,
        f"{refused.what}, nor with other folds",
        f"{refused.fix} or take a longer film",
    )


def _easier(settings: FoldSettings) -> list[tuple[str, float]]:
    """Return single settings that ask less of a film than those that were refused."""
    inner = [number for number in range(2, 11) if number != settings.inner]
    tries: list[tuple[str, float]] = [("inner", number) for number in sorted(inner, reverse=True)]
    tries.sort(key=lambda item: abs(item[1] - settings.inner))
    gap = max(LEAST_GAP, settings.reach)
    return [*([("gap", gap)] if gap < settings.gap else []), *tries]


def _fold_file(
    events: pd.DataFrame, *, n_rows: int, tr: float, film_onset: float, settings: FoldSettings
) -> dict[str, Any]:
    """Return the fold file, see `make_folds`."""
    times = row_times(n_rows, tr=tr, film_onset=film_onset)
    extents = np.stack([times - tr / 2, times + tr / 2], axis=1)
    blocks = events.assign(onset=events.onset - film_onset)
    pairs = neighbours_joined(
        pair_intervals(blocks, film_stop=float(extents[-1, 1])), most=settings.most
    )
    film = times >= pairs[0][0]

    def part(rows: np.ndarray) -> dict[str, list]:
        ranges = as_ranges(rows)
        seconds = [
            [round(float(extents[a, 0]), 6), round(float(extents[b - 1, 1]), 6)] for a, b in ranges
        ]
        return {"rows": ranges, "seconds": seconds}

    def split(allowed: np.ndarray, held_out: list) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        test = np.zeros(n_rows, dtype=bool)
        for start, stop, _ in held_out:
            test |= (times >= start) & (times < stop)
        close = near(extents, [pair[:2] for pair in held_out], margin=settings.gap)
        test &= allowed
        train = allowed & ~close & ~test
        if train.sum() < FEWEST_ROWS or not test.any():
            raise NothingLeft(
                "events",
                f"nothing is left to fit beside a gap of {settings.gap:g} s around "
                f"{held_out[0][0]:.1f} s to {held_out[-1][1]:.1f} s ({train.sum()} rows of {tr} s "
                f"for at least {FEWEST_ROWS})",
                "shorten the blocks (blocks.seconds)",
            )
        return np.flatnonzero(train), np.flatnonzero(test), np.flatnonzero(allowed & close & ~test)

    folds = []
    for number, pair in enumerate(pairs):
        train, test, gap = split(film, [pair])
        others = [other for other in pairs if other is not pair]
        allowed = np.zeros(n_rows, dtype=bool)
        allowed[train] = True
        groups = np.array_split(np.arange(len(others)), min(settings.inner, len(others)))
        inner = []
        for group in groups:
            inner_train, inner_test, _ = split(allowed, [others[i] for i in group])
            inner.append({"test": part(inner_test), "train": part(inner_train)})
        folds.append(
            {
                "fold": number,
                "blocks": pair[2],
                "interval": [round(pair[0], 6), round(pair[1], 6)],
                "test": part(test),
                "gap": part(gap),
                "train": part(train),
                "inner": inner,
            }
        )
    return {
        "rule": RULE,
        "TR": tr,
        "film_onset": film_onset,
        "n_rows": n_rows,
        "gap": settings.gap,
        "reach": settings.reach,
        "folds": folds,
    }


def read_folds(content: dict[str, Any]) -> list[Fold]:
    """Return the folds of a fold file as row numbers."""
    return [
        Fold(
            number=fold["fold"],
            train=from_ranges(fold["train"]["rows"]),
            test=from_ranges(fold["test"]["rows"]),
            gap=from_ranges(fold["gap"]["rows"]),
            intervals=(tuple(fold["interval"]),),
            inner=tuple(
                Split(
                    train=from_ranges(split["train"]["rows"]),
                    test=from_ranges(split["test"]["rows"]),
                )
                for split in fold["inner"]
            ),
        )
        for fold in content["folds"]
    ]
