"""What several brains tell of the film together: their predictions averaged, and scored again.

All participants saw one film, so that what is predicted of it from each brain are guesses at the
same thing. Each has been made on the same folds by a model of its own, and what is wrong in one by
the brain's own noise is not in another: the mean is a product of experts that are equally sure.
"""

import itertools
import logging
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce

import numpy as np
import pandas as pd
import xarray as xr

from stim2bold.evaluation.held_out import HeldOut, as_columns, held_out
from stim2bold.evaluation.identification import Identified, judged
from stim2bold.evaluation.judging import EvaluationSettings, identified
from stim2bold.evaluation.metrics import correlation, mean_r, without

logger = logging.getLogger(__name__)
MOST = 20
"""Groups of one size that are scored, at the most."""
#: What is known without a brain: others are scored against it.
KNOWN = ("mean", "blocks")


def sizes(n: int) -> list[int]:
    """Return how many of n brains are taken together: 1, 2, 4 and so on, and all."""
    return sorted({2**power for power in range(n.bit_length())} | {n})


def groups(n: int, size: int, *, seed: int) -> list[tuple[int, ...]]:
    """Return groups of so many of n brains: all that there are, or `MOST` drawn, no two alike."""
    if math.comb(n, size) <= MOST:
        return list(itertools.combinations(range(n), size))
    rng = np.random.default_rng([seed, size])
    found: set[tuple[int, ...]] = set()
    while len(found) < MOST:
        found.add(tuple(sorted(rng.choice(n, size, replace=False).tolist())))
    return sorted(found)


def common_rows(rows: Iterable[np.ndarray]) -> np.ndarray:
    """Return the row numbers of the fold file that everybody has.

    Groups of all sizes are scored on the same rows, so that their scores can be compared.
    """
    each = list(rows)
    found = reduce(np.intersect1d, each)
    if len(found) < max(map(len, each)):
        logger.warning(
            "scored on %d held-out volumes that all participants have, of %d to %d that each has",
            *(len(found), min(map(len, each)), max(map(len, each))),
        )
    return found


def mean_of(predictions: Sequence[xr.DataArray]) -> xr.DataArray:
    """Average predictions of the same series on the same rows.

    Parameters
    ----------
    predictions : sequence of DataArray
        Dims (time, frame, mel), with the coordinates fold and row.
    """
    return predictions[0].copy(data=np.mean([one.values for one in predictions], axis=0))


def scores_of(
    held: HeldOut, blocks: np.ndarray, kinds: np.ndarray, settings: EvaluationSettings
) -> dict[str, float | Identified]:
    """Score one prediction by r, over all and within blocks, and by what it identifies."""
    inside = (without(values, blocks, held.fold) for values in held.pair)
    found: dict[str, float | Identified] = {
        "r": mean_r(held.r),
        "r_within": mean_r(correlation(*inside)),
    }
    return found | identified(held, blocks, kinds[held.rows], replace(settings, other_segments=()))


def rows_of(found: Sequence[dict[str, float | Identified]]) -> Iterator[dict]:
    """Return a row for each measure: its mean over groups, and chance, likewise."""
    for measure, first in found[0].items():
        each = [one[measure] for one in found]
        row = {"measure": measure, "groups": len(each)}
        if isinstance(first, Identified):
            # The same shifts in every group, whose mean is thereby that of one prediction.
            whole = judged(
                float(np.mean([one.value for one in each])),
                np.mean([one.null for one in each], axis=0),
                n=first.n,
            )
            low, high = whole.interval
            chance = {"chance": whole.chance, "chance_low": low, "chance_high": high, "p": whole.p}
            row |= {**chance, "n": whole.n}
            each = [one.value for one in each]
        yield row | {"value": np.mean(each), "low": np.min(each), "high": np.max(each)}


def score_pooled(
    target: xr.DataArray,
    predictions: Mapping[str, Sequence[xr.DataArray]],
    *,
    kinds: xr.DataArray,
    settings: EvaluationSettings,
) -> pd.DataFrame:
    """Score what 1, 2, 4 and more brains predict together, up to all.

    Parameters
    ----------
    target : DataArray
        What was shown to everybody, time first.
    predictions : mapping of str to sequence of DataArray
        By name of the model those from each participant's brain; ``mean`` and ``blocks`` must be
        there.
    kinds : DataArray of shape (n_volumes, n_kinds)
        How much of each volume each kind of block fills, row by row of the fold file.
    settings : EvaluationSettings

    Returns
    -------
    DataFrame
        Columns model, brains (how many are averaged), groups (how many such groups), volumes
        (held out, that all participants have; where there are none, no row), measure (``r`` and
        ``r_within``, means over columns; ``identification``, ``identification_within`` and the
        like), value (mean over groups), low, high (the least and the greatest of a group), chance,
        chance_low, chance_high, p and n (segments) of what is identified: by predictions shifted
        in time, the same shifts in all groups.
    """
    kind = kinds.values.argmax(axis=1)
    n_brains = len(predictions["mean"])
    rows = common_rows(one["row"].values for one in predictions["mean"])
    kept = {
        name: [one.isel(time=np.isin(one["row"], rows)) for one in each]
        for name, each in predictions.items()
    }
    found: dict[tuple[str, int], list] = {}
    for size in sizes(n_brains) if len(rows) else []:
        for group in groups(n_brains, size, seed=settings.seed):
            told = {name: mean_of([each[i] for i in group]) for name, each in kept.items()}
            mean, blocks = told.pop("mean"), as_columns(told.pop("blocks"))
            for model, own in told.items():
                held = held_out(target, own, mean)
                scored = scores_of(held, blocks, kind, settings)
                found.setdefault((model, size), []).append(scored)
    table = [
        {"model": model, "brains": size, "volumes": len(rows), **row}
        for (model, size), each in found.items()
        for row in rows_of(each)
    ]
    columns = ["model", "brains", "groups", "volumes", "measure", "value", "low", "high"]
    columns += ["chance", "chance_low", "chance_high", "p", "n"]
    return pd.DataFrame(table).reindex(columns=columns)
