"""How often clips are found, against chance: other stretches of film, or the film moved in time."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stim2bold.decoding.clips import (
    CANDIDATES,
    MEASURES,
    Retrieval,
    by_chance,
    likeness,
    ranks,
    summary_of,
)
from stim2bold.evaluation.identification import cut_segments
from stim2bold.evaluation.significance import reached
from stim2bold.models.circular_shifts import allowed_shifts


@dataclass(frozen=True)
class Ranked:
    """Ranks of all clips, and ranks by chance.

    Parameters
    ----------
    rank, n : ndarray of shape (n_clips,)
        Rank of the true clip, and number of candidates.
    first : ndarray of shape (n_clips,), int
        Position, among the predicted rows, of the first row of the best candidate.
    own, best : ndarray of shape (n_clips,)
        Correlation with the true clip and with the best candidate.
    null : ndarray of shape (n_draws, n_clips)
    spread : float
        How much wider than that null chance is.
    """

    rank: np.ndarray
    n: np.ndarray
    first: np.ndarray
    own: np.ndarray
    best: np.ndarray
    null: np.ndarray
    spread: float

    def by_draw(self) -> np.ndarray:
        """Return `MEASURES` of each draw by chance, shape (n_draws, n_measures)."""
        found = summary_of(self.null)
        if not len(found):
            return found
        return found.mean(axis=0) + self.spread * (found - found.mean(axis=0))


@dataclass(frozen=True)
class Stretch:
    """A held-out fold and its clips.

    Parameters
    ----------
    number : int
        Of the fold.
    rows : ndarray of int
        Positions of its rows among the predicted ones.
    clips : ndarray of int
        Which of all clips are its own.
    starts : ndarray of int
        Where they start, on its rows.
    """

    number: int
    rows: np.ndarray
    clips: np.ndarray
    starts: np.ndarray


def stretches_of(fold: np.ndarray, clips: list[np.ndarray]) -> list[Stretch]:
    """Return the folds that have clips, in order of their numbers."""
    first = np.array([clip[0] for clip in clips])
    found = []
    for number in np.unique(fold[first]):
        rows, mine = np.flatnonzero(fold == number), np.flatnonzero(fold[first] == number)
        found.append(Stretch(int(number), rows, mine, first[mine] - rows[0]))
    return found


def compare(
    found: Sequence[Retrieval], told: Stretch, shown: np.ndarray, length: int
) -> np.ndarray:
    """Correlate a fold's predicted clips with the film on some rows; mean over brains.

    Returns
    -------
    ndarray of shape (n_clips, n_rows)
    """
    each = [
        likeness(one.values[told.rows], one.film[told.number][shown], told.starts, length)
        for one in found
    ]
    return np.mean(each, axis=0)


def exchanged(
    found: Sequence[Retrieval], parts: list[Stretch], length: int, *, draws: int, seed: int
) -> np.ndarray:
    """Rank clips in other held-out stretches, with what is predicted turned to its opposite or not.

    A fold's prediction is looked for in a stretch of film that another fold holds out, which is
    cut alike, and its sign is drawn: both leave it as slow as it is. Circular shifts within a fold
    do not, since a slow course has but few of them that are independent, and breaks at its ends.

    Parameters
    ----------
    found : sequence of Retrieval
    parts : list of Stretch
    length : int
        Rows of a clip.
    draws, seed : int
        The same draws for a fold's number, whatever else is in the study.

    Returns
    -------
    ndarray of shape (draws, n_clips)
    """
    drawn = {part.number: np.random.default_rng([seed, part.number]) for part in parts}
    null = np.zeros((draws, sum(part.clips.size for part in parts)))
    kinds: dict[tuple, list[Stretch]] = {}
    for part in parts:
        kinds.setdefault(tuple(part.starts), []).append(part)
    for alike in kinds.values():
        order = np.argsort([drawn[part.number].random(draws) for part in alike], axis=0)
        own = np.arange(alike[0].starts.size)
        for told, given in zip(alike, order, strict=True):
            likenesses = [compare(found, told, part.rows, length) for part in alike]
            table = np.array(
                [
                    [ranks(sign * one, part.starts, own, 0) for sign in (1, -1)]
                    for one, part in zip(likenesses, alike, strict=True)
                ]
            )
            null[:, told.clips] = table[given, drawn[told.number].integers(2, size=draws)]
    return null


def shifted(
    likenesses: list[np.ndarray], parts: list[Stretch], starts: np.ndarray, shifts: np.ndarray
) -> np.ndarray:
    """Rank clips among all of the film, with film and prediction moved against each other.

    Parameters
    ----------
    likenesses : list of ndarray of shape (n_clips, n_rows)
        Of the clips of each part with the film at each predicted row.
    parts : list of Stretch
    starts : ndarray of shape (n_clips,), int
        Where all clips start.
    shifts : ndarray of shape (n_shifts,), int
        Rows.

    Returns
    -------
    ndarray of shape (n_shifts, n_clips)
    """
    null = np.zeros((len(shifts), len(starts)))
    for part, correlations in zip(parts, likenesses, strict=True):
        for draw, shift in zip(null, shifts, strict=True):
            draw[part.clips] = ranks(correlations, starts, part.clips, shift)
    return null


def rank_clips(
    found: Sequence[Retrieval],
    clips: list[np.ndarray],
    *,
    candidates: str,
    tr: float,
    period: float,
    draws: int,
    seed: int,
) -> Ranked:
    """Rank the true clip among the candidates, and again by chance.

    Parameters
    ----------
    found : sequence of Retrieval
        Of one brain; of several, on the same rows, likenesses are averaged.
    clips : list of ndarray of int
        Positions of the rows of each clip (`stim2bold.evaluation.identification.cut_segments`).
    candidates : {'fold', 'film'}
        Clips of the same held-out fold, none of which any fit has seen; or all clips of the film,
        of which those of other folds belong to the training rows. A prediction is made of training
        rows, so it takes after these more: ranks among all clips err on the side of too low.
        Chance is, within folds, that of `exchanged`; over the film, that of all circular shifts.
    tr, period : float
        Seconds from row to row, and after which blocks come again.
    draws, seed : int
        Of `exchanged`.
    """
    fold, length, within = found[0].fold, len(clips[0]), candidates == "fold"
    first_rows = np.array([clip[0] for clip in clips])
    n_clips, everything = len(clips), np.arange(len(fold))
    rank, n, own, best = (np.zeros(n_clips) for _ in range(4))
    first = np.zeros(n_clips, dtype=int)
    parts, likenesses = stretches_of(fold, clips), []
    for part in parts:
        mine = part.clips
        rivals = mine if within else np.arange(n_clips)
        shown = part.rows if within else everything
        starts, places = first_rows[rivals] - shown[0], np.searchsorted(rivals, mine)
        correlations = compare(found, part, shown, length)
        likenesses.append(correlations)
        rank[mine], n[mine] = ranks(correlations, starts, places, 0), len(rivals)
        here = correlations[:, starts]
        own[mine], best[mine] = here[np.arange(len(mine)), places], here.max(axis=1)
        first[mine] = first_rows[rivals[here.argmax(axis=1)]]
    if within:
        null = exchanged(found, parts, length, draws=draws, seed=seed)
        spread = float(np.mean([one.spread for one in found]))
    else:
        shifts = allowed_shifts(len(fold), tr=tr, period=period)
        null, spread = shifted(likenesses, parts, first_rows, shifts), 1.0
    return Ranked(rank=rank, n=n, first=first, own=own, best=best, null=null, spread=spread)


def retrieve_clips(
    found: Retrieval,
    times: np.ndarray,
    *,
    seconds: float,
    tr: float,
    period: float,
    draws: int,
    seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Look for every held-out clip among the clips of its fold and of the film.

    Parameters
    ----------
    found : Retrieval
    times : ndarray of shape (n_rows,)
        Film times of the middles of the predicted rows, seconds.
    seconds : float
        Length of a clip.
    tr, period, draws, seed
        As for `rank_clips`.

    Returns
    -------
    clips : DataFrame
        Columns candidates, fold, onset, duration (seconds of the film), rank, candidates_n,
        correlation (with the true clip), best_onset and best_correlation (of the clip that was
        found).
    scores : DataFrame
        Columns candidates, measure, value, unit_of_measure, chance (by guessing), null (mean over
        draws), p (one-sided), n (clips).
    nulls : DataFrame
        Columns candidates, measure, draw (its number: the same in all who saw the same film) and
        value.
    """
    length = max(1, round(seconds / tr))
    clips = cut_segments(found.rows, found.fold, length=length)
    tables, rows, drawn = [], [], []
    for candidates in CANDIDATES if clips else ():
        ranked = rank_clips(
            [found], clips, candidates=candidates, tr=tr, period=period, draws=draws, seed=seed
        )
        starts = np.array([clip[0] for clip in clips])
        tables.append(
            pd.DataFrame(
                {
                    "candidates": candidates,
                    "fold": found.fold[starts],
                    "onset": (times[starts] - tr / 2).round(6),
                    "duration": round(length * tr, 6),
                    "rank": ranked.rank,
                    "candidates_n": ranked.n,
                    "correlation": ranked.own.round(6),
                    "best_onset": (times[ranked.first] - tr / 2).round(6),
                    "best_correlation": ranked.best.round(6),
                }
            )
        )
        values, chance, null = summary_of(ranked.rank), by_chance(ranked.n), ranked.by_draw()
        for i, (measure, (unit, more)) in enumerate(MEASURES.items()):
            drawn.append(
                pd.DataFrame(
                    {
                        "candidates": candidates,
                        "measure": measure,
                        "draw": np.arange(len(null)),
                        "value": null[:, i].round(6),
                    }
                )
            )
            sign = 1 if more else -1
            p = reached(sign * values[i], sign * null[:, i])
            mean = null[:, i].mean() if len(null) else np.nan
            rows.append((candidates, measure, values[i], unit, chance[i], mean, p, len(clips)))
    columns = ["candidates", "measure", "value", "unit_of_measure", "chance", "null", "p", "n"]
    empty = ["candidates", "fold", "onset", "duration", "rank", "candidates_n", "correlation"]
    empty += ["best_onset", "best_correlation"]
    return (
        pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=empty),
        pd.DataFrame(rows, columns=columns),
        pd.concat(drawn, ignore_index=True)
        if drawn
        else pd.DataFrame(columns=["candidates", "measure", "draw", "value"]),
    )
