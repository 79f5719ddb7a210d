"""Which seconds of the film it was: clips found among others by what BOLD says of the picture."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stim2bold.evaluation.identification import cut_segments
from stim2bold.evaluation.significance import reached
from stim2bold.models.circular_shifts import allowed_shifts

#: Among which clips the true one is looked for.
CANDIDATES = ("fold", "film")
#: Measures, and whether more is better.
MEASURES = {
    "top1": ("share of clips", True),
    "top5": ("share of clips", True),
    "median_rank": ("rank, 1 is best", False),
    "reciprocal_rank": ("mean of 1 / rank", True),
}


@dataclass(frozen=True)
class Retrieval:
    """What BOLD says of the film on held-out rows, and the film itself.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_components)
        The film's components as predicted from BOLD, rows in order of time.
    rows, fold : ndarray of shape (n_rows,), int
        Row number, and number of the fold that predicted it.
    film : dict of int to ndarray of shape (n_rows, n_components)
        By number of the fold the components that its training rows have; a fold of another
        participant, with other training rows, has others.
    """

    values: np.ndarray
    rows: np.ndarray
    fold: np.ndarray
    film: dict[int, np.ndarray]

    def at(self, rows: np.ndarray) -> "Retrieval":
        """Return what is said of some of the rows, by their numbers."""
        here = np.isin(self.rows, rows)
        film = {number: part[here] for number, part in self.film.items()}
        return Retrieval(self.values[here], self.rows[here], self.fold[here], film)


def windows(series: np.ndarray, length: int) -> np.ndarray:
    """Return the stretch that starts at each row, the end followed by the beginning.

    Parameters
    ----------
    series : ndarray of shape (n_rows, n_columns)
    length : int
        Rows of a stretch.

    Returns
    -------
    ndarray of shape (n_rows, length * n_columns)
        Centred and of unit length; a stretch that does not vary is 0.
    """
    at = (np.arange(len(series))[:, None] + np.arange(length)) % len(series)
    flat = series[at].reshape(len(series), -1).astype(np.float64)
    flat -= flat.mean(axis=1, keepdims=True)
    norm = np.linalg.norm(flat, axis=1, keepdims=True)
    return flat / np.where(norm > 0, norm, 1)


def likeness(
    predicted: np.ndarray, film: np.ndarray, starts: np.ndarray, length: int
) -> np.ndarray:
    """Correlate predicted clips with the stretch of film that starts at each row.

    Parameters
    ----------
    predicted, film : ndarray of shape (n_rows, n_components)
        Row by row the same moments.
    starts : ndarray of int
        Where the clips start.
    length : int
        Rows of a clip.

    Returns
    -------
    ndarray of shape (n_clips, n_rows)
    """
    return windows(predicted, length)[starts] @ windows(film, length).T


def ranks(correlations: np.ndarray, starts: np.ndarray, own: np.ndarray, shift: int) -> np.ndarray:
    """Return the rank of each clip's own place among all candidates, all places moved by a shift.

    Parameters
    ----------
    correlations : ndarray of shape (n_clips, n_rows)
        As `likeness` returns it; rows are a circle.
    starts : ndarray of shape (n_candidates,), int
        Where candidates start.
    own : ndarray of shape (n_clips,), int
        Which candidate each clip is.
    shift : int
        Rows by which film and prediction are moved against each other; 0 is the truth.

    Returns
    -------
    ndarray of shape (n_clips,)
        1 is best; candidates that are alike share the mean of their ranks.
    """
    found = correlations[:, (starts + shift) % correlations.shape[1]]
    mine = found[np.arange(len(own)), own][:, None]
    # Rounding must not rank what is alike.
    return (
        1
        + (found > mine + 1e-9).sum(axis=1)
        + 0.5 * (np.abs(found - mine) <= 1e-9).sum(axis=1)
        - 0.5
    )


def summary_of(rank: np.ndarray) -> np.ndarray:
    """Return `MEASURES` of ranks, over the last axis."""
    return np.stack(
        [
            (rank <= 1).mean(axis=-1),
            (rank <= 5).mean(axis=-1),
            np.median(rank, axis=-1),
            (1 / rank).mean(axis=-1),
        ],
        axis=-1,
    )


def by_chance(n: np.ndarray) -> np.ndarray:
    """Return `MEASURES` that guessing gives, for clips with n candidates each."""
    # Ranks are then even over 1..n; only the median of many has no short formula.
    drawn = np.random.default_rng(0).integers(1, n + 1, size=(5000, len(n)))
    return np.array(
        [
            np.mean(1 / n),
            np.mean(np.minimum(5 / n, 1)),
            np.median(drawn, axis=1).mean(),
            np.mean([(1 / np.arange(1, size + 1)).mean() for size in n]),
        ]
    )


@dataclass(frozen=True)
class Ranked:
    """Ranks of all clips, and ranks that shifts give.

    Parameters
    ----------
    rank, n : ndarray of shape (n_clips,)
        Rank of the true clip, and number of candidates.
    null : ndarray of shape (n_draws, n_clips)
    first : ndarray of shape (n_clips,), int
        Position, among the predicted rows, of the first row of the best candidate.
    own, best : ndarray of shape (n_clips,)
        Correlation with the true clip and with the best candidate.
    """

    rank: np.ndarray
    n: np.ndarray
    null: np.ndarray
    first: np.ndarray
    own: np.ndarray
    best: np.ndarray


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
    """Rank the true clip among the candidates, and again with film and prediction shifted.

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
    tr, period : float
        Seconds from row to row, and after which blocks come again.
    draws, seed : int
        Of the shifts within folds, each fold's its own; over the film all shifts are taken.
    """
    fold = found[0].fold
    length = len(clips[0])
    of_fold = np.array([fold[clip[0]] for clip in clips])
    first_rows = np.array([clip[0] for clip in clips])
    n_clips = len(clips)
    rank, own, best = np.zeros(n_clips), np.zeros(n_clips), np.zeros(n_clips)
    first, n = np.zeros(n_clips, dtype=int), np.zeros(n_clips, dtype=int)
    nulls: list[tuple[np.ndarray, np.ndarray]] = []
    for number in np.unique(of_fold):
        mine = np.flatnonzero(of_fold == number)
        circle = np.flatnonzero(fold == number) if candidates == "fold" else np.arange(len(fold))
        rivals = mine if candidates == "fold" else np.arange(n_clips)
        # Places on the circle.
        starts = first_rows[rivals] - circle[0]
        own_starts = first_rows[mine] - circle[0]
        correlations = np.mean(
            [
                likeness(one.values[circle], one.film[int(number)][circle], own_starts, length)
                for one in found
            ],
            axis=0,
        )
        places = np.searchsorted(rivals, mine)
        rank[mine] = ranks(correlations, starts, places, 0)
        n[mine] = len(rivals)
        here = correlations[:, starts]
        own[mine], best[mine] = here[np.arange(len(mine)), places], here.max(axis=1)
        first[mine] = first_rows[rivals[here.argmax(axis=1)]]
        shifts = allowed_shifts(len(circle), tr=tr, period=period if candidates == "film" else None)
        shifted = [ranks(correlations, starts, places, shift) for shift in shifts]
        nulls.append((mine, np.array(shifted).reshape(len(shifts), len(mine))))
    rng = np.random.default_rng(seed)
    if any(not len(part) for _, part in nulls):
        null = np.zeros((0, n_clips))
    else:
        size = draws if candidates == "fold" else len(nulls[0][1])
        null = np.zeros((size, n_clips))
        for mine, part in nulls:
            drawn = rng.integers(len(part), size=size) if candidates == "fold" else np.arange(size)
            null[:, mine] = part[drawn]
    return Ranked(rank=rank, n=n, null=null, first=first, own=own, best=best)


def retrieve_clips(
    found: Retrieval,
    times: np.ndarray,
    *,
    seconds: float,
    tr: float,
    period: float,
    draws: int,
    seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Look for every held-out clip among the clips of its fold and of the film.

    As `judge_clips`, without the scores of the single shifts.
    """
    clips, scores, _ = judge_clips(
        found, times, seconds=seconds, tr=tr, period=period, draws=draws, seed=seed
    )
    return clips, scores


def judge_clips(
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
        Columns candidates, measure, value, unit_of_measure, chance, null (mean over shifts), p
        (one-sided), n (clips).
    nulls : DataFrame
        Columns candidates, measure, shift (its number: the same in all who saw the same film) and
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
        values, chance, null = summary_of(ranked.rank), by_chance(ranked.n), summary_of(ranked.null)
        for i, (measure, (unit, more)) in enumerate(MEASURES.items()):
            drawn.append(
                pd.DataFrame(
                    {
                        "candidates": candidates,
                        "measure": measure,
                        "shift": np.arange(len(null)),
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
        else pd.DataFrame(columns=["candidates", "measure", "shift", "value"]),
    )
