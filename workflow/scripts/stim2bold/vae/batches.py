"""Models of many folds and seeds, side by side as one batch of tensors."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from stim2bold.models.directions import Problem
from stim2bold.vae.initialisation import Solution, Start, Task, start_model
from stim2bold.vae.network import VAE, Sizes
from stim2bold.vae.sequences import chunked, with_neighbours
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


def make_job(
    task: Task,
    problem: Problem,
    rows: np.ndarray,
    seed: int,
    settings: VAESettings,
    solution: Solution,
    participants: int,
) -> Job:
    """Return a job that starts from a linear solution on some of the fold's training rows."""
    start = start_model(
        task.regressors[rows - problem.first_row],
        task.standard(problem, rows),
        settings=settings,
        solution=solution,
        participants=participants,
    )
    whole = task.standard(problem, problem.rows) @ start.basis.T
    return Job(task=task, train=rows, seed=seed, start=start, coordinates=whole)


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
    rows, filters = problem.rows, jobs[0].task.design.filters
    rank = max(len(job.start.basis) for job in jobs)
    sizes = Sizes(
        models=len(jobs),
        regressors=max(job.task.regressors.shape[1] for job in jobs) if settings.linear else 0,
        components=max(job.task.components.shape[1] for job in jobs) if settings.units else 0,
        target=rank,
        latents=rank if settings.linear else settings.latents,
        units=settings.units,
        hidden=settings.hidden,
        linear=settings.linear,
    )
    model = VAE(sizes, filters)
    model.draw([job.seed for job in jobs])
    source, target = [], []
    for i, job in enumerate(jobs):
        start = job.start
        seen = with_neighbours(
            source_columns(job.task.regressors, job.task.components, sizes),
            rows - problem.first_row,
            around=filters.around,
        )
        coordinates = np.zeros((len(rows), rank), dtype=np.float32)
        coordinates[:, : len(start.basis)] = job.coordinates
        with torch.no_grad():
            model.log_noise[i] = float(np.log(start.noise))
            if settings.linear:
                n_in, n_out = len(start.encoder), len(start.basis)
                for parameter, value in (
                    (model.source_encoder.linear.weight[i, :n_in, :n_out], start.encoder),
                    (model.target_encoder.linear.weight[i, :n_out, :n_out], start.posterior),
                    (model.decoder.linear.weight[i, :n_out, :n_out], start.decoder),
                    (model.target_encoder.log_variance[i, 0, 0, :n_out], np.log(start.variance)),
                ):
                    parameter.copy_(torch.as_tensor(value, dtype=torch.float32))
        source.append(chunked(seen, settings, around=filters.around))
        target.append(chunked(coordinates, settings))
    as_tensor = [torch.from_numpy(np.stack(part)).to(device) for part in (source, target)]
    mask = row_masks([job.train for job in jobs], problem, settings, device)
    return Batch(jobs, model.to(device), *as_tensor, mask)


def source_columns(regressors: np.ndarray, components: np.ndarray, sizes: Sizes) -> np.ndarray:
    """Return what a model's source encoder reads: (n_rows, regressors + components).

    Folds have unequal numbers of either; zeros fill what a fold lacks.
    """
    out = np.zeros((len(components), sizes.regressors + sizes.components), dtype=np.float32)
    if sizes.regressors:
        out[:, : regressors.shape[1]] = regressors
    if sizes.components:
        out[:, sizes.regressors : sizes.regressors + components.shape[1]] = components
    return out


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
