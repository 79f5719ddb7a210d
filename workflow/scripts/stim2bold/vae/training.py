"""Training of all folds and seeds of a unit as one batch of models."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from stim2bold.models.directions import Problem
from stim2bold.models.folds import Fold
from stim2bold.models.predictions import Fitted, collect, inner_folds
from stim2bold.runtime.devices import choose_device
from stim2bold.vae.batches import Batch, make_batch, make_job
from stim2bold.vae.checkpoints import Checkpoint, discard, fingerprint
from stim2bold.vae.initialisation import Solution, Task, choose_solution, prepare
from stim2bold.vae.inner_stage import Calibration, choose_steps
from stim2bold.vae.network import gaussian_kl
from stim2bold.vae.optimiser import draw_noise, train
from stim2bold.vae.sequences import unchunked
from stim2bold.vae.settings import VAESettings

log = logging.getLogger(__name__)

HISTORY = ["phase", "fold", "seed", "step", "total", "reconstruction", "prior", "kl"]
HISTORY += ["inner_error", "inner_error_se"]


@dataclass(frozen=True)
class Trained:
    """What training leaves.

    Parameters
    ----------
    fitted : Fitted
        Predictions for the held-out rows.
    history : DataFrame
        Objective and inner score by step.
    tensors : dict
        Everything needed to predict again, by name.
    record : dict
        Settings, sizes, folds and chosen steps, JSON-ready.
    diagnostics : DataFrame
        Columns fold, measure, dimension (a latent's number, -1 for none), value: kl (nats a row),
        active_units, collapsed (1 or 0), coverage_90 (share of held-out values inside the nominal
        90 % interval), sample_sd (standard deviation of a standardised target's prediction over
        samples of the latents, averaged over rows and targets).
    """

    fitted: Fitted
    history: pd.DataFrame
    tensors: dict[str, np.ndarray]
    record: dict[str, Any]
    diagnostics: pd.DataFrame


def latent_summary(batch: Batch, settings: VAESettings) -> np.ndarray:
    """Return KL[q(z|target) || q(z|source)] of each model and latent, nats a fitted row."""
    with torch.no_grad():
        mean0, log_variance0 = batch.encode(batch.mask)
        mean, log_variance = batch.model.target_encoder(batch.target * batch.mask[..., None])
        kl = gaussian_kl(mean, log_variance, mean0, log_variance0)[:, :, settings.context :]
        mask = batch.mask[:, :, settings.context :, None]
        return ((kl * mask).sum(dim=(1, 2)) / mask.sum(dim=(1, 2))).cpu().numpy()


def sample_variance(batch: Batch, settings: VAESettings, *, draws: int = 20) -> np.ndarray:
    """Return how much samples of z from q(z|source) move the prediction, for each model.

    Parameters
    ----------
    batch : Batch
    settings : VAESettings
    draws : int
        Samples at each row.

    Returns
    -------
    ndarray of shape (n_models,)
        Variance over the samples, averaged over rows and summed over the target space's
        dimensions; divided by the number of targets it is that of a standardised target.
    """
    generators = [torch.Generator().manual_seed(20_000 + job.seed) for job in batch.jobs]
    with torch.no_grad():
        mean, log_variance = batch.encode()
        centre = batch.model.decoder(mean)
        total = torch.zeros(len(batch.jobs), device=mean.device)
        for _ in range(draws):
            noise = draw_noise(generators, mean.shape[1:]).to(mean.device)
            moved = batch.model.decoder(mean + torch.exp(0.5 * log_variance) * noise) - centre
            total += (moved[:, :, settings.context :] ** 2).sum(dim=-1).mean(dim=(1, 2))
    return (total / draws).cpu().numpy()


def diagnose(
    fold: int, *, error: np.ndarray, noise: np.ndarray, kl: np.ndarray, spread: float
) -> list[tuple]:
    """Return the diagnostics of a fold.

    Parameters
    ----------
    fold : int
    error : ndarray of shape (n_test_rows, n_targets)
        Measured less predicted, standardised.
    noise : ndarray of shape (n_targets,)
        Variance of each target about its prediction, from the inner folds.
    kl : ndarray of shape (n_latents,)
        Nats a row.
    spread : float
        Variance of a standardised target's prediction over samples of the latents.

    Returns
    -------
    list of (fold, measure, dimension, value)
    """
    # 0.01 nats, the usual bound of an active unit (Burda, Grosse & Salakhutdinov, ICLR 2016).
    active = int((kl > 0.01).sum())
    inside = np.abs(error) <= 1.6448536 * np.sqrt(noise)
    return [
        *((fold, "kl", number, float(value)) for number, value in enumerate(kl)),
        (fold, "active_units", -1, float(active)),
        (fold, "collapsed", -1, float(active == 0)),
        (fold, "coverage_90", -1, float(inside.mean())),
        (fold, "sample_sd", -1, float(np.sqrt(spread))),
    ]


def fit(
    problem: Problem,
    folds: list[Fold],
    settings: VAESettings,
    *,
    participants: int = 1,
    progress: Callable[[Iterable], Iterable] = iter,
    checkpoints: str | Path | None = None,
) -> Trained:
    """Train one unit: choose the steps on the inner folds, then train every fold and seed.

    Parameters
    ----------
    problem : Problem
    folds : list of Fold
    settings : VAESettings
    participants : int
        The targets are those of so many participants, one after the other, at the same places:
        they share the encoders and each has columns of the decoder.
    progress : callable
        Wraps the steps of training.
    checkpoints : str or Path, optional
        Stem of the files that a training which was killed goes on from; deleted at the end.
    """
    device = choose_device(settings.device)
    stages: list[Checkpoint | None] = [None, None]
    if checkpoints:
        rows = [np.concatenate([fold.train, fold.test]) for fold in folds]
        of = fingerprint(asdict(settings), participants, problem.source, problem.target, *rows)
        whole = Checkpoint(Path(checkpoints).with_suffix(".safetensors"), of)
        stages = [whole.part("inner"), whole.part("outer")]
    tasks = [prepare(problem, fold, settings) for fold in folds]
    solutions = [
        choose_solution(task, problem, inner_folds(problem, task.fold), participants=participants)
        for task in progress(tasks)
    ]
    log_starts(problem, tasks, solutions)
    steps, calibrations, inner = choose_steps(
        tasks,
        solutions,
        problem,
        settings,
        device=device,
        participants=participants,
        progress=progress,
        checkpoint=stages[0],
    )
    log.info("%s: steps chosen on the inner folds: %s", problem.direction, steps.tolist())
    first = [
        make_job(task, problem, task.train, settings.seed, settings, solution, participants)
        for task, solution in zip(tasks, solutions, strict=True)
    ]
    jobs = [
        replace(job, seed=settings.seed + seed) for job in first for seed in range(settings.seeds)
    ]
    batch = make_batch(jobs, problem, settings, device)
    stops = np.repeat(steps, settings.seeds)
    outer = train(batch, settings, stops=stops, progress=progress, checkpoint=stages[1])
    predicted = predict_held_out(batch, problem, calibrations, settings)
    record = {
        "direction": problem.direction,
        "settings": asdict(settings),
        "sizes": asdict(batch.model.sizes),
        "folds": [
            fold_record(*one) for one in zip(tasks, solutions, steps, calibrations, strict=True)
        ],
    }
    discard(filter(None, stages))
    extent, memory = tasks[0].design.filters.extent(problem.tr), settings.memory * problem.tr
    parts = [
        (task.fold, task.train, task.test, guess * task.scale + task.mean)
        for task, guess in zip(tasks, predicted, strict=True)
    ]
    history = pd.concat([inner, outer.assign(phase="outer")], ignore_index=True)
    return Trained(
        fitted=collect(parts, extent=extent, reads=(extent[0] - memory, extent[1])),
        history=history.reindex(columns=HISTORY),
        tensors=stored_tensors(batch, tasks, calibrations, settings),
        record=record,
        diagnostics=diagnose_all(batch, problem, predicted, calibrations, settings),
    )


def log_starts(problem: Problem, tasks: list[Task], solutions: list[Solution]) -> None:
    """Log which linear solution each fold starts from, and penalties at the edge of their grid."""
    for task, solution in zip(tasks, solutions, strict=True):
        recipe, number = solution.chosen.recipe, task.fold.number
        log.info("%s, fold %d: starts from %s", problem.direction, number, recipe.name)
        if recipe.at_edge:
            log.warning(
                "%s, fold %d: its penalty is at the edge of those tried: the film explains next to "
                "nothing there, or all",
                problem.direction,
                number,
            )


def predict_held_out(
    batch: Batch, problem: Problem, calibrations: list[Calibration], settings: VAESettings
) -> list[np.ndarray]:
    """Return each fold's standardised prediction of its test rows, (n_test_rows, n_targets).

    It is the mean over the fold's seeds, calibrated.
    """
    with torch.no_grad():
        guess = batch.model.decoder(batch.encode()[0])
        guess = unchunked(guess, len(problem.rows), settings).cpu()
    found = []
    for i, calibration in zip(range(0, len(batch.jobs), settings.seeds), calibrations, strict=True):
        task, basis = batch.jobs[i].task, batch.jobs[i].start.basis
        mine = guess[i : i + settings.seeds].mean(dim=0).numpy() * calibration.slope
        found.append(mine[task.test - problem.rows[0], : len(basis)] @ basis)
    return found


def stored_tensors(
    batch: Batch, tasks: list[Task], calibrations: list[Calibration], settings: VAESettings
) -> dict[str, np.ndarray]:
    """Return everything that is needed to predict again, by name."""
    tensors = {}
    for task, found, job in zip(tasks, calibrations, batch.jobs[:: settings.seeds], strict=True):
        number = task.fold.number
        tensors[f"target_noise/{number}"] = found.noise
        tensors[f"target_basis/{number}"] = job.start.basis
        for name in ("mean", "scale"):
            tensors[f"target_{name}/{number}"] = getattr(task, name)
        for name in ("mean", "scale", "loadings", "centre"):
            tensors[f"source_{name}/{number}"] = getattr(task.design, name)
    for name, value in batch.model.state_dict().items():
        tensors[f"model/{name}"] = value.cpu().numpy()
    return tensors


def fold_record(
    task: Task, solution: Solution, steps: int, calibration: Calibration
) -> dict[str, Any]:
    """Return what was chosen for a fold, and what its tensors do not tell, JSON-ready."""
    recipe, design = solution.chosen.recipe, task.design
    return {
        "fold": task.fold.number,
        "steps": int(steps),
        "slope": calibration.slope,
        "initialisation": recipe.name,
        "penalties": list(recipe.penalties),
        "penalty_at_edge": recipe.at_edge,
        "inner_errors": {trial.recipe.name: round(trial.error, 6) for trial in solution.trials},
        "spread": design.spread,
        "component_spread": task.spread,
        "components": list(design.components),
        "filters": asdict(design.filters),
    }


def diagnose_all(
    batch: Batch,
    problem: Problem,
    predicted: list[np.ndarray],
    calibrations: list[Calibration],
    settings: VAESettings,
) -> pd.DataFrame:
    """Return the diagnostics of all folds, see `diagnose`."""
    kl, spread = latent_summary(batch, settings), sample_variance(batch, settings)
    found = []
    for i, (guess, calibration) in enumerate(zip(predicted, calibrations, strict=True)):
        here = slice(i * settings.seeds, (i + 1) * settings.seeds)
        task = batch.jobs[here.start].task
        found += diagnose(
            task.fold.number,
            error=task.standard(problem, task.test) - guess,
            noise=calibration.noise,
            kl=kl[here].mean(axis=0),
            spread=float(spread[here].mean() * calibration.slope**2 / len(task.scale)),
        )
    return pd.DataFrame(found, columns=["fold", "measure", "dimension", "value"])
