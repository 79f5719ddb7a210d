"""The course that a group shares: what its latents tell from the film, in one basis for all folds.

Latents of different folds are different bases: signs, order and rotation are free. What they decode
to lies in one space, the members' common voxels, so the principal axes of what is decoded there are
common to all folds, and nothing has to be matched. Where the decoder is linear, what is read off
these axes are the latents themselves, rotated and ordered by how much of the prediction they make.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import xarray as xr

from stim2bold.models.directions import Problem
from stim2bold.models.folds import Fold
from stim2bold.models.hrf import FilterBank
from stim2bold.models.predictions import usable
from stim2bold.vae.storage import StoredFold, stored_fold

DIMENSIONS = 3
"""Dimensions that are kept."""


def common_axes(
    coordinates: Sequence[np.ndarray], bases: Sequence[np.ndarray], *, n: int
) -> tuple[list[np.ndarray], np.ndarray]:
    """Return the leading principal axes of what several folds predict, in each fold's coordinates.

    Parameters
    ----------
    coordinates : sequence of ndarray of shape (n_rows, n_basis)
        Of each fold: what is predicted, with mean 0, in the fold's basis.
    bases : sequence of ndarray of shape (n_basis, n_targets)
        Of each fold, orthonormal; targets are those of all folds.
    n : int
        Axes at the most.

    Returns
    -------
    axes : list of ndarray of shape (n_basis, n_axes)
        ``coordinates @ axes`` are the courses, in their standard deviations over all folds; the
        mean over targets of an axis is positive.
    share : ndarray of shape (n_axes,)
        Of the variance predicted.
    """
    roots = []
    for part in coordinates:
        _, size, right = np.linalg.svd(np.asarray(part, np.float64), full_matrices=False)
        roots.append(size[:, None] * right / np.sqrt(len(part) * len(coordinates)))
    # By row of the stacked roots: thousands of targets enter by their products alone.
    loads = [
        np.concatenate(
            [own @ other.T @ root.T for other, root in zip(bases, roots, strict=True)], 1
        )
        for own in bases
    ]
    gram = np.concatenate([root @ load for root, load in zip(roots, loads, strict=True)])
    values, vectors = np.linalg.eigh(gram)
    first = [k for k in range(len(values) - 1, -1, -1) if values[k] > 1e-9 * values[-1]][:n]
    values_kept, vectors = values[first], vectors[:, first]
    tilt = np.concatenate([root @ own.sum(axis=1) for own, root in zip(bases, roots, strict=True)])
    vectors = vectors * np.where(tilt @ vectors < 0, -1, 1)
    return [load @ vectors / values_kept for load in loads], values_kept / values.sum()


def decoded(
    stored: StoredFold, source: np.ndarray, *, n: int, within: np.ndarray | None = None
) -> np.ndarray:
    """Return what the mean of q(z|source) decodes to, in the fold's basis, (n_rows, n).

    Parameters
    ----------
    stored : StoredFold
    source, within
        As for `stim2bold.vae.storage.StoredFold.encode`.
    n : int
        Length of the basis.
    """
    with torch.no_grad():
        # The decoder knows no time: rows stand for one sequence.
        guess = stored.model.decoder(stored.encode(source, within)[:, None])[:, 0]
    return guess.mean(dim=0).numpy()[:, :n]


def mean_delay(filters: FilterBank, tr: float) -> float:
    """Return the seconds by which what is slow comes late through the filters."""
    weights = np.sum(filters.weights, axis=0)
    return float(-weights @ np.asarray(filters.offsets) / weights.sum() * tr)


def untrained_folds(record: dict[str, Any]) -> int:
    """Count the folds whose network neither starts from a linear solution nor took a step."""
    alone = not record["settings"]["linear"]
    return sum(alone and fold["steps"] == 0 for fold in record["folds"])


def latent_course(
    problem: Problem,
    folds: list[Fold],
    tensors: dict[str, np.ndarray],
    record: dict[str, Any],
    *,
    n: int = DIMENSIONS,
) -> xr.DataArray:
    """Return the leading dimensions of a group's latent course on the held-out rows.

    Axes are fitted to what each fold's model predicts in its own training rows. All folds, and so
    all of the film, have a part in them: courses are to be looked at, and not to be scored.

    Parameters
    ----------
    problem : Problem
        Of any member: source, rows and times are those of all.
    folds : list of Fold
    tensors, record
        As `stim2bold.vae.storage.read_model` returns them.
    n : int
        Dimensions at the most.

    Returns
    -------
    DataArray, dims (time, dimension)
        In standard deviations over training rows, with fold, row, and each dimension's share of
        the variance predicted. Attributes: delay, seconds from the film to the volumes' times;
        untrained, number of folds whose network is as it was drawn: of a network alone, those for
        which the inner folds chose no step.
    """
    bases, fitted, told = [], [], []
    for fold in folds:
        train, test = (part - problem.first_row for part in usable(problem, fold))
        stored = stored_fold(tensors, record, fold=fold.number)
        basis = tensors[f"target_basis/{fold.number}"]
        known = decoded(stored, problem.source, n=len(basis), within=train)[train]
        bases.append(basis)
        fitted.append(known - known.mean(axis=0))
        new = decoded(stored, problem.source, n=len(basis))[test] - known.mean(axis=0)
        told.append((test + problem.first_row, np.full(len(test), fold.number), new))
    axes, share = common_axes(fitted, bases, n=n)
    values = np.concatenate([new @ axis for (*_, new), axis in zip(told, axes, strict=True)])
    rows, number = (np.concatenate([part[k] for part in told]) for k in (0, 1))
    order = np.argsort(rows, kind="stable")
    return xr.DataArray(
        values[order].astype(np.float32),
        dims=("time", "dimension"),
        coords={
            "time": problem.target_array["time"].values[rows[order] - problem.rows[0]],
            "fold": ("time", number[order].astype(np.int32)),
            "row": ("time", rows[order].astype(np.int32)),
            "share": ("dimension", share),
            "dimension": np.arange(1, len(share) + 1),
        },
        name="course",
        attrs={
            "units": "standard deviations over training rows",
            "source": f"latents of {problem.direction}, decoded, on principal axes of all folds",
            "delay": mean_delay(problem.filters(), problem.tr),
            "untrained": untrained_folds(record),
        },
    )
