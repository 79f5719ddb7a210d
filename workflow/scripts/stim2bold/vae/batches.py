"""Models of many folds and seeds, side by side as one batch of tensors."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from stim2bold.models.directions import Problem
from stim2bold.vae.initialisation import Start, Task
from stim2bold.vae.network import VAE, Sizes
from stim2bold.vae.sequences import chunked
from stim2bold.vae.settings import VAESettings


@dataclass(frozen=True)
class Job:
    """One model to train: a fold's data, the rows it may see, its seed and where it starts.

    `coordinates` are all rows' targets in the start's basis, (n_rows, rank).
    """

    task: Task
    train: np.ndarray
    seed: int
    start: Start
    coordinates: np.ndarray


@dataclass
class Batch:
    """Jobs as tensors, and their models."""

    jobs: list[Job]
    model: VAE
    source: Tensor
    target: Tensor
    mask: Tensor


def make_batch(
    jobs: list[Job], problem: Problem, settings: VAESettings, device: torch.device
) -> Batch:
    """Return the tensors and the models, at their start, of some jobs."""
    first, rows = problem.first_row, problem.rows
    rank = max(len(job.start.basis) for job in jobs)
    width = max(job.task.regressors.shape[1] for job in jobs)
    sizes = Sizes(
        models=len(jobs),
        source=width,
        target=rank,
        latents=settings.latents,
        hidden=settings.hidden,
        linear=settings.linear,
    )
    model = VAE(sizes)
    model.draw([job.seed for job in jobs])
    source, target = [], []
    for i, job in enumerate(jobs):
        start = job.start
        regressors = np.zeros((len(rows), width), dtype=np.float32)
        regressors[:, : job.task.regressors.shape[1]] = job.task.regressors[rows - first]
        coordinates = np.zeros((len(rows), rank), dtype=np.float32)
        coordinates[:, : len(start.basis)] = job.coordinates
        with torch.no_grad():
            model.log_noise[i] = float(np.log(start.noise))
            if settings.linear:
                n_in, n_out = len(start.encoder), len(start.basis)
                for parameter, value in (
                    (model.source_encoder.linear.weight[i, :n_in], start.encoder),
                    (model.target_encoder.linear.weight[i, :n_out], start.posterior),
                    (model.decoder.linear.weight[i, :, :n_out], start.decoder),
                    (model.target_encoder.log_variance[i, 0, 0], np.log(start.variance)),
                ):
                    parameter.copy_(torch.as_tensor(value, dtype=torch.float32))
        source.append(chunked(regressors, settings))
        target.append(chunked(coordinates, settings))
    as_tensor = [torch.from_numpy(np.stack(part)).to(device) for part in (source, target)]
    mask = row_masks([job.train for job in jobs], problem, settings, device)
    return Batch(jobs, model.to(device), *as_tensor, mask)


def row_masks(
    chosen: list[np.ndarray], problem: Problem, settings: VAESettings, device: torch.device
) -> Tensor:
    """Return 1 at some rows of each model, else 0: (models, sequences, context + chunk).

    Parameters
    ----------
    chosen : list of ndarray of int
        Row numbers for each model.
    problem : Problem
    settings : VAESettings
    device : torch.device
    """
    masks = np.zeros((len(chosen), len(problem.rows), 1), dtype=np.float32)
    for mask, rows in zip(masks, chosen, strict=True):
        mask[rows - problem.rows[0]] = 1
    chunks = np.stack([chunked(mask, settings)[:, :, 0] for mask in masks])
    return torch.from_numpy(chunks).to(device)
