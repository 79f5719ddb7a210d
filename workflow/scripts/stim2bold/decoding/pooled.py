"""Labels and clips decoded from several brains: what each says, averaged, and scored as one.

As `stim2bold.evaluation.pooled` of predictions: every brain has been decoded on its own, on the
same folds, and nothing more is fitted.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from stim2bold.decoding.clip_scores import rank_clips
from stim2bold.decoding.clips import (
    CANDIDATES,
    MEASURES,
    Retrieval,
    by_chance,
    summary_of,
)
from stim2bold.decoding.label_scores import precision_against_chance
from stim2bold.decoding.label_timeline import log_odds
from stim2bold.decoding.summary import film_p
from stim2bold.evaluation.identification import cut_segments
from stim2bold.evaluation.pooled import common_rows, groups, sizes
from stim2bold.evaluation.significance import reached

COLUMNS = ["decoding", "origin", "item", "measure", "brains", "groups", "value", "low", "high"]
COLUMNS += ["chance", "p", "n"]


def mean_timeline(timelines: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Average the log odds of labels at the moments at which all decoders tell of them.

    Parameters
    ----------
    timelines : sequence of DataFrame
        As of `stim2bold.decoding.label_timeline.long_timeline`.
    """
    each = [table.set_index(["label", "onset"]) for table in timelines]
    common = each[0].index
    for one in each[1:]:
        common = common.intersection(one.index)
    odds = np.mean([log_odds(one.loc[common, "probability"].to_numpy()) for one in each], axis=0)
    table = each[0].loc[common].assign(probability=1 / (1 + np.exp(-odds)))
    return table.reset_index().sort_values(["label", "onset"], ignore_index=True)


def mean_precision(
    timeline: pd.DataFrame, *, fewest: int, period: float
) -> tuple[float, float, int]:
    """Return the average precision of labels, chance, and how many they are; means over labels.

    Parameters
    ----------
    timeline : DataFrame
        As of `mean_timeline`.
    fewest, period
        As of `stim2bold.decoding.label_scores.score_labels`.
    """
    found = []
    for _, part in timeline.groupby("label"):
        present = part["present"].to_numpy(float)
        if present.sum() >= fewest:
            scores = precision_against_chance(
                present,
                part["probability"].to_numpy(),
                part["fold"].to_numpy(),
                tr=float(part["duration"].iloc[0]),
                period=period,
            )
            found.append((scores["average_precision"], scores["chance"]))
    known = np.array([one for one in found if np.isfinite(one).all()]).reshape(-1, 2)
    value, chance = known.mean(axis=0) if len(known) else (np.nan, np.nan)
    return float(value), float(chance), len(known)


def pool_labels(
    timelines: Sequence[pd.DataFrame], *, spread: float, fewest: int, period: float, seed: int
) -> Iterator[dict]:
    """Yield the mean average precision of labels decoded from 1, 2, 4 and more brains.

    Parameters
    ----------
    timelines : sequence of DataFrame
        One a participant, as of `stim2bold.decoding.label_timeline.long_timeline`.
    spread : float
        How much wider chance is than random phases tell.
    fewest, period
        As of `stim2bold.decoding.label_scores.score_labels`.
    seed : int
        Of the groups that are drawn.
    """
    everywhere = mean_timeline(timelines)[["label", "onset"]]
    kept = [table.merge(everywhere) for table in timelines]
    for size in sizes(len(timelines)):
        means = [
            mean_timeline([kept[i] for i in group])
            for group in groups(len(timelines), size, seed=seed)
        ]
        found = [mean_precision(one, fewest=fewest, period=period) for one in means]
        values, chances, n = zip(*found, strict=True)
        yield {
            **{"decoding": "labels", "item": "all", "measure": "average_precision"},
            **{"brains": size, "groups": len(means), "n": n[0], "chance": np.mean(chances)},
            **{"value": np.mean(values), "low": np.min(values), "high": np.max(values)},
            "p": film_p(means, spread=spread).get("all", np.nan),
        }


def pool_clips(
    found: Sequence[Retrieval], *, seconds: float, tr: float, period: float, draws: int, seed: int
) -> Iterator[dict]:
    """Yield how often clips are found by what 1, 2, 4 and more brains say.

    Parameters
    ----------
    found : sequence of Retrieval
        One a participant.
    seconds : float
        Length of a clip.
    tr, period, draws, seed
        As of `stim2bold.decoding.clip_scores.rank_clips`.
    """
    rows = common_rows(one.rows for one in found)
    kept = [one.at(rows) for one in found]
    clips = cut_segments(kept[0].rows, kept[0].fold, length=max(1, round(seconds / tr)))
    for size in sizes(len(kept)) if clips else []:
        for candidates in CANDIDATES:
            ranked = [
                rank_clips(
                    [kept[i] for i in group],
                    clips,
                    **{"candidates": candidates, "tr": tr, "period": period},
                    **{"draws": draws, "seed": seed},
                )
                for group in groups(len(kept), size, seed=seed)
            ]
            values = np.array([summary_of(one.rank) for one in ranked])
            # The same draws in every group, whose mean is thereby that of one prediction.
            null = np.mean([one.by_draw() for one in ranked], axis=0)
            chance = by_chance(ranked[0].n)
            for i, (measure, (_, more)) in enumerate(MEASURES.items()):
                value, sign = values[:, i], 1 if more else -1
                yield {
                    **{"decoding": "clips", "item": candidates, "measure": measure},
                    **{"brains": size, "groups": len(ranked), "n": len(clips)},
                    **{"value": value.mean(), "low": value.min(), "high": value.max()},
                    **{"chance": chance[i], "p": reached(sign * value.mean(), sign * null[:, i])},
                }


def pooled_table(rows: Sequence[dict]) -> pd.DataFrame:
    """Return rows of `pool_labels` and `pool_clips` as one table.

    Returns
    -------
    DataFrame
        Columns decoding (``labels``, ``clips``), origin (``bold``), item (``all`` for the mean over
        labels; ``fold`` or ``film`` for clips), measure, brains (how many are averaged), groups
        (how many such groups), value (mean over groups), low, high (the least and the greatest of
        a group), chance, p (the film as a random sample) and n (labels, or clips).
    """
    table = pd.DataFrame(rows, columns=[name for name in COLUMNS if name != "origin"])
    # Numbers of brains below each other.
    order = table.groupby(["decoding", "item", "measure"], sort=False).ngroup()
    table = table.loc[order.sort_values(kind="stable").index]
    return table.assign(origin="bold")[COLUMNS].reset_index(drop=True)
