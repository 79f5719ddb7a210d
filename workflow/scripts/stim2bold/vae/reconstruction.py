"""What a trained model's latents hold of the target itself: the rung above any prediction."""

from typing import Any

import numpy as np
import torch
import xarray as xr

from stim2bold.models.directions import Problem, held_out
from stim2bold.models.folds import Fold
from stim2bold.models.leakage import fit_record
from stim2bold.models.predictions import usable
from stim2bold.vae.sequences import chunked, unchunked
from stim2bold.vae.storage import stored_fold


def through_latents(
    tensors: dict[str, np.ndarray], record: dict[str, Any], target: np.ndarray, *, fold: int
) -> np.ndarray:
    """Encode a target by a fold's stored models and decode it again.

    Parameters
    ----------
    tensors, record
        As `stim2bold.vae.storage.read_model` returns them.
    target : ndarray of shape (n_rows, n_targets)
        On the rows that source and target share, as in training.
    fold : int
        Whose models.

    Returns
    -------
    ndarray of shape (n_rows, n_targets)
        The decoder's output at the mean of q(z|target), averaged over seeds, in the target's units.
    """
    stored = stored_fold(tensors, record, fold=fold)
    basis, mean, scale = (tensors[f"target_{name}/{fold}"] for name in ("basis", "mean", "scale"))
    coordinates = np.zeros((len(target), stored.model.sizes.target), dtype=np.float32)
    coordinates[:, : len(basis)] = ((target - mean) / scale) @ basis.T
    sequences = torch.from_numpy(chunked(coordinates, stored.settings))
    sequences = sequences.expand(stored.model.sizes.models, -1, -1, -1)
    with torch.no_grad():
        latents, _ = stored.model.target_encoder(sequences)
        latents = unchunked(latents, len(target), stored.settings)
        # The decoder knows no time: rows stand for one sequence.
        again = stored.model.decoder(latents[:, None])[:, 0].mean(dim=0).numpy()
    return again[:, : len(basis)] @ basis * scale + mean


def reconstruct(
    problem: Problem,
    folds: list[Fold],
    tensors: dict[str, np.ndarray],
    record: dict[str, Any],
) -> xr.DataArray:
    """Return the held-out rows of the target, each through the latents of its own fold.

    Not a prediction: the target itself is encoded. What it loses is what the model's latents, and
    the decoder fitted to the fold's training rows, cannot carry.

    Parameters
    ----------
    problem : Problem
    folds : list of Fold
    tensors, record
        As `stim2bold.vae.storage.read_model` returns them.

    Returns
    -------
    DataArray
        Laid out like the target, with the coordinates fold and row.
    """
    values, rows, number, fitted = [], [], [], {}
    for fold in folds:
        train, test = usable(problem, fold)
        again = through_latents(tensors, record, problem.target, fold=fold.number)
        values.append(again[test - problem.rows[0]])
        rows.append(test)
        number.append(np.full(len(test), fold.number))
        fitted[fold.number] = train
    out = held_out(
        problem, np.concatenate(values), rows=np.concatenate(rows), fold=np.concatenate(number)
    )
    out.attrs = fit_record(fitted, problem.extent) | {
        "direction": problem.direction,
        "units": problem.target_array.attrs.get("units", ""),
        "source": "the target itself through q(z|target) and the decoder",
    }
    return out.rename("reconstruction")
