"""One encoder for several participants, a decoder for each; newcomers get a decoder alone."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from stim2bold.io.bold_grid import check_grid, places_of
from stim2bold.models.directions import Problem
from stim2bold.models.folds import Fold
from stim2bold.models.predictions import Fitted, collect, target_scale, usable
from stim2bold.models.ridge import inner_splits
from stim2bold.runtime.errors import InputError
from stim2bold.vae.grams import grams_of
from stim2bold.vae.linear_solution import (
    inner_fold,
    target_weights,
    try_structure,
    weights_of,
)
from stim2bold.vae.settings import VAESettings
from stim2bold.vae.storage import stored_fold
from stim2bold.vae.training import Trained, fit


def common_voxels(tables: dict[str, xr.DataArray]) -> dict[str, np.ndarray]:
    """Find the voxels that all participants have.

    Parameters
    ----------
    tables : dict
        BOLD of each participant, on one grid of the template.

    Returns
    -------
    dict of str to (n_voxels,) bool array
        For each participant; the chosen voxels are in the same order everywhere.

    Raises
    ------
    InputError
        When the grids differ or share no voxel.
    """
    first = next(iter(tables.values()))
    for name, table in tables.items():
        check_grid(name, table, first)
    places = {name: places_of(table) for name, table in tables.items()}
    common = places[next(iter(places))]
    for own in places.values():
        common = np.intersect1d(common, own)
    if common.size == 0:
        raise InputError("group", "the participants' masks share no voxel", "look at their images")
    return {name: np.isin(own, common) for name, own in places.items()}


def fit_group(
    problems: dict[str, Problem],
    chosen: dict[str, np.ndarray],
    folds: list[Fold],
    settings: VAESettings,
    *,
    progress: Callable[[Iterable], Iterable] = iter,
    checkpoints: str | Path | None = None,
) -> Trained:
    """Train one model on the voxels that all participants have.

    Parameters
    ----------
    problems : dict
        For each participant; all with the same source.
    chosen : dict of str to (n_voxels,) bool array
        As `common_voxels` returns them.
    folds : list of Fold
    settings : VAESettings
    progress, checkpoints
        As for `stim2bold.vae.training.fit`.

    Returns
    -------
    Trained
        Targets are the participants' common voxels, one participant after the other.

    Raises
    ------
    InputError
        When participants were scanned for different stretches of the film.
    """
    first = next(iter(problems.values()))
    for name, problem in problems.items():
        if not np.array_equal(problem.rows, first.rows):
            raise InputError(
                name,
                "has other volumes of the film than the first participant",
                "leave it out of the group by group.newcomers",
            )
    joined = np.concatenate(
        [problem.target[:, chosen[name]] for name, problem in problems.items()], axis=1
    )
    return fit(
        replace(first, target=joined),
        folds,
        settings,
        participants=len(problems),
        progress=progress,
        checkpoints=checkpoints,
    )


def fit_heads(
    problem: Problem,
    folds: list[Fold],
    tensors: dict[str, np.ndarray],
    record: dict[str, Any],
) -> Fitted:
    """Fit a decoder on the latents of a stored model, whose encoder stays as it is.

    The prediction is the mean of two: of ridge on the latents, scaled by how strongly the model's
    own decoder uses them, which is what others tell of the film, and of ridge on the source itself.
    Each has one penalty for all targets, chosen as that of a linear start is.

    Parameters
    ----------
    problem : Problem
        Of a participant, or of voxels, that the model has not seen.
    folds : list of Fold
        Those that the model was trained with: a fold's encoder has seen its training rows only,
        and so does the decoder.
    tensors, record
        As `stim2bold.vae.storage.read_model` returns them.

    Returns
    -------
    Fitted
    """
    parts = []
    for fold in folds:
        train, test = usable(problem, fold)
        stored = stored_fold(tensors, record, fold=fold.number)
        latents = stored.encode(problem.source).mean(dim=0).numpy()
        # What is fitted must not have looked across the gap, as in training.
        fitted = train - problem.first_row
        latents[fitted] = stored.encode(problem.source, fitted).mean(dim=0).numpy()[fitted]
        use = stored.model.decoder.linear.weight.detach().numpy()
        latents = latents * np.sqrt((use**2).mean(axis=(0, 2)))
        latents = latents - latents[fitted].mean(axis=0)
        # Penalties are relative to regressors of unit variance.
        latents /= latents[fitted].std(axis=0).max()
        mean, scale = target_scale(problem, fold, train)
        target = (problem.target[train - problem.rows[0]] - mean) / scale
        splits, guesses = inner_splits(problem, fold, train), []
        for regressors in (latents, stored.design.apply(problem.source)):
            weights = ridge_weights(regressors[fitted].astype(np.float64), target, splits)
            guesses.append(regressors[test - problem.first_row] @ weights)
        values = np.mean(guesses, axis=0) * scale + mean
        parts.append((fold, train, test, values.astype(np.float32)))
    extent = stored.design.filters.extent(problem.tr)
    memory = stored.settings.memory * problem.tr
    return collect(parts, extent=extent, reads=(extent[0] - memory, extent[1]))


def ridge_weights(
    x: np.ndarray, target: np.ndarray, splits: Sequence[tuple[np.ndarray, np.ndarray]]
) -> np.ndarray:
    """Return weights of ridge with one penalty for all targets, (n_regressors, n_targets).

    Parameters
    ----------
    x : ndarray of shape (n_rows, n_regressors)
    target : ndarray of shape (n_rows, n_targets)
        Standardised.
    splits : sequence of (train, test)
        Inner folds, positions among the rows.
    """
    weights = target_weights(x, target, splits, participants=1)
    grams = grams_of(target, participants=1, weights=weights)
    (best,) = try_structure("own", [inner_fold(x, grams, *split) for split in splits], ["even"])
    return weights_of(best.recipe, x, grams, target)


def member_predictions(
    problems: dict[str, Problem],
    chosen: dict[str, np.ndarray],
    trained: Trained,
    folds: list[Fold],
    record: dict[str, Any],
) -> dict[str, Fitted]:
    """Return each member's prediction: the model's where all have a voxel, a decoder's elsewhere.

    Parameters
    ----------
    problems, chosen, folds
        As for `fit_group`.
    trained : Trained
        What it returned.
    record : dict
        Of the stored model.
    """
    n_common = int(next(iter(chosen.values())).sum())
    found = {}
    for number, (name, problem) in enumerate(problems.items()):
        mine = trained.fitted.values[:, number * n_common : (number + 1) * n_common]
        values = np.empty((len(mine), problem.target.shape[1]), dtype=np.float32)
        values[:, chosen[name]] = mine
        rest = ~chosen[name]
        if rest.any():
            alone = replace(problem, target=problem.target[:, rest])
            values[:, rest] = fit_heads(alone, folds, trained.tensors, record).values
        found[name] = replace(trained.fitted, values=values)
    return found
