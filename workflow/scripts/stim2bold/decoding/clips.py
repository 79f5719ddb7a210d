"""Which seconds of the film it was: clips found among others by what BOLD says of the picture."""

from dataclasses import dataclass

import numpy as np

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
    spread : float
        How much wider chance is because folds are fitted on each other
        (`stim2bold.evaluation.null_inflation.chance_spread`).
    """

    values: np.ndarray
    rows: np.ndarray
    fold: np.ndarray
    film: dict[int, np.ndarray]
    spread: float

    def at(self, rows: np.ndarray) -> "Retrieval":
        """Return what is said of some of the rows, by their numbers."""
        here = np.isin(self.rows, rows)
        film = {number: part[here] for number, part in self.film.items()}
        return Retrieval(self.values[here], self.rows[here], self.fold[here], film, self.spread)


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
    predicted : ndarray of shape (n_predicted, n_components)
    film : ndarray of shape (n_rows, n_components)
    starts : ndarray of int
        Where the clips start, among the predicted rows.
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
