"""What a fold's models start from: its data, standardised, and the linear solution as weights."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from stim2bold.models.design_matrix import Design, fold_design, principal_axes
from stim2bold.models.directions import Problem, is_bold
from stim2bold.models.folds import Fold, Split
from stim2bold.models.predictions import target_scale, usable
from stim2bold.runtime.errors import InputError
from stim2bold.vae.grams import grams_of
from stim2bold.vae.linear_solution import (
    Trial,
    choose,
    target_weights,
    try_all,
    weights_of,
)
from stim2bold.vae.settings import VAESettings


@dataclass(frozen=True)
class Task:
    """One fold, ready for the models.

    Targets are standardised when they are asked for: those of all folds at once would be as many
    copies of the recording.

    Parameters
    ----------
    fold : Fold
    train, test : ndarray of int
        Row numbers.
    design : Design
    components : ndarray of shape (n_source_rows, n_components)
        Of the source, before any delay, with a mean square of 1 over the training rows.
    spread : float
        What they were divided by.
    regressors : ndarray of shape (n_source_rows, n_regressors)
    mean, scale : ndarray of shape (n_targets,)
        Of the targets in the training rows.
    """

    fold: Fold
    train: np.ndarray
    test: np.ndarray
    design: Design
    components: np.ndarray
    spread: float
    regressors: np.ndarray
    mean: np.ndarray
    scale: np.ndarray

    def standard(self, problem: Problem, rows: np.ndarray) -> np.ndarray:
        """Return targets at some row numbers, standardised, shape (n_rows, n_targets)."""
        out = problem.target[rows - problem.rows[0]]
        out -= self.mean
        out /= self.scale
        return out


def fit_source(problem: Problem, rows: np.ndarray, settings: VAESettings) -> dict[str, Any]:
    """Fit what a task has of the source to some row numbers; the fields of a `Task`."""
    design = fold_design(problem, rows, components=settings.components, bins=settings.bins)
    components = design.project(problem.source)
    spread = float(np.sqrt((components[rows - problem.first_row] ** 2).mean()))
    return {
        "design": design,
        "components": components / spread,
        "spread": spread,
        "regressors": design.delay(components),
    }


def prepare(problem: Problem, fold: Fold, settings: VAESettings) -> Task:
    """Fit everything of a fold that needs no gradient, on its training rows."""
    train, test = usable(problem, fold)
    mean, scale = target_scale(problem, fold, train)
    source = fit_source(problem, train, settings)
    return Task(fold=fold, train=train, test=test, mean=mean, scale=scale, **source)


def inner_task(task: Task, problem: Problem, split: Split, settings: VAESettings) -> Task:
    """Return a fold's task with the source and the targets' mean of the rows an inner fold fits.

    Those of the fold have been shaped by the rows held out there, as they have not by the fold's
    own: with them models would seem surer than they are. The fold's source is taken where a
    feature space does not vary in the inner fold's rows.
    """
    mean = problem.target[split.train - problem.rows[0]].mean(axis=0)
    try:
        source = fit_source(problem, split.train, settings)
    except InputError:
        source = {}
    return replace(task, mean=mean, **source)


@dataclass(frozen=True)
class Solution:
    """The linear solution of a fold.

    Parameters
    ----------
    chosen : Trial
    trials : list of Trial
        All that were tried.
    weights : ndarray of shape (n_places,)
        How much each place counted.
    """

    chosen: Trial
    trials: list[Trial]
    weights: np.ndarray


def choose_solution(
    task: Task, problem: Problem, splits: list[Split], *, participants: int
) -> Solution:
    """Choose the linear solution of a fold on its inner folds.

    Parameters
    ----------
    task : Task
    problem : Problem
    splits : list of Split
        Row numbers, all among the fold's training rows.
    participants : int
    """
    rows = task.train
    standard = task.standard(problem, rows)
    x = task.regressors[rows - problem.first_row].astype(np.float64)
    places = [(np.searchsorted(rows, s.train), np.searchsorted(rows, s.test)) for s in splits]
    weights = target_weights(x, standard, places, participants=participants)
    grams = grams_of(standard, participants=participants, weights=weights)
    trials = try_all(x, grams, places, measured=is_bold(problem.target_array))
    return Solution(choose(trials), trials, weights)


@dataclass(frozen=True)
class Start:
    """Where a model starts, see `start_model`."""

    basis: np.ndarray
    encoder: np.ndarray
    decoder: np.ndarray
    posterior: np.ndarray
    variance: np.ndarray
    noise: float


def start_model(
    regressors: np.ndarray,
    standard: np.ndarray,
    *,
    settings: VAESettings,
    solution: Solution,
    participants: int = 1,
) -> Start:
    """Return the linear solution as encoders and decoder, and the target space a model works in.

    The targets of a fold, thousands of voxels, are rotated into a space of few dimensions: those
    in which the linear solution predicts, then the strongest of the rest. The likelihood of what
    is left out does not depend on the model, so training there is training on all targets, at a
    hundredth of the work.

    Parameters
    ----------
    regressors : ndarray of shape (n_rows, n_regressors)
    standard : ndarray of shape (n_rows, n_targets)
        Standardised targets.
    settings : VAESettings
    solution : Solution
        Its error is taken for the variance of a standardised target about its prediction.
    participants : int
        Targets are those of so many participants, one after the other, at the same places.

    Returns
    -------
    Start
        ``basis`` (rank, n_targets) has orthonormal rows. Latents have unit variance over the rows.
        With a linear path the dimensions of the basis that it does not predict have a latent each,
        which only a network can move: their loadings are those of probabilistic principal
        components (Tipping & Bishop, J R Stat Soc B 61:611, 1999). The posterior map is the exact
        one for the decoder, the noise and a prior variance of one.
    """
    x = regressors.astype(np.float64)
    grams = grams_of(standard, participants=participants, weights=solution.weights)
    weights, noise = weights_of(solution.chosen.recipe, x, grams, standard), solution.chosen.error
    gram, latents = x.T @ x, settings.latents
    values, vectors = np.linalg.eigh(gram)
    kept = values > values[-1] * 1e-9
    root = vectors[:, kept] * np.sqrt(values[kept])
    # The predicted part of the targets, ordered by variance, gives the latents.
    left, strength, right = np.linalg.svd(root.T @ weights, full_matrices=False)
    n = min(latents, len(strength))
    extra = min(settings.rank - n, *standard.shape)
    basis = right[:n]
    if extra > 0:
        # In the targets' own precision and in place: of a group they are gigabytes.
        predicted = right[:n].astype(standard.dtype)
        rest = (standard @ predicted.T) @ predicted
        np.subtract(standard, rest, out=rest)
        axes = principal_axes(rest, extra)
        del rest
        # Orthogonal already, but for rounding.
        basis = np.linalg.qr(np.concatenate([basis.T, axes], axis=1))[0].T
    whiten = vectors[:, kept] / np.sqrt(values[kept])
    encoder = np.zeros((x.shape[1], len(basis)))
    decoder = np.zeros((len(basis), len(basis)))
    encoder[:, :n] = whiten @ left[:, :n] * np.sqrt(len(x))
    decoder[:n] = (strength[:n, None] * right[:n] / np.sqrt(len(x))) @ basis.T
    variance = ((standard @ basis[n:].T.astype(standard.dtype)) ** 2).mean(axis=0)
    own = np.arange(n, len(basis))
    # A dimension with no more variance than noise has a little all the same, to be moved by.
    decoder[own, own] = np.sqrt(np.maximum(variance - noise, 0.05 * noise))
    covariance = np.linalg.inv(decoder @ decoder.T / noise + np.eye(len(basis)))
    return Start(
        basis=basis.astype(np.float32),
        encoder=encoder,
        decoder=decoder,
        posterior=(covariance @ decoder / noise).T,
        variance=np.diag(covariance).copy(),
        noise=noise,
    )
