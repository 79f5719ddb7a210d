"""Ridge regression of a Gram matrix, with a prior on the weights that is even or learned."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse.linalg import eigsh

from stim2bold.vae.shrinkage import learn_prior

PENALTIES = np.logspace(-1, 6, 15)
"""Variance of noise over that of weights."""
PATTERNS = 10
"""Patterns of shared noise that are taken out before a prior is learned."""
ITERATIONS, ISOTROPIC = 10, 0.3
"""Of a learned prior. Few steps of expectation maximisation start from an even prior and stay close
to it, and it is drawn to an even one, as the number of independent targets in BOLD warrants."""


@dataclass(frozen=True)
class Part:
    """One regression of a structure.

    Parameters
    ----------
    gram : ndarray of shape (n_rows, n_rows)
        Of its targets, at the rows fitted first, then at those held out.
    n_targets : float
        Independent targets in it, for the learned prior.
    """

    gram: np.ndarray
    n_targets: float


def ridge_map(x: np.ndarray, penalty: float) -> np.ndarray:
    """Return the ridge solution as a map from targets to weights, (n_regressors, n_rows)."""
    return np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T)


def without_patterns(x: np.ndarray, gram: np.ndarray) -> tuple[np.ndarray, float]:
    """Take the strongest patterns of the residuals out of targets.

    Patterns are the principal components over targets of what a first ridge solution leaves. They
    are taken out of the targets themselves, the signal in them too: what is left serves to learn a
    prior, and nothing else.

    Parameters
    ----------
    x : ndarray of shape (n_rows, n_regressors)
    gram : ndarray of shape (n_rows, n_rows)

    Returns
    -------
    gram : ndarray of shape (n_rows, n_rows)
        Without the `PATTERNS` strongest, or those of a quarter as many rows.
    independent : float
        How many independent targets would have residuals whose variance is spread as evenly over
        their principal components as that of what is left is (the participation ratio, corrected
        for the number of rows).
    """
    n_rows, n_patterns = len(x), min(PATTERNS, len(x) // 4)
    first = ridge_map(x, float(np.trace(x.T @ x)) / x.shape[1])
    # (I - X F) Y Y' (I - X F)', without a product of two matrices of rows by rows.
    across = x @ (first @ gram)
    left = gram - across - across.T + x @ (across @ first.T).T
    # A few eigenvalues cost the square of the number of rows; all of them cost its cube.
    values, vectors = eigsh(left, k=n_patterns, v0=np.ones(n_rows))
    strength = np.sqrt(np.maximum(values, values.max() * 1e-9))
    # Targets times patterns, which are the residuals' right singular vectors.
    scores = (gram @ (vectors - first.T @ (x.T @ vectors))) / strength
    total = max(float(np.trace(left)) - values.sum(), 0.0)
    squares = max(float((left**2).sum()) - (values**2).sum(), np.finfo(float).tiny)
    spread = total**2 / squares
    # N independent series of T rows have a participation ratio of N T / (N + T).
    independent = spread / max(1 - spread / (n_rows - n_patterns), 1e-3)
    return gram - scores @ scores.T, float(independent)


def prior_root(x: np.ndarray, part: Part, prior: str) -> np.ndarray:
    """Return R with prior covariance R R' of the weights, (n_regressors, n_regressors).

    Its scale is that of an even prior of variance one: on average over the regressors' directions,
    by how much they vary.
    """
    if prior == "even":
        return np.eye(x.shape[1])
    n_rows = len(x)
    gram, n_targets, inner = part.gram[:n_rows, :n_rows], part.n_targets, x.T @ x
    if prior == "learned-apart":
        gram, _ = without_patterns(x, gram)
        n_targets = max(1.0, n_targets - PATTERNS)
    found = learn_prior(
        inner,
        x.T @ gram @ x / n_targets,
        power=float(np.trace(gram)) / n_targets,
        n_rows=n_rows,
        iterations=ITERATIONS,
    ).covariance
    scale = np.trace(found @ inner) / np.trace(inner)
    mixed = (1 - ISOTROPIC) * found / scale + ISOTROPIC * np.eye(len(inner))
    values, vectors = np.linalg.eigh(mixed)
    return vectors * np.sqrt(np.maximum(values, 0))


def part_solution(x: np.ndarray, part: Part, prior: str, penalty: float) -> np.ndarray:
    """Return the solution of one part as a map from targets to weights, (n_regressors, n_rows)."""
    root = prior_root(x, part, prior)
    return root @ ridge_map(x @ root, penalty)


def held_out_errors(x: np.ndarray, x_test: np.ndarray, part: Part, prior: str) -> np.ndarray:
    """Return the squared error on a part's held-out rows, over all targets, by penalty.

    Parameters
    ----------
    x : ndarray of shape (n_fitted, n_regressors)
    x_test : ndarray of shape (n_held_out, n_regressors)
    part : Part
    prior : str

    Returns
    -------
    ndarray of shape (len(PENALTIES),)
        By one eigendecomposition for all penalties.
    """
    n = len(x)
    fitted, across, held = part.gram[:n, :n], part.gram[n:, :n], part.gram[n:, n:]
    root = prior_root(x, part, prior)
    w = x @ root
    values, vectors = np.linalg.eigh(w.T @ w)
    to_axes = vectors.T @ w.T
    test = x_test @ root @ vectors
    linear = (test * (across @ to_axes.T)).sum(axis=0)
    square = (to_axes @ fitted @ to_axes.T) * (test.T @ test)
    shrink = 1 / (np.maximum(values, 0) + PENALTIES[:, np.newaxis])
    return np.trace(held) - 2 * shrink @ linear + ((shrink @ square) * shrink).sum(axis=1)
