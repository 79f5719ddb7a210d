"""Significance of scores on autocorrelated data."""

import numpy as np


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
