"""The linear solution that a VAE starts from: many targets teach one prior on their weights.

Each target is a linear function of the same regressors, y = X w + e. The weights of all targets
are taken as draws from one Gaussian, w ~ N(0, Sigma), whose covariance is learned from all of
them by expectation maximisation (type-II maximum likelihood). Ridge is the case Sigma = I / alpha;
here the directions in which many targets respond are shrunk less than those in which none does.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

COLUMNS = 2048
"""Targets that are in double precision at a time."""


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
    return bounded(*lagged_products(residual, rows))


def lagged_products(residual: np.ndarray, rows: np.ndarray) -> tuple[float, float]:
    """Return the sum of products of rows that follow each other, and of the former's squares."""
    follows = np.flatnonzero(np.diff(rows) == 1)
    before, after = residual[follows], residual[follows + 1]
    return float((before * after).sum()), float((before**2).sum())


def bounded(products: float, squares: float) -> float:
    """Return their ratio within 0 and 0.95; 0 where nothing is left."""
    return float(np.clip(products / squares, 0.0, 0.95)) if squares > 0 else 0.0


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
    x: np.ndarray, cross: np.ndarray, squares: float, *, iterations: int, isotropic: float
) -> tuple[np.ndarray, float]:
    """Return posterior mean weights under a prior learned from all targets, and the noise.

    Parameters
    ----------
    x : ndarray of shape (n_rows, n_regressors)
    cross : ndarray of shape (n_regressors, n_targets)
        X'Y.
    squares : float
        Sum of the squares of Y.
    iterations, isotropic
        As of `fit_weights`.
    """
    gram, n_targets = x.T @ x, cross.shape[1]
    prior = learn_prior(
        gram,
        cross @ cross.T / n_targets,
        power=squares / n_targets,
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

    Returns
    -------
    Weights
        The targets enter by sums alone, which are gathered over a few columns at a time: in double
        precision all of them would be gigabytes.
    """
    x = x.astype(np.float64)
    shape = (len(y), participants, y.shape[1] // participants)
    options = {"iterations": iterations, "isotropic": isotropic}
    width = max(1, COLUMNS // participants)
    places = [slice(i, i + width) for i in range(0, shape[2], width)]

    def pieces() -> Iterator[tuple[slice, np.ndarray]]:
        """Give the targets of some places, all participants', (n_rows, participants, n)."""
        for part in places:
            yield part, y.reshape(shape)[:, :, part].astype(np.float64)

    cross, squares = np.empty((x.shape[1], *shape[1:])), 0.0
    for part, piece in pieces():
        cross[:, :, part] = np.tensordot(x.T, piece, axes=1)
        squares += float((piece**2).sum())
    first, _ = shrunken(x, cross.reshape(x.shape[1], -1), squares, **options)
    first = first.reshape(cross.shape)
    sums = np.zeros(2)
    for part, piece in pieces():
        sums += lagged_products(piece - np.tensordot(x, first[:, :, part], axes=1), rows)
    rho = bounded(*sums)
    x = prewhiten(x, rows, rho)
    squares, between = 0.0, 0.0
    for part, piece in pieces():
        white = prewhiten(piece, rows, rho)
        cross[:, :, part] = np.tensordot(x.T, white, axes=1)
        squares += float((white**2).sum())
        between += float((white.mean(axis=1) ** 2).sum())
    if participants == 1:
        weights, noise = shrunken(x, cross[:, 0], squares, **options)
        return Weights(weights, noise / (1 - rho**2), rho)
    mean = cross.mean(axis=1)
    own = np.sqrt(participants / (participants - 1))
    common, noise = shrunken(x, mean * np.sqrt(participants), between * participants, **options)
    apart = ((cross - mean[:, None]) * own).reshape(x.shape[1], -1)
    deviation, _ = shrunken(x, apart, (squares - between * participants) * own**2, **options)
    weights = np.tile(common / np.sqrt(participants), participants) + deviation / own
    return Weights(weights, noise / (1 - rho**2), rho)
