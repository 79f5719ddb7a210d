"""The linear solution that a VAE starts from: many targets teach one prior on their weights.

Each target is a linear function of the same regressors, y = X w + e. The weights of all targets
are taken as draws from one Gaussian, w ~ N(0, Sigma), whose covariance is learned from all of
them by expectation maximisation (type-II maximum likelihood). Ridge is the case Sigma = I / alpha;
here the directions in which many targets respond are shrunk less than those in which none does.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class WeightPrior:
    """A learned prior on regression weights.

    Parameters
    ----------
    covariance : ndarray of shape (n_regressors, n_regressors)
    noise : float
        Residual variance of a target.
    """

    covariance: np.ndarray
    noise: float

    def shrinker(self, gram: np.ndarray) -> np.ndarray:
        """Return the matrix S with posterior mean weights = S X'y, (n_regressors, n_regressors).

        Parameters
        ----------
        gram : ndarray of shape (n_regressors, n_regressors)
            X'X of the rows fitted.
        """
        identity = np.eye(len(gram))
        # (G/s + Sigma^-1)^-1 / s, written so that a singular Sigma does no harm.
        return np.linalg.solve(self.noise * identity + self.covariance @ gram, self.covariance)


def learn_prior(
    gram: np.ndarray,
    moments: np.ndarray,
    *,
    power: float,
    n_rows: int,
    iterations: int = 100,
) -> WeightPrior:
    """Learn the weights' covariance and the noise by expectation maximisation.

    Parameters
    ----------
    gram : ndarray of shape (n_regressors, n_regressors)
        X'X.
    moments : ndarray of shape (n_regressors, n_regressors)
        Mean over targets of (X'y)(X'y)'.
    power : float
        Mean over targets of y'y.
    n_rows : int
        Number of rows fitted.
    iterations : int
        EM steps; the likelihood never falls, so more are never worse for the training rows.
    """
    noise = power / n_rows
    # Start where the regressors as a whole would explain a tenth of the variance.
    covariance = np.eye(len(gram)) * 0.1 * power / np.trace(gram)
    for _ in range(iterations):
        shrinker = WeightPrior(covariance, noise).shrinker(gram)
        second = noise * shrinker + shrinker @ moments @ shrinker.T
        covariance = (second + second.T) / 2
        explained = 2 * np.trace(shrinker @ moments) - np.trace(gram @ covariance)
        noise = max((power - explained) / n_rows, 1e-6 * power / n_rows)
    return WeightPrior(covariance, noise)


def autocorrelation(residual: np.ndarray, rows: np.ndarray) -> float:
    """Return the correlation of a residual with itself one row later, pooled over columns.

    Parameters
    ----------
    residual : ndarray of shape (n_rows, n_targets)
    rows : ndarray of shape (n_rows,)
        Row numbers; only rows that follow each other count.
    """
    follows = np.flatnonzero(np.diff(rows) == 1)
    before, after = residual[follows], residual[follows + 1]
    return float(np.clip((before * after).sum() / (before**2).sum(), 0.0, 0.95))


def prewhiten(series: np.ndarray, rows: np.ndarray, rho: float) -> np.ndarray:
    """Take out AR(1) dependence (Cochrane & Orcutt 1949, first rows kept after Prais & Winsten).

    Parameters
    ----------
    series : ndarray of shape (n_rows, n_columns)
    rows : ndarray of shape (n_rows,)
        Row numbers; a row that does not follow the one before it starts anew.
    rho : float

    Returns
    -------
    ndarray of shape (n_rows, n_columns)
        With variance 1 - rho^2 of the original's, where that was AR(1).
    """
    follows = np.flatnonzero(np.diff(rows) == 1) + 1
    out = series * np.sqrt(1 - rho**2)
    out[follows] = series[follows] - rho * series[follows - 1]
    return out


@dataclass(frozen=True)
class Weights:
    """Linear weights of many targets.

    Parameters
    ----------
    weights : ndarray of shape (n_regressors, n_targets)
    noise : float
        Residual variance of a target.
    rho : float
        Autocorrelation of the residuals.
    """

    weights: np.ndarray
    noise: float
    rho: float


def shrunken(
    x: np.ndarray, y: np.ndarray, *, iterations: int, isotropic: float
) -> tuple[np.ndarray, float]:
    """Return posterior mean weights under a prior learned from all targets, and the noise."""
    gram, cross = x.T @ x, x.T @ y
    prior = learn_prior(
        gram,
        cross @ cross.T / y.shape[1],
        power=float((y**2).sum()) / y.shape[1],
        n_rows=len(x),
        iterations=iterations,
    )
    even = np.trace(prior.covariance @ gram) / np.trace(gram) * np.eye(len(gram))
    covariance = (1 - isotropic) * prior.covariance + isotropic * even
    return WeightPrior(covariance, prior.noise).shrinker(gram) @ cross, prior.noise


def fit_weights(
    x: np.ndarray,
    y: np.ndarray,
    *,
    rows: np.ndarray,
    participants: int = 1,
    iterations: int = 10,
    isotropic: float = 0.3,
) -> Weights:
    """Fit all targets, with autocorrelated noise, under a prior learned from them.

    With several participants, whose targets lie at the same places, a weight is the sum of what is
    common to all and what is each one's own. The mean over participants and the deviations from it
    are independent of each other and of known noise, so each is shrunk under a prior of its own:
    where participants agree the deviations are shrunk away, where they differ the mean is.

    Parameters
    ----------
    x : ndarray of shape (n_rows, n_regressors)
    y : ndarray of shape (n_rows, participants * n_places)
        Standardised.
    rows : ndarray of shape (n_rows,)
        Row numbers.
    participants : int
    iterations : int
        Steps of expectation maximisation. Few: they start from an even prior and an early stop
        keeps the prior close to it, which the number of independent targets in BOLD warrants.
    isotropic : float
        From 0 to 1: how far the learned prior is drawn to an even one.
    """
    x, y = x.astype(np.float64), y.astype(np.float64)
    options = {"iterations": iterations, "isotropic": isotropic}
    first, _ = shrunken(x, y, **options)
    rho = autocorrelation(y - x @ first, rows)
    x, y = prewhiten(x, rows, rho), prewhiten(y, rows, rho)
    if participants == 1:
        weights, noise = shrunken(x, y, **options)
        return Weights(weights, noise / (1 - rho**2), rho)
    parts = y.reshape(len(y), participants, -1)
    mean = parts.mean(axis=1)
    own = np.sqrt(participants / (participants - 1))
    common, noise = shrunken(x, mean * np.sqrt(participants), **options)
    deviation, _ = shrunken(x, ((parts - mean[:, None]) * own).reshape(y.shape), **options)
    weights = np.tile(common / np.sqrt(participants), participants) + deviation / own
    return Weights(weights, noise / (1 - rho**2), rho)
