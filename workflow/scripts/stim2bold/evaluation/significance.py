"""Significance of scores on autocorrelated data: nulls, intervals, false discoveries."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy import fft, special


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


def participants_p(values: np.ndarray) -> float:
    """Test whether participants' scores are centred above 0, participants as a random sample.

    By Student's t, one-sided. It says whether others who see the *same* film would show the same,
    not whether another film would: what a film has in common with a prediction by chance repeats
    in all who saw it. NaN for fewer than two participants.

    Parameters
    ----------
    values : ndarray of shape (n_participants,)
    """
    if len(values) < 2 or np.ptp(values) == 0:
        return float("nan")
    # Imported here and below: scipy.stats takes as long as all else that most steps import.
    from scipy.stats import ttest_1samp

    return float(ttest_1samp(values, 0, alternative="greater").pvalue)


@dataclass(frozen=True)
class NullTest:
    """Correlations and how often chance reaches them.

    Parameters
    ----------
    r, p, p_max : ndarray of shape (n_columns,)
        Correlation; its one-sided p by the column's own null; and by the largest of all columns,
        which corrects for their number (Westfall & Young 1993). NaN where a column does not vary.
    mean, p_mean : float
        Mean correlation over the columns that have one, and its p.
    null : ndarray of shape (n_surrogates,)
        The same mean of each surrogate.
    """

    r: np.ndarray
    p: np.ndarray
    p_max: np.ndarray
    mean: float
    p_mean: float
    null: np.ndarray

    @property
    def q(self) -> np.ndarray:
        """False-discovery rate at each column (Benjamini & Hochberg 1995); NaN where no score."""
        return false_discovery_rate(self.p)


def false_discovery_rate(p: np.ndarray) -> np.ndarray:
    """Return the false-discovery rate at each p; what has no p is no test, and has no rate."""
    from scipy.stats import false_discovery_control

    q = np.full(np.shape(p), np.nan)
    tested = np.isfinite(p)
    q[tested] = false_discovery_control(np.asarray(p)[tested])
    return q


def reached(observed: float, null: np.ndarray) -> float:
    """Return the one-sided p of a score by its null: how often chance reaches it.

    The observed counts as one more draw, and what differs by rounding as equal. NaN where there
    is no score.
    """
    if not np.isfinite(observed) or not len(null) or not np.isfinite(null).all():
        return float("nan")
    return float((1 + (null >= observed - 1e-9).sum()) / (len(null) + 1))


@dataclass(frozen=True)
class Terms:
    """What the terms of a cross spectrum are.

    Parameters
    ----------
    fold, frequency : ndarray of shape (n_terms,), int
        Fold, and number of the frequency within it, from 1.
    real : ndarray of shape (n_terms,), bool
        Highest frequencies of folds of even length: they have no phase but a sign.
    """

    fold: np.ndarray
    frequency: np.ndarray
    real: np.ndarray

    def phases(self, *, seed: int, n: int) -> np.ndarray:
        """Draw phases of n surrogates, shape (n, n_terms).

        A phase depends on the seed, the fold and the frequency alone: participants who saw the
        same film get the same surrogates of it, whatever else is in the study.
        """
        drawn = np.empty((len(self.fold), n))
        for number in np.unique(self.fold):
            here = self.fold == number
            rng = np.random.default_rng([seed, int(number)])
            drawn[here] = rng.uniform(0, 2 * np.pi, (here.sum(), n))
        drawn[self.real] = np.where(drawn[self.real] < np.pi, 0.0, np.pi)
        return drawn.T


def cross_spectrum(
    truth: np.ndarray, predicted: np.ndarray, fold: np.ndarray
) -> tuple[np.ndarray, Terms]:
    """Return the terms of each column's correlation by frequency, fold by fold.

    Parameters
    ----------
    truth, predicted : ndarray of shape (n_rows, n_columns)
    fold : ndarray of shape (n_rows,)

    Returns
    -------
    cross : ndarray of shape (n_terms, n_columns), complex
        Their real parts add up to the correlation, means of the folds removed. Multiplied by
        exp(i phase) they are those of a prediction whose phases are turned. 0 where a column of
        either does not vary.
    terms : Terms
    """
    parts, numbers, frequencies, real = [], [], [], []
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
        order = np.arange(1, len(weight) + 1)
        numbers.append(np.full(len(order), int(number)))
        frequencies.append(order)
        real.append(order * 2 == n)
    length = np.sqrt(squares.prod(axis=0))
    still = length <= 1e-12
    cross = np.concatenate(parts) / np.where(still, 1, length)
    cross[:, still] = 0
    return cross, Terms(*(np.concatenate(x) for x in (numbers, frequencies, real)))


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
    surrogate share their phases, so that what is correlated between columns stays so.

    Parameters
    ----------
    truth, predicted : ndarray of shape (n_rows, n_columns)
        Made comparable over folds (`stim2bold.evaluation.metrics.comparable`).
    fold : ndarray of shape (n_rows,)
        Which fold predicted each row; phases are drawn for each by itself.
    seed, n, spread
        As for `surrogate_test`.
    at_once : int
        Columns held in memory together.
    """
    parts = [slice(start, start + at_once) for start in range(0, truth.shape[1], at_once)]
    spectra = (cross_spectrum(truth[:, part], predicted[:, part], fold) for part in parts)
    return surrogate_test(spectra, seed=seed, n=n, spread=spread)


def surrogate_test(
    spectra: Iterable[tuple[np.ndarray, Terms]], *, seed: int, n: int, spread: float
) -> NullTest:
    """Test correlations, given by their cross spectra, against surrogates of random phase.

    Correlations of all surrogates are one matrix product: the sum over terms of
    cos(phase) Re(G) - sin(phase) Im(G), with G the cross spectrum. A column's own p needs no
    draws: the sum of many terms with independent phases is normal, its variance known from the
    terms, and since each term is bounded its tail is, if anything, lighter. So p has no floor, and
    a small region can be told among many voxels. A mean of cross spectra over participants is
    tested likewise: all of them get the same phases.

    Parameters
    ----------
    spectra : iterable of (cross, Terms)
        Columns in parts, each as `cross_spectrum` returns them, the terms alike in all.
    seed : int
    n : int
        Surrogates.
    spread : float
        How much wider chance is than that of surrogates, because folds are fitted on each other
        (`stim2bold.evaluation.null_inflation.chance_spread`); 1 where nothing was fitted.
    """
    turn, highest, total = None, np.full(n, -np.inf), np.zeros(n)
    r, p = [], []
    for cross, terms in spectra:
        if turn is None:
            phase = terms.phases(seed=seed, n=n)
            turn = np.concatenate([np.cos(phase), -np.sin(phase)], axis=1).astype(np.float32)
        varies = cross.any(axis=0)
        # The mean square of a cosine is a half; what has but a sign is always of its full size.
        share = np.where(terms.real, 1.0, 0.5)[:, None]
        width = spread * np.sqrt((share * np.abs(cross) ** 2).sum(axis=0))
        r.append(np.where(varies, cross.real.sum(axis=0), np.nan))
        p.append(np.where(varies, special.ndtr(-r[-1] / np.where(varies, width, 1)), np.nan))
        if varies.any():
            kept = cross[:, varies]
            null = turn @ np.concatenate([kept.real, kept.imag]).astype(np.float32) * spread
            highest = np.maximum(highest, null.max(axis=1))
            total += null.sum(axis=1, dtype=np.float64)
    r, p = np.concatenate(r), np.concatenate(p)
    scored = np.isfinite(r)
    if not scored.any():
        nothing = np.full(n, np.nan)
        return NullTest(r, p, p.copy(), float("nan"), float("nan"), nothing)
    null, mean = total / scored.sum(), float(r[scored].mean())
    # Rounding must not decide between a surrogate that equals the prediction and it.
    below = np.searchsorted(np.sort(highest), r - 1e-6)
    p_max = np.where(scored, (1 + n - below) / (n + 1), np.nan)
    return NullTest(r, p, p_max, mean, reached(mean, null), null)


@dataclass(frozen=True)
class Interval:
    """Percentile intervals by drawing whole blocks of time.

    Parameters
    ----------
    low, high : ndarray of shape (n_columns,) or None
        Of each column's correlation; NaN where a column does not vary. None where only the mean's
        was asked for.
    mean_low, mean_high : float
        Of the mean correlation over columns.
    """

    low: np.ndarray | None
    high: np.ndarray | None
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
    each: bool = True,
    at_once: int = 2000,
) -> Interval:
    """Return intervals of correlations, by drawing whole blocks of time with replacement.

    Parameters
    ----------
    truth, predicted : ndarray of shape (n_rows, n_columns)
        Made comparable over folds (`stim2bold.evaluation.metrics.comparable`).
    blocks : ndarray of shape (n_rows,)
        Which block each row lies in (Künsch 1989); they must be longer than the autocorrelation.
    seed : int
    n : int
        Draws.
    level : float
        Of the intervals.
    each : bool
        Whether columns get intervals of their own, which takes a third of the time.
    at_once : int
        Columns held in memory together.
    """
    names, number = np.unique(blocks, return_inverse=True)
    drawn = np.random.default_rng(seed).integers(len(names), size=(n, len(names)))
    times = np.stack([np.bincount(row, minlength=len(names)) for row in drawn]).astype(np.float64)
    member = (number[:, None] == np.arange(len(names))).astype(np.float64)
    rows = times @ member.sum(axis=0)
    ends = [(1 - level) / 2, (1 + level) / 2]
    total, n_scored, columns = np.zeros(n), 0, []
    for start in range(0, truth.shape[1], at_once):
        a, b = (
            np.asarray(x[:, start : start + at_once], dtype=np.float64) for x in (truth, predicted)
        )
        # Sums over each block, then over the blocks drawn.
        sums = [times @ (member.T @ part) for part in (a, b, a * b, a * a, b * b)]
        mean_a, mean_b, ab, aa, bb = (part / rows[:, None] for part in sums)
        spread = (aa - mean_a**2) * (bb - mean_b**2)
        # A draw may hold nothing but stretches in which a column does not vary.
        still = spread <= 1e-24
        r = np.where(still, 0, (ab - mean_a * mean_b) / np.sqrt(np.where(still, 1, spread)))
        varies = (np.ptp(a, axis=0) > 0) & (np.ptp(b, axis=0) > 0)
        total += r[:, varies].sum(axis=1)
        n_scored += varies.sum()
        if each:
            columns.append(np.where(varies, np.quantile(r, ends, axis=0), np.nan))
    low, high = np.concatenate(columns, axis=1) if each else (None, None)
    if n_scored == 0:
        return Interval(low, high, float("nan"), float("nan"))
    mean_low, mean_high = np.quantile(total / n_scored, ends)
    return Interval(low, high, float(mean_low), float(mean_high))
