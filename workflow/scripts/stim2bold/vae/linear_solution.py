"""Linear solutions that a VAE can start from, compared on inner folds.

Each target is a linear function of the same regressors, Y = X W + E, and each solution is linear in
the targets, W = G Y. So a solution's error on held-out rows follows from the targets' Gram matrix
over rows, Y Y', alone: what is compared and chosen costs the same for a hundred voxels and for
twenty thousand.

In a brain most voxels follow no film. What is best for all alike is to predict next to nothing, and
what is lost by that lies in the few that do. So a target counts by the share of its variance that
plain ridge predicts on the inner folds (`target_weights`), in every Gram matrix.

A solution has a prior on weights, whose scale is one penalty for all targets, and a structure.
Priors:

- ``even``: ridge;
- ``learned`` from all targets (`stim2bold.vae.shrinkage`), for targets that are no measurements,
  such as sound;
- ``learned-apart``, for measurements: the same after the strongest patterns over targets of the
  residuals are taken out, in which targets share their noise. It is tried where twice as many
  targets are independent of each other as there are regressors: from fewer, a covariance of the
  weights cannot be learned.

Structures:

- ``own``: each participant's targets by themselves;
- ``places``: a weight is the sum of what is common to all at a place and of each one's deviation;
- ``shared``: participants share the course of a few latents, each with an orthonormal map of their
  own (the shared response model; Chen et al., NIPS 2015), beside weights of their own.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stim2bold.vae.grams import COLUMNS, Grams, grams_of
from stim2bold.vae.penalised_regression import (
    PENALTIES,
    Part,
    held_out_errors,
    part_solution,
    ridge_map,
    without_patterns,
)
from stim2bold.vae.shared_response import rest_part, shared_part, shared_response

INDEPENDENT = 2
"""Independent targets to a regressor, at the least, to learn a prior from."""
SHARED = (1, 2, 3, 5, 10)
"""Dimensions of the shared response that are tried."""


@dataclass(frozen=True)
class Recipe:
    """How a linear solution is made.

    Parameters
    ----------
    structure : str
        ``own``, ``places`` or ``shared``.
    prior : str
        ``even``, ``learned`` or ``learned-apart``; of what is beside a shared course, whose own is
        even.
    dimensions : int
        Of the shared response; 0 without one.
    penalties : tuple of float
        Of each part of the structure.
    """

    structure: str = "own"
    prior: str = "even"
    dimensions: int = 0
    penalties: tuple[float, ...] = ()

    @property
    def at_edge(self) -> bool:
        """Whether a penalty is the smallest or the largest that was tried."""
        return bool({PENALTIES[0], PENALTIES[-1]} & set(self.penalties))

    @property
    def name(self) -> str:
        """Such as ``shared 3, even``."""
        first = f"{self.structure} {self.dimensions}" if self.dimensions else self.structure
        return f"{first}, {self.prior}"


def structure_parts(structure: str, grams: Grams) -> list[Part]:
    """Return the regressions of a structure whose parts do not depend on each other."""
    n, total = len(grams.each), grams.each.sum(axis=0)
    if structure == "own":
        return [Part(total, n * grams.n_targets)]
    common = n * grams.mean
    return [Part(common, grams.n_targets), Part(total - common, (n - 1) * grams.n_targets)]


@dataclass(frozen=True)
class InnerFold:
    """Regressors and targets of an inner fold.

    Parameters
    ----------
    x, x_test : ndarray of shape (n_rows, n_regressors)
        At the rows fitted, and at those held out.
    grams : Grams
        At the rows fitted first, then at those held out.
    """

    x: np.ndarray
    x_test: np.ndarray
    grams: Grams

    @functools.cached_property
    def fitted(self) -> Grams:
        """Gram matrices of the rows fitted."""
        return self.grams.at(np.arange(len(self.x)))

    @property
    def size(self) -> float:
        """Squared error of predicting the mean."""
        n = len(self.x)
        return float(np.trace(self.grams.each.sum(axis=0)[n:, n:]))


def inner_fold(x: np.ndarray, grams: Grams, train: np.ndarray, test: np.ndarray) -> InnerFold:
    """Return an inner fold, from the positions of its rows among all."""
    return InnerFold(x[train], x[test], grams.at(np.concatenate([train, test])))


@dataclass(frozen=True)
class Trial:
    """How a recipe did on inner folds.

    Parameters
    ----------
    recipe : Recipe
        With its penalties: those that err least there.
    error : float
        Squared error on the held-out rows of the inner folds, relative to that of predicting the
        mean.
    """

    recipe: Recipe
    error: float


def best_penalty(
    folds: Sequence[InnerFold], parts: Sequence[Part], prior: str, *, cautious: bool = False
) -> tuple[float, float]:
    """Return the penalty that errs least over the inner folds' held-out rows, and how much.

    Parameters
    ----------
    folds : sequence of InnerFold
    parts : sequence of Part
        The same regression in each fold.
    prior : str
    cautious : bool
        Take the largest penalty that errs by no more than one standard error over the folds more
        than the best does (Breiman et al., 1984): from a few minutes of one brain the best penalty
        is often one at which chance agrees with the film.
    """
    curves = np.stack(
        [
            held_out_errors(fold.x, fold.x_test, part, prior)
            for fold, part in zip(folds, parts, strict=True)
        ]
    )
    total = curves.sum(axis=0)
    best = int(total.argmin())
    if cautious and len(curves) > 1:
        more = curves - curves[:, [best]]
        error = more.std(axis=0, ddof=1) * np.sqrt(len(curves))
        too_much = np.flatnonzero(total[best:] - total[best] > error[best:])
        best += int(too_much[0]) - 1 if len(too_much) else len(total) - 1 - best
    return float(PENALTIES[best]), float(total[best])


def target_weights(
    x: np.ndarray,
    targets: np.ndarray,
    splits: Sequence[tuple[np.ndarray, np.ndarray]],
    *,
    participants: int,
) -> np.ndarray:
    """Return how much each place counts, by what ridge predicts there on the inner folds.

    Parameters
    ----------
    x : ndarray of shape (n_rows, n_regressors)
    targets : ndarray of shape (n_rows, participants * n_places)
        Standardised.
    splits : sequence of (train, test)
        Positions among the rows.
    participants : int

    Returns
    -------
    ndarray of shape (n_places,)
        Square of the correlation of prediction and target on the inner folds' held-out rows, 0
        where that is negative, and for all alike the mean square of the negative ones, which is
        what chance adds: where little is predicted targets count nearly alike. Mean over
        participants, divided by the mean over places; all 1 where nothing is predicted anywhere.
    """
    grams = grams_of(targets, participants=participants)
    folds = [inner_fold(x, grams, *split) for split in splits]
    penalty, _ = best_penalty(folds, [structure_parts("own", f.grams)[0] for f in folds], "even")
    maps = [x[test] @ ridge_map(x[train], penalty) for train, test in splits]
    r = np.zeros(targets.shape[1])
    for start in range(0, len(r), COLUMNS):
        part = targets[:, start : start + COLUMNS]
        product, predicted, measured = np.zeros((3, part.shape[1]))
        for (train, test), to_test in zip(splits, maps, strict=True):
            guess, truth = to_test @ part[train], part[test]
            guess, truth = guess - guess.mean(axis=0), truth - truth.mean(axis=0)
            product += (guess * truth).sum(axis=0)
            predicted += (guess**2).sum(axis=0)
            measured += (truth**2).sum(axis=0)
        size = np.sqrt(predicted * measured)
        r[start : start + COLUMNS] = product / np.where(size > 0, size, 1)
    counts = np.maximum(r, 0) ** 2 + (np.minimum(r, 0) ** 2).mean()
    counts = counts.reshape(participants, -1).mean(axis=0)
    return counts / counts.mean() if counts.any() else np.ones(len(counts))


def try_structure(structure: str, folds: Sequence[InnerFold], priors: Sequence[str]) -> list[Trial]:
    """Try a structure without a shared response on inner folds, with each prior."""
    size = sum(fold.size for fold in folds)
    parts = list(zip(*(structure_parts(structure, fold.grams) for fold in folds), strict=True))
    trials = []
    for prior in priors:
        found = [best_penalty(folds, group, prior, cautious=structure == "own") for group in parts]
        recipe = Recipe(structure, prior, penalties=tuple(penalty for penalty, _ in found))
        trials.append(Trial(recipe, sum(error for _, error in found) / size))
    return trials


def try_shared(dimensions: int, folds: Sequence[InnerFold], priors: Sequence[str]) -> list[Trial]:
    """Try a shared response on inner folds: its course first, then what it leaves."""
    size = sum(fold.size for fold in folds)
    fits = [shared_response(fold.fitted, dimensions) for fold in folds]
    parts = [shared_part(fit, fold.grams) for fit, fold in zip(fits, folds, strict=True)]
    first, _ = best_penalty(folds, parts, "even")
    rests = [
        rest_part(fit, fold.grams, fold.x_test, part_solution(fold.x, part, "even", first))
        for fit, fold, part in zip(fits, folds, parts, strict=True)
    ]
    trials = []
    for prior in priors:
        second, error = best_penalty(folds, rests, prior)
        trials.append(Trial(Recipe("shared", prior, dimensions, (first, second)), error / size))
    return trials


def try_all(
    x: np.ndarray,
    grams: Grams,
    splits: Sequence[tuple[np.ndarray, np.ndarray]],
    *,
    measured: bool,
) -> list[Trial]:
    """Try every recipe on inner folds.

    Parameters
    ----------
    x : ndarray of shape (n_rows, n_regressors)
    grams : Grams
        At the same rows.
    splits : sequence of (train, test)
        Positions among the rows.
    measured : bool
        Whether targets are measurements, which share noise.
    """
    priors = ["even"]
    if measured:
        _, independent = without_patterns(x, grams.each.sum(axis=0))
        priors += ["learned-apart"] if independent > INDEPENDENT * x.shape[1] else []
    else:
        priors += ["learned"]
    folds = [inner_fold(x, grams, *split) for split in splits]
    if len(grams.each) == 1:
        return try_structure("own", folds, priors)
    trials = try_structure("places", folds, priors)
    for dimensions in SHARED:
        if dimensions < len(x) // 4:
            trials += try_shared(dimensions, folds, priors)
    return trials


def choose(trials: Sequence[Trial]) -> Trial:
    """Return the recipe that errs least on inner folds; the first of several."""
    return min(trials, key=lambda trial: trial.error)


def weights_of(recipe: Recipe, x: np.ndarray, grams: Grams, targets: np.ndarray) -> np.ndarray:
    """Fit a recipe to all rows.

    Parameters
    ----------
    recipe : Recipe
        With its penalties.
    x : ndarray of shape (n_rows, n_regressors)
    grams : Grams
        Of the targets.
    targets : ndarray of shape (n_rows, participants * n_places)

    Returns
    -------
    ndarray of shape (n_regressors, participants * n_places)
    """
    prior, penalties, n = recipe.prior, recipe.penalties, len(grams.each)
    if recipe.structure == "own":
        (part,) = structure_parts("own", grams)
        return part_solution(x, part, prior, penalties[0]).astype(targets.dtype) @ targets
    by_person = targets.reshape(len(targets), n, -1)
    if recipe.structure == "places":
        common, apart = (
            part_solution(x, part, prior, penalty).astype(targets.dtype)
            for part, penalty in zip(structure_parts("places", grams), penalties, strict=True)
        )
        return apart @ targets + np.tile((common - apart) @ by_person.mean(axis=1), n)
    shared = shared_response(grams, recipe.dimensions)
    first = part_solution(x, shared_part(shared, grams), "even", penalties[0])
    rest = rest_part(shared, grams, x[:0], first)
    second = part_solution(x, rest, prior, penalties[1])
    found = []
    for number, own in enumerate(shared.maps):
        mine = own.T @ by_person[:, number]
        left = by_person[:, number] - shared.course @ mine
        found.append((first @ shared.course) @ mine + second @ left)
    return np.concatenate(found, axis=1)
