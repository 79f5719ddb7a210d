"""Many targets teach one prior on their weights.

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
