"""Significance of scores on autocorrelated data: nulls, intervals, false discoveries."""

from dataclasses import dataclass

import numpy as np
from scipy import fft
from scipy.stats import false_discovery_control


def sign_flip_p(differences: np.ndarray, *, seed: int, n: int = 9999) -> float:
    """Test whether paired differences are centred above 0, by flipping their signs.

    Parameters
    ----------
    differences : ndarray of shape (n_pairs,)
        One for each independent unit: a participant, or a segment of film far longer than the
        autocorrelation of its errors.
    seed : int
    n : int
        Random flips; the observed one counts as one more.

    Returns
    -------
    float
        One-sided p of the mean.
    """
    rng = np.random.default_rng(seed)
    signs = rng.choice([-1.0, 1.0], size=(n, len(differences)))
    null = signs @ differences / len(differences)
    # A flip that changes nothing must count: rounding would otherwise favour the observed.
    reached = null >= differences.mean() - 1e-12
    return float((1 + reached.sum()) / (n + 1))


@dataclass(frozen=True)
class NullTest:
    """Correlations and how often chance reaches them.

    Parameters
    ----------
    r, p, p_max : ndarray of shape (n_columns,)
        Correlation; its one-sided p by the column's own null; and by the largest of all columns,
        which corrects for their number (Westfall & Young 1993).
    mean, p_mean : float
        Mean correlation over columns, and its p.
    """

    r: np.ndarray
    p: np.ndarray
    p_max: np.ndarray
    mean: float
    p_mean: float

    @property
    def q(self) -> np.ndarray:
        """False-discovery rate at each column (Benjamini & Hochberg 1995)."""
        return false_discovery_control(self.p)


def cross_spectrum(
    truth: np.ndarray, predicted: np.ndarray, fold: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the terms of each column's correlation by frequency, fold by fold.

    Parameters
    ----------
    truth, predicted : ndarray of shape (n_rows, n_columns)
    fold : ndarray of shape (n_rows,)

    Returns
    -------
    cross : ndarray of complex, shape (n_terms, n_columns)
        Their real parts add up to the correlation, means of the folds removed. Multiplied by
        exp(i phase) they are those of a prediction whose phases are turned. 0 where a column of
        either does not vary.
    real : ndarray of bool, shape (n_terms,)
        Highest frequencies of folds of even length: they have no phase but a sign.
    """
    parts, real = [], []
    squares = np.zeros((2, truth.shape[1]))
    for number in np.unique(fold):
        here = fold == number
        a, b = (np.asarray(x[here], dtype=np.float64) for x in (predicted, truth))
        a, b = a - a.mean(axis=0), b - b.mean(axis=0)
        squares += [(a**2).sum(axis=0), (b**2).sum(axis=0)]
        n = len(a)
        weight = np.full(n // 2, 2.0)
        if n % 2 == 0:
            weight[-1] = 1.0
        # Without the mean, which has been removed.
        product = np.conj(fft.rfft(a, axis=0)[1:]) * fft.rfft(b, axis=0)[1:]
        parts.append(product * weight[:, None] / n)
        real.append((np.arange(1, len(weight) + 1) * 2) == n)
    norm = np.sqrt(squares.prod(axis=0))
    still = norm <= 1e-12
    cross = np.concatenate(parts) / np.where(still, 1, norm)
    cross[:, still] = 0
    return cross, np.concatenate(real)


def phase_test(
    truth: np.ndarray,
    predicted: np.ndarray,
    fold: np.ndarray,
    *,
    seed: int,
    n: int = 1000,
    spread: float = 1.0,
    at_once: int = 2000,
) -> NullTest:
    """Test correlations against predictions of the same spectrum with random phases.

    A surrogate has the prediction's spectrum in each fold, and so its autocorrelation, but nothing
    to do with what was measured (Prichard & Theiler, Phys Rev Lett 73:951, 1994). All columns of a
    surrogate share their phases, so that what is correlated between columns stays so. Correlations
    of all surrogates are one matrix product: sum of cos(phase) Re(G) - sin(phase) Im(G), with G the
    cross spectrum.

    Parameters
    ----------
    truth, predicted : ndarray of shape (n_rows, n_columns)
        Made comparable over folds (`stim2bold.metrics.comparable`).
    fold : ndarray of shape (n_rows,)
        Which fold predicted each row; phases are drawn for each by itself.
    seed : int
    n : int
        Surrogates.
    spread : float
        How much wider chance is than that of surrogates, because folds are fitted on each other
        (`stim2bold.chance.chance_spread`); 1 where nothing was fitted.
    at_once : int
        Columns held in memory together.

    Returns
    -------
    NullTest
        A column that does not vary has r = 0 and p = 1.
    """
    n_columns = truth.shape[1]
    rng = np.random.default_rng(seed)
    turn = None
    r = np.zeros(n_columns)
    count = np.zeros(n_columns)
    highest = np.full(n, -np.inf)
    total = np.zeros(n)
    for start in range(0, n_columns, at_once):
        here = slice(start, start + at_once)
        cross, real = cross_spectrum(truth[:, here], predicted[:, here], fold)
        if turn is None:
            phase = rng.uniform(0, 2 * np.pi, (n, len(real)))
            phase[:, real] = np.where(phase[:, real] < np.pi, 0.0, np.pi)
            turn = np.concatenate([np.cos(phase), -np.sin(phase)], axis=1).astype(np.float32)
        r[here] = cross.real.sum(axis=0)
        null = turn @ np.concatenate([cross.real, cross.imag]).astype(np.float32) * spread
        # Rounding must not decide between a surrogate that equals the prediction and it.
        count[here] = (null >= r[here] - 1e-6).sum(axis=0)
        highest = np.maximum(highest, null.max(axis=1))
        total += null.sum(axis=1, dtype=np.float64)
    mean = float(r.mean())
    reached = np.searchsorted(np.sort(highest), r - 1e-6)
    return NullTest(
        r=r,
        p=(1 + count) / (n + 1),
        p_max=(1 + n - reached) / (n + 1),
        mean=mean,
        p_mean=float((1 + (total / n_columns >= mean - 1e-9).sum()) / (n + 1)),
    )


@dataclass(frozen=True)
class Interval:
    """Percentile intervals by drawing whole blocks of time.

    Parameters
    ----------
    low, high : ndarray of shape (n_columns,)
        Of each column's correlation.
    mean_low, mean_high : float
        Of the mean correlation over columns.
    """

    low: np.ndarray
    high: np.ndarray
    mean_low: float
    mean_high: float


def bootstrap_r(
    truth: np.ndarray,
    predicted: np.ndarray,
    blocks: np.ndarray,
    *,
    seed: int,
    n: int = 1000,
    level: float = 0.95,
    at_once: int = 2000,
) -> Interval:
    """Return intervals of correlations, by drawing whole blocks of time with replacement.

    Parameters
    ----------
    truth, predicted : ndarray of shape (n_rows, n_columns)
        Made comparable over folds (`stim2bold.metrics.comparable`).
    blocks : ndarray, shape (n_rows,)
        Which block each row lies in (Künsch 1989); they must be longer than the autocorrelation.
    seed : int
    n : int
        Draws.
    level : float
        Of the intervals.
    at_once : int
        Columns held in memory together.
    """
    names, number = np.unique(blocks, return_inverse=True)
    drawn = np.random.default_rng(seed).integers(len(names), size=(n, len(names)))
    times = np.stack([np.bincount(row, minlength=len(names)) for row in drawn]).astype(np.float64)
    member = (number[:, None] == np.arange(len(names))).astype(np.float64)
    rows = times @ member.sum(axis=0)
    ends = [(1 - level) / 2, (1 + level) / 2]
    total, columns = np.zeros(n), []
    for start in range(0, truth.shape[1], at_once):
        a, b = (
            np.asarray(x[:, start : start + at_once], dtype=np.float64) for x in (truth, predicted)
        )
        # Sums over each block, then over the blocks drawn.
        sums = [times @ (member.T @ part) for part in (a, b, a * b, a * a, b * b)]
        mean_a, mean_b, ab, aa, bb = (part / rows[:, None] for part in sums)
        spread = (aa - mean_a**2) * (bb - mean_b**2)
        still = spread <= 1e-24
        r = np.where(still, 0, (ab - mean_a * mean_b) / np.sqrt(np.where(still, 1, spread)))
        total += r.sum(axis=1)
        columns.append(np.quantile(r, ends, axis=0))
    low, high = np.concatenate(columns, axis=1)
    mean_low, mean_high = np.quantile(total / truth.shape[1], ends)
    return Interval(low, high, float(mean_low), float(mean_high))
