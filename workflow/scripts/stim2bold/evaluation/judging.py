"""Scores beside chance: significance, intervals and identification of one model's predictions."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stim2bold.evaluation.headlines import SIGNIFICANT
from stim2bold.evaluation.held_out import HeldOut
from stim2bold.evaluation.identification import (
    Identified,
    Likeness,
    identification_of,
    judged,
    likeness,
    pairwise_identification,
    row_products,
)
from stim2bold.evaluation.metrics import centred, without
from stim2bold.evaluation.significance import NullTest, bootstrap_r, phase_test


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings:
    """How predictions are scored.

    Parameters
    ----------
    top_share : float
        Share of the voxels, the best by ridge's inner folds, that the measures named ``top`` are
        averaged over.
    segment : float
        Seconds of the segments that are identified.
    other_segments : tuple of float
        Further lengths, whose measures carry them in their names.
    ways : int
        Segments among which the right one is to be found.
    surrogates : int
        Predictions of random phase that significance is judged by.
    draws, block : int, float
        Draws of the bootstrap, and seconds of the blocks that are drawn.
    seed : int
    """

    top_share: float
    segment: float
    other_segments: tuple[float, ...]
    ways: int
    surrogates: int
    draws: int
    block: float
    seed: int


def table_of(rows: list[tuple]) -> pd.DataFrame:
    """Return rows (fold, measure, value, unit of measure, n) as a table."""
    return pd.DataFrame(rows, columns=["fold", "measure", "value", "unit_of_measure", "n"])


def block_parts(fold: np.ndarray, kinds: np.ndarray) -> np.ndarray:
    """Return which kind of block of which fold each row lies in, by number."""
    return np.asarray(fold, dtype=int) * (int(kinds.max(initial=0)) + 1) + kinds


def identified(
    held: HeldOut,
    blocks: np.ndarray,
    kinds: np.ndarray,
    settings: EvaluationSettings,
) -> dict[str, Identified]:
    """Score how well segments of film are told by their predictions.

    Parameters
    ----------
    held : HeldOut
    blocks : ndarray of shape (n_rows, n_columns)
        What the label of the block predicts.
    kinds : ndarray of shape (n_volumes,), int
        Kind of block that each volume lies in.
    settings : EvaluationSettings

    Returns
    -------
    dict
        By name of the measure: ``identification`` (pairs of segments anywhere),
        ``identification_within`` (pairs of one kind of block, what the label predicts taken out)
        and ``identification_of_N``; those of `other_segments` carry their length.
    """
    _, first = np.unique(held.times, return_index=True)
    tr = float(np.median(np.diff(held.times[np.sort(first)])))
    fold = held.by_volume(held.fold[:, None])[:, 0].astype(int)
    parts = block_parts(fold, kinds)
    pair = row_products(*(centred(held.by_volume(x), fold) for x in (held.truth, held.predicted)))
    inside = row_products(
        *(
            centred(held.by_volume(without(x, blocks, held.fold)), parts)
            for x in (centred(held.truth, held.fold), centred(held.predicted, held.fold))
        )
    )
    found = {}

    def add(name: str, score: Callable[[np.ndarray], np.ndarray], places: Likeness) -> None:
        value = score(places.own) if places.varies else np.nan
        null = score(places.shifted(seed=settings.seed, n=settings.surrogates))
        found[name] = judged(value, null, n=len(places.start))

    for seconds in (settings.segment, *settings.other_segments):
        suffix = "" if seconds == settings.segment else f"_{seconds:g}s"
        length = max(1, round(seconds / tr))
        places = likeness(pair, rows=held.rows, parts=fold, length=length)
        if len(places.start) >= 3:
            add(f"identification{suffix}", pairwise_identification, places)
        if len(places.start) >= settings.ways:
            one_of = functools.partial(identification_of, ways=settings.ways)
            add(f"identification_of_{settings.ways}{suffix}", one_of, places)
        places = likeness(inside, rows=held.rows, parts=parts, length=length)
        among = places.part % (kinds.max(initial=0) + 1)
        if len(places.start) and np.bincount(among).max() >= 3:
            of_a_kind = functools.partial(pairwise_identification, among=among)
            add(f"identification_within{suffix}", of_a_kind, places)
    return found


def identification_table(found: dict[str, Identified]) -> pd.DataFrame:
    """Return what was identified, its p and what chance gives; columns as of `accuracy`."""
    rows = []
    for name, one in found.items():
        low, high = one.interval
        rows += [
            ("all", name, one.value, "share", one.n),
            ("all", f"p_{name}", one.p, "probability", one.n),
            ("all", f"{name}_chance", one.chance, "share", one.n),
            ("all", f"{name}_chance_low", low, "share", one.n),
            ("all", f"{name}_chance_high", high, "share", one.n),
        ]
    return table_of(rows)


@dataclass(frozen=True)
class Judged:
    """One model beside chance.

    Parameters
    ----------
    table : DataFrame
        Columns as of `accuracy`: the interval of mean r (``r_low``, ``r_high``), its ``p``, the
        share of columns with q < 0.05 (``significant``); ``r_within``, its interval and its
        ``p_within``; what was identified, with p and chance.
    test : NullTest
        Column by column.
    nulls : dict of str to ndarray of shape (n_surrogates,)
        The surrogates' score by the name of the measure.
    """

    table: pd.DataFrame
    test: NullTest
    nulls: dict[str, np.ndarray]


def significance(
    held: HeldOut,
    blocks: np.ndarray,
    settings: EvaluationSettings,
    *,
    spread: float,
    kinds: np.ndarray | None = None,
) -> Judged:
    """Judge one model's predictions against chance.

    Parameters
    ----------
    held : HeldOut
    blocks : ndarray of shape (n_rows, n_columns)
        What the label of the block predicts: a score within blocks is one without its courses.
    settings : EvaluationSettings
    spread : float
        How much wider chance is because folds are fitted on each other
        (`stim2bold.evaluation.null_inflation.chance_spread`). The interval is widened as much;
        the null of identification is not (docs/decisions.md).
    kinds : ndarray of shape (n_volumes,), int, optional
        Kind of block that each volume lies in; all of one kind where it is not told.
    """
    options = {"seed": settings.seed, "n": settings.surrogates, "spread": spread}
    test = phase_test(*held.pair, held.fold, **options)
    inside_pair = [without(values, blocks, held.fold) for values in held.pair]
    within = phase_test(*inside_pair, held.fold, **options)
    stretch = np.floor(held.times / settings.block)
    drawn = {"seed": settings.seed, "n": settings.draws}
    n, inside = (int(np.isfinite(found.r).sum()) for found in (test, within))
    significant = float((test.q[np.isfinite(test.q)] < SIGNIFICANT).mean()) if n else float("nan")
    rows = []
    for name, found, pair in (("r", test, held.pair), ("r_within", within, inside_pair)):
        interval = bootstrap_r(*pair, stretch, each=False, **drawn)
        rows += [
            ("all", f"{name}_{end}", found.mean + spread * (value - found.mean), "correlation", n)
            for end, value in (("low", interval.mean_low), ("high", interval.mean_high))
        ]
    rows += [
        ("all", "p", test.p_mean, "probability", n),
        ("all", "significant", significant, "share", n),
        ("all", "r_within", within.mean, "correlation", inside),
        ("all", "p_within", within.p_mean, "probability", inside),
    ]
    kinds = np.zeros(len(held.rows), dtype=int) if kinds is None else kinds
    found = identified(held, blocks, kinds, settings)
    nulls = {"r": test.null, "r_within": within.null}
    nulls |= {name: one.null for name, one in found.items()}
    table = pd.concat([table_of(rows), identification_table(found)], ignore_index=True)
    return Judged(table, test, nulls)
