"""The most that can be known on the ruler: by an observer who knows all but the weights.

The observer knows the true courses and their response, the noise's autocorrelation, and how weights
are distributed and shared by people at a place. The posterior mean of the weights, given the
training rows, then follows exactly: generalised least squares with Gaussian priors. No model can be
expected to do better, and what a model has of it says more than its ratio to ridge.
"""

import time

import brains
import models
import numpy as np
import planted
from claims import row

from stim2bold.evaluation import metrics
from stim2bold.models import folds, predictions


def whitened(series: np.ndarray, root: np.ndarray) -> np.ndarray:
    """Return series whose noise is white, less their constant part.

    Parameters
    ----------
    series : ndarray of shape (n_rows, n_columns)
    root : ndarray of shape (n_rows, n_rows)
        Cholesky factor of the noise's covariance over rows.
    """
    rows = np.linalg.solve(root, series)
    constant = np.linalg.solve(root, np.ones((len(root), 1)))
    constant /= np.linalg.norm(constant)
    return rows - constant @ (constant.T @ rows)


def posterior_mean(x: np.ndarray, y: np.ndarray, penalty: float) -> np.ndarray:
    """Return weights of white courses; the penalty is noise variance over weight variance."""
    return np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ y)


def optimum(
    difficulty: planted.Difficulty, rng: np.random.Generator, *, participants: int
) -> tuple[float, float]:
    """Return mean r in planted voxels, from a participant's own rows and from everybody's."""
    content = planted.fold_file(difficulty)
    courses, features = planted.film(difficulty, rng)
    tables, _, mask = planted.bold(courses, difficulty, rng, participants=participants)
    problem = models.to_bold(features, tables[0], content)
    n_courses, n_rows = difficulty.planted_dimensions, difficulty.n_rows
    source = planted.delayed(courses[:, :n_courses], tr=difficulty.TR)
    target = np.stack([table.values[:, mask] for table in tables]).astype(np.float64)
    apart = np.abs(np.subtract.outer(np.arange(n_rows), np.arange(n_rows)))
    covariance = difficulty.autocorrelation**apart
    # Noise over signal, of a course; what people have in common, and what each has alone.
    penalty = (1 - difficulty.ceiling**2) / difficulty.ceiling**2 * n_courses
    own = 1 - difficulty.between
    common = difficulty.between + own / participants
    truth, alone, together, fold = [], [], [], []
    for part in folds.read_folds(content):
        train, test = predictions.usable(problem, part)
        root = np.linalg.cholesky(covariance[np.ix_(train, train)])
        x = whitened(source[train], root)
        each = [whitened(series[train], root) for series in target]
        mean = np.mean(each, axis=0)
        shared = posterior_mean(x, mean, penalty / participants / common)
        truth.append(target[:, test])
        alone.append([source[test] @ posterior_mean(x, y, penalty) for y in each])
        together.append(
            [source[test] @ (shared + posterior_mean(x, y - mean, penalty / own)) for y in each]
        )
        fold.append(np.full(len(test), part.number))
    measured, numbers = np.concatenate(truth, axis=1), np.concatenate(fold)
    scores = [
        [
            metrics.mean_r(metrics.voxel_r(series, guess, numbers))
            for series, guess in zip(measured, np.concatenate(found, axis=1), strict=True)
        ]
        for found in (alone, together)
    ]
    return float(np.mean(scores[0])), float(np.mean(scores[1]))


def shared_optimum(*, participants: int = 8) -> list[dict]:
    """Measure the most that one person's rows, and eight people's, can tell on the ruler."""
    begun = time.monotonic()
    found = [
        optimum(planted.Difficulty(), np.random.default_rng(seed), participants=participants)
        for seed in brains.SEEDS
    ]
    alone, group = zip(*found, strict=True)
    options = {"better": "higher", "seconds": time.monotonic() - begun}
    who = "r, known all but the weights, noise independent, from"
    return [
        row("shared_optimum_alone_r", alone, unit=f"{who} a participant's own rows", **options),
        row(
            "shared_optimum_group_r",
            group,
            unit=f"{who} {participants} participants' rows",
            **options,
        ),
    ]


CLAIMS = {"shared_optimum": shared_optimum}
