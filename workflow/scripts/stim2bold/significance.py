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


def phase_test(
    truth: np.ndarray, predicted: np.ndarray, *, seed: int, n: int = 1000, at_once: int = 2000
) -> NullTest:
    """Test correlations against predictions of the same spectrum with random phases.

    A surrogate has the prediction's spectrum, and so its autocorrelation, but nothing to do with
    what was measured (Prichard & Theiler, Phys Rev Lett 73:951, 1994). All columns of a surrogate
    share their phases, so that what is correlated between columns stays so. Correlations of all
    surrogates are one matrix product: sum over f of cos(phase) Re(G) + sin(phase) Im(G), with G the
    cross spectrum.

    Parameters
    ----------
    truth, predicted : ndarray of shape (n_rows, n_columns)
        Made comparable over folds (`stim2bold.metrics.comparable`).
    seed : int
    n : int
        Surrogates.
    at_once : int
        Columns held in memory together.

    Returns
    -------
    NullTest
        A column that does not vary has r = 0 and p = 1.
    """
    n_rows, n_columns = truth.shape
    weight = np.full(n_rows // 2 + 1, 2.0)
    weight[0] = 0.0
    if n_rows % 2 == 0:
        weight[-1] = 1.0
    rng = np.random.default_rng(seed)
    phase = rng.uniform(0, 2 * np.pi, (n, len(weight)))
    if n_rows % 2 == 0:
        # The highest frequency of an even length has no phase but a sign.
        phase[:, -1] = np.where(phase[:, -1] < np.pi, 0.0, np.pi)
    turn = np.concatenate([np.cos(phase), np.sin(phase)], axis=1).astype(np.float32)
    r = np.zeros(n_columns)
    count = np.zeros(n_columns)
    highest = np.full(n, -np.inf)
    total = np.zeros(n)
    for start in range(0, n_columns, at_once):
        here = slice(start, start + at_once)
        a, b = (np.asarray(x[:, here], dtype=np.float64) for x in (predicted, truth))
        a, b = a - a.mean(axis=0), b - b.mean(axis=0)
        norm = np.linalg.norm(a, axis=0) * np.linalg.norm(b, axis=0)
        still = norm <= 1e-12
        cross = np.conj(fft.rfft(a, axis=0)) * fft.rfft(b, axis=0) * weight[:, None]
        cross /= n_rows * np.where(still, 1, norm)
        r[here] = np.where(still, 0, cross.real.sum(axis=0))
        null = turn @ np.concatenate([cross.real, cross.imag]).astype(np.float32)
        null[:, still] = 0
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
