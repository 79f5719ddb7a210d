"""How wide chance is for predictions that are fitted fold by fold.

A fold's prediction is independent of the fold's own noise, yet the folds' scores are not
independent of each other: what fold 1 learned from the noise of fold 2, and is tested on, is for a
linear model the very product that fold 2 learned from fold 1. Each pair of folds counts twice, and
the score over all folds spreads up to sqrt(2) times as wide as a null that leaves the predictions
as they are would have it (docs/methods.md).
"""

from dataclasses import replace

import numpy as np
from scipy import fft

from stim2bold.evaluation.metrics import comparable
from stim2bold.evaluation.significance import cross_spectrum
from stim2bold.models.directions import Problem
from stim2bold.models.folds import Fold
from stim2bold.models.predictions import usable
from stim2bold.models.ridge import RidgeSettings, predict_ridge


def random_phases(values: np.ndarray, fold: np.ndarray, *, seed: int) -> np.ndarray:
    """Return series that have the same spectra in each fold, with random phases.

    Folds have nothing to do with each other in them. Phases of the whole series would leave what
    is periodic in step: after blocks of 30 s a source that follows them predicts a label that
    does, whatever its phase, and that is no chance.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_frames, n_columns)
        The frames of a column get the same phases, every column its own.
    fold : ndarray of shape (n_rows,), int
        Number of the fold of each row.
    seed : int

    Returns
    -------
    ndarray of shape (n_rows, n_frames, n_columns)
        Each fold has the mean 0.
    """
    rng = np.random.default_rng(seed)
    turned = np.empty(values.shape)
    for number in np.unique(fold):
        here = fold == number
        part = values[here]
        spectrum = fft.rfft(part - part.mean(axis=0), axis=0)
        phase = rng.uniform(0, 2 * np.pi, (spectrum.shape[0], 1, values.shape[2]))
        turned[here] = fft.irfft(spectrum * np.exp(1j * phase), n=len(part), axis=0)
    return turned


def chance_spread(
    problem: Problem, folds: list[Fold], settings: RidgeSettings, *, n: int = 480
) -> float:
    """Return how much wider correlations spread by chance than random phases alone would tell.

    Ridge is fitted anew to targets of random phase in each fold (`random_phases`), with which the
    source has nothing to do.

    Parameters
    ----------
    problem : Problem
    folds : list of Fold
    settings : RidgeSettings
        Its seed draws columns and phases.
    n : int
        Columns (voxels, or mel bands) to be drawn.

    Returns
    -------
    float
        At least 1: root mean square of the correlations over that of their surrogates.
    """
    rng = np.random.default_rng(settings.seed)
    n_columns = problem.target_array.shape[-1]
    target = problem.target.reshape(len(problem.target), -1, n_columns)
    frames = target.shape[1]
    drawn = rng.choice(n_columns, n, replace=n_columns < n)
    # Rows that no fold tests are one more part.
    own = np.full(len(target), -1)
    for fold in folds:
        own[usable(problem, fold)[1] - problem.rows[0]] = fold.number
    noise = random_phases(target[:, :, drawn].astype(np.float64), own, seed=settings.seed)
    # A column that does not vary has no chance.
    noise = noise[:, :, np.ptp(target[:, :, drawn], axis=(0, 1)) > 0]
    other = replace(problem, target=noise.reshape(len(noise), -1).astype(np.float32))
    fitted = predict_ridge(other, folds, settings)
    truth, guess = (
        values.reshape(-1, noise.shape[2])
        for values in (other.target[fitted.rows - problem.rows[0]], fitted.values)
    )
    fitted_in = np.repeat(fitted.fold, frames)
    cross, terms = cross_spectrum(*comparable(truth, guess, fitted_in), fitted_in)
    share = np.where(terms.real, 1.0, 0.5)[:, None]
    expected = (share * np.abs(cross) ** 2).sum(axis=0)
    return max(1.0, float(np.sqrt((cross.real.sum(axis=0) ** 2).mean() / expected.mean())))
