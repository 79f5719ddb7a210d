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

AT_ONCE = 64
"""Sequences that are encoded at a time."""


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
    """Jobs as tensors, and their models.

    Parameters
    ----------
    jobs : list of Job
    model : VAE
    source : Tensor of shape (n_tasks, n_sequences, before + context + chunk + after, n_columns)
        Of each task once: the seeds of a fold read the same.
    task : Tensor of int, shape (n_jobs,)
        Whose source a job reads.
    target, mask : Tensor of shape (n_jobs, n_sequences, context + chunk, ...)
    """

    jobs: list[Job]
    model: VAE
    source: Tensor
    task: Tensor
    target: Tensor
    mask: Tensor

    def source_at(self, sequences: slice | np.ndarray) -> Tensor:
        """Return some sequences of each job's source."""
        return self.source[:, sequences][self.task]

    def encode(self, within: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return mean and log variance of q(z|source) of all sequences, some at a time.

        Parameters
        ----------
        within : Tensor of shape (n_jobs, n_sequences, context + chunk), optional
            See `stim2bold.vae.network.SourceEncoder`.
        """
        n_sequences, parts = self.source.shape[1], []
        for start in range(0, n_sequences, AT_ONCE):
            here = slice(start, start + AT_ONCE)
            visible = None if within is None else within[:, here]
            parts.append(self.model.source_encoder(self.source_at(here), visible))
        mean, log_variance = zip(*parts, strict=True)
        return torch.cat(mean, dim=1), torch.cat(log_variance, dim=1)


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
    sources: dict[int, np.ndarray] = {}
    target = []
    for i, job in enumerate(jobs):
        start, of = job.start, id(job.task)
        if of not in sources:
            columns = source_columns(job.task.regressors, job.task.components, sizes)
            seen = with_neighbours(columns, rows - problem.first_row, around=filters.around)
            sources[of] = chunked(seen, settings, around=filters.around)
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
        target.append(chunked(coordinates, settings))
    places = {of: place for place, of in enumerate(sources)}
    return Batch(
        jobs=jobs,
        model=model.to(device),
        source=torch.from_numpy(np.stack(list(sources.values()))).to(device),
        task=torch.tensor([places[id(job.task)] for job in jobs], device=device),
        target=torch.from_numpy(np.stack(target)).to(device),
        mask=row_masks([job.train for job in jobs], problem, settings, device),
    )


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
