"""Training of all folds and seeds of a unit as one batch of models."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from stim2bold.baselines import Fitted, collect, usable, within
from stim2bold.designs import Design, fit_design, principal_axes, standardisation
from stim2bold.directions import Problem
from stim2bold.errors import InputError
from stim2bold.folds import Fold
from stim2bold.hrf import FilterBank
from stim2bold.shrinkage import fit_weights
from stim2bold.vae import VAE, Objective, Sizes, gaussian_kl, losses

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class VAESettings:
    """A preset of the model and its training; every value can be set by configuration.

    Parameters
    ----------
    preset : str
        Name of the preset, for the record.
    scope : str
        ``subject``: one model a unit.
    seed, seeds : int
        First seed, and number of models that are averaged.
    device : str
        auto, cpu or cuda.
    components : int
        Principal components of the source.
    bins : int
        Stretches that the seconds after a moment of the film are averaged over.
    latents, hidden : int
        Latent dimensions, and units of each recurrent network.
    linear : bool
        Whether there is a linear path, started from the linear solution.
    delayed : bool
        Whether the source is carried over the haemodynamic delay before it is encoded; without it
        the recurrent network must learn the delay.
    rank : int
        Dimensions of the space that targets are rotated into, at least the latents.
    chunk, context : int
        Rows of a training sequence, and rows before it that only warm the networks up.
    steps, every : int
        Optimiser steps at most, and steps between two looks at the inner folds.
    learning_rate, weight_decay : float
        Of AdamW; the decay pulls the linear path to its start and the networks to zero.
    reconstruction, beta, prior : float
        Weights of the objective, see `stim2bold.vae.Objective`.
    """

    preset: str = "small-data"
    scope: str = "subject"
    seed: int = 1
    seeds: int = 3
    device: str = "auto"
    components: int = 60
    bins: int = 5
    latents: int = 40
    hidden: int = 16
    linear: bool = True
    delayed: bool = True
    rank: int = 64
    chunk: int = 32
    context: int = 16
    steps: int = 40
    every: int = 10
    learning_rate: float = 2e-3
    weight_decay: float = 1.0
    reconstruction: float = 1.0
    beta: float = 1.0
    prior: float = 0.5


PRESETS = {
    "small-data": VAESettings(),
    # As arXiv 2011.07340 describes it; its sizes could not be read, these are ours.
    "paper": VAESettings(
        preset="paper",
        linear=False,
        delayed=False,
        hidden=64,
        latents=16,
        steps=120,
        learning_rate=3e-3,
        weight_decay=0.01,
        prior=0.0,
    ),
}


def settings_of(section: dict[str, Any]) -> VAESettings:
    """Return the preset that a configuration section names, with the section's own values.

    Parameters
    ----------
    section : dict
        ``preset`` and any other field of `VAESettings`; null leaves the preset's value.

    Raises
    ------
    InputError
        On an unknown preset or key.
    """
    known = {field.name for field in fields(VAESettings)}
    unknown = sorted(set(section) - known)
    if unknown or section.get("preset") not in PRESETS:
        raise InputError(
            f"configuration vae: unknown {unknown or section.get('preset')}; "
            f"presets are {sorted(PRESETS)}, keys are {sorted(known)}"
        )
    return replace(
        PRESETS[section["preset"]],
        **{key: value for key, value in section.items() if value is not None},
    )


@dataclass(frozen=True)
class Task:
    """One fold, ready for the models.

    Parameters
    ----------
    fold : Fold
    train, test : ndarray of int
        Row numbers.
    design : Design
    regressors : ndarray of shape (n_source_rows, n_regressors)
    standard : ndarray of shape (n_rows, n_targets)
        Targets, standardised by the training rows.
    mean, scale : ndarray of shape (n_targets,)
    """

    fold: Fold
    train: np.ndarray
    test: np.ndarray
    design: Design
    regressors: np.ndarray
    standard: np.ndarray
    mean: np.ndarray
    scale: np.ndarray


def prepare(problem: Problem, fold: Fold, settings: VAESettings) -> Task:
    """Fit everything of a fold that needs no gradient, on its training rows."""
    train, test = usable(problem, fold)
    filters = problem.filters(bins=settings.bins)
    if not settings.delayed:
        filters = type(filters)(offsets=(0,), weights=((1.0,),))
    design = fit_design(
        problem.source,
        train - problem.first_row,
        filters=filters,
        n_components=settings.components,
        spaces=problem.spaces,
    )
    mean, scale = standardisation(problem.target[train - problem.rows[0]])
    return Task(
        fold=fold,
        train=train,
        test=test,
        design=design,
        regressors=design.apply(problem.source),
        standard=(problem.target - mean) / scale,
        mean=mean,
        scale=scale,
    )


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
    rows: np.ndarray,
    settings: VAESettings,
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
    rows : ndarray of shape (n_rows,)
        Row numbers.
    settings : VAESettings
    participants : int
        Targets are those of so many participants, one after the other, at the same places.

    Returns
    -------
    Start
        ``basis`` (rank, n_targets) has orthonormal rows. Latents have unit variance over the rows;
        the posterior map is the exact one for the decoder, the noise and a prior variance of one.
    """
    x = regressors.astype(np.float64)
    fit = fit_weights(x, standard, rows=rows, participants=participants)
    gram, latents = x.T @ x, settings.latents
    values, vectors = np.linalg.eigh(gram)
    kept = values > values[-1] * 1e-9
    root = vectors[:, kept] * np.sqrt(values[kept])
    # The predicted part of the targets, ordered by variance, gives the latents.
    left, strength, right = np.linalg.svd(root.T @ fit.weights, full_matrices=False)
    n = min(latents, len(strength))
    rest = standard - (standard @ right[:n].T) @ right[:n]
    extra = min(settings.rank - n, *rest.shape)
    basis = right[:n]
    if extra > 0:
        axes = principal_axes(rest, extra)
        # Orthogonal already, but for rounding.
        basis = np.linalg.qr(np.concatenate([basis.T, axes], axis=1))[0].T
    whiten = vectors[:, kept] / np.sqrt(values[kept])
    encoder = np.zeros((x.shape[1], latents))
    decoder = np.zeros((latents, len(basis)))
    encoder[:, :n] = whiten @ left[:, :n] * np.sqrt(len(x))
    decoder[:n] = (strength[:n, None] * right[:n] / np.sqrt(len(x))) @ basis.T
    covariance = np.linalg.inv(decoder @ decoder.T / fit.noise + np.eye(latents))
    return Start(
        basis=basis.astype(np.float32),
        encoder=encoder,
        decoder=decoder,
        posterior=(covariance @ decoder / fit.noise).T,
        variance=np.diag(covariance).copy(),
        noise=fit.noise,
    )


def chunked(series: np.ndarray, settings: VAESettings) -> np.ndarray:
    """Cut a series into overlapping sequences: (n_sequences, context + chunk, n_columns).

    The first `context` rows of a sequence repeat the end of the one before it; before the first
    row there are zeros.
    """
    n_rows = len(series)
    n_sequences = -(-n_rows // settings.chunk)
    padded = np.zeros(
        (settings.context + n_sequences * settings.chunk, series.shape[1]), dtype=np.float32
    )
    padded[settings.context : settings.context + n_rows] = series
    return np.stack(
        [
            padded[i * settings.chunk : (i + 1) * settings.chunk + settings.context]
            for i in range(n_sequences)
        ]
    )


def unchunked(sequences: Tensor, n_rows: int, settings: VAESettings) -> Tensor:
    """Put sequences (models, n_sequences, context + chunk, n_columns) together again."""
    kept = sequences[:, :, settings.context :]
    return kept.reshape(kept.shape[0], -1, kept.shape[-1])[:, :n_rows]


@dataclass(frozen=True)
class Job:
    """One model to train: a fold's data, the rows it may see, its seed and where it starts."""

    task: Task
    train: np.ndarray
    seed: int
    start: Start


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
    source, target, mask = [], [], []
    for i, job in enumerate(jobs):
        start = job.start
        regressors = np.zeros((len(rows), width), dtype=np.float32)
        regressors[:, : job.task.regressors.shape[1]] = job.task.regressors[rows - first]
        coordinates = np.zeros((len(rows), rank), dtype=np.float32)
        coordinates[:, : len(start.basis)] = job.task.standard @ start.basis.T
        visible = np.zeros((len(rows), 1), dtype=np.float32)
        visible[job.train - rows[0]] = 1
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
        mask.append(chunked(visible, settings)[:, :, 0])
    as_tensor = [torch.from_numpy(np.stack(part)).to(device) for part in (source, target, mask)]
    return Batch(jobs, model.to(device), *as_tensor)


def draw_noise(generators: list[torch.Generator], shape: tuple[int, ...]) -> Tensor:
    """Return standard normal numbers (models, *shape), each model from its own generator."""
    return torch.stack([torch.randn(shape, generator=generator) for generator in generators])


def train(
    batch: Batch,
    settings: VAESettings,
    *,
    stops: np.ndarray,
    look: Callable[[int, VAE], None] | None = None,
    progress: Callable[[Iterable], Iterable] = iter,
) -> pd.DataFrame:
    """Train a batch; each model keeps the parameters of its own last step.

    Parameters
    ----------
    batch : Batch
        Its model is changed.
    settings : VAESettings
    stops : ndarray of shape (n_models,)
        Steps after which each model's prediction stands. With a linear path the parameters that
        do not move the prediction (target encoder, variances) go on to the last step.
    look : callable, optional
        Called with step and model every `settings.every` steps, before the first step too.
    progress : callable
        Wraps the steps.

    Returns
    -------
    DataFrame
        Columns step, model and the parts of the objective.
    """
    model, device = batch.model, batch.source.device
    # The linear path is the mean of a posterior that knows its prior; the gradient of the
    # likelihood knows none and only leads away from it, so the path stays where it was put.
    held = ("source_encoder.linear", "decoder", "log_noise") if settings.linear else ()
    guarded = ("source_encoder.lstm", "source_encoder.mean") if settings.linear else ("",)
    named = [(n, p) for n, p in model.named_parameters() if not n.startswith(held or "-")]
    parameters = [p for _, p in named]
    bounded = [name.startswith(guarded) for name, _ in named]
    n_steps = settings.steps if settings.linear else int(np.max(stops))
    start = [p.detach().clone() for p in parameters]
    first = [torch.zeros_like(p) for p in parameters]
    second = [torch.zeros_like(p) for p in parameters]
    generators = [torch.Generator().manual_seed(10_000 + job.seed) for job in batch.jobs]
    shape = (batch.source.shape[1], settings.chunk, settings.latents)
    objective = Objective(settings.reconstruction, settings.beta, settings.prior)
    limit = torch.as_tensor(np.asarray(stops), device=device)
    history = []
    for step in progress(range(n_steps + 1)):
        if look is not None and step % settings.every == 0:
            with torch.no_grad():
                look(step, model)
        if step == n_steps:
            break
        noise = [draw_noise(generators, shape).to(device) for _ in range(2)]
        parts = losses(
            model,
            batch.source,
            batch.target,
            batch.mask,
            noise=tuple(noise),
            objective=objective,
            context=settings.context,
        )
        # One target's share of the loss: the step size then means the same for 100 voxels and
        # for 20,000. Models do not mix: the gradient of the sum is each model's own.
        gradients = torch.autograd.grad(
            parts["total"].sum() / batch.target.shape[-1], parameters, allow_unused=True
        )
        active = (step < limit).to(torch.float32)
        with torch.no_grad():
            for p, p0, g, m, v, stop in zip(
                parameters, start, gradients, first, second, bounded, strict=True
            ):
                if g is None:
                    continue
                # AdamW (Loshchilov & Hutter, ICLR 2019), decaying to the start instead of to zero.
                m.lerp_(g, 0.1)
                v.lerp_(g * g, 0.001)
                size = settings.learning_rate
                if stop:
                    size = size * active.reshape(-1, *[1] * (p.ndim - 1))
                correction = (1 - 0.999 ** (step + 1)) ** 0.5 / (1 - 0.9 ** (step + 1))
                move = correction * m / (v.sqrt() + 1e-8) + settings.weight_decay * (p - p0)
                p.sub_(size * move)
        if step % settings.every == 0:
            values = {name: value.detach().cpu().numpy() for name, value in parts.items()}
            for i, job in enumerate(batch.jobs):
                record = {"step": step, "fold": job.task.fold.number, "seed": job.seed}
                history.append(record | {name: float(value[i]) for name, value in values.items()})
    columns = ["step", "fold", "seed", "total", "reconstruction", "prior", "kl"]
    return pd.DataFrame(history, columns=columns).astype(float)


def pick_device(name: str) -> torch.device:
    """Return the device that a configuration names; auto takes a GPU when there is one."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("configuration device: cuda, but there is no GPU; use auto or cpu")
    return torch.device(name)


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
        90 % interval).
    """

    fitted: Fitted
    history: pd.DataFrame
    tensors: dict[str, np.ndarray]
    record: dict[str, Any]
    diagnostics: pd.DataFrame


def latent_summary(batch: Batch, settings: VAESettings) -> np.ndarray:
    """Return KL[q(z|target) || q(z|source)] of each model and latent, nats a fitted row."""
    with torch.no_grad():
        mean0, log_variance0 = batch.model.source_encoder(batch.source)
        mean, log_variance = batch.model.target_encoder(batch.target * batch.mask[..., None])
        kl = gaussian_kl(mean, log_variance, mean0, log_variance0)[:, :, settings.context :]
        mask = batch.mask[:, :, settings.context :, None]
        return ((kl * mask).sum(dim=(1, 2)) / mask.sum(dim=(1, 2))).cpu().numpy()


def diagnose(fold: int, *, error: np.ndarray, noise: np.ndarray, kl: np.ndarray) -> list[tuple]:
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
    ]


def make_job(
    task: Task,
    problem: Problem,
    rows: np.ndarray,
    seed: int,
    settings: VAESettings,
    participants: int,
) -> Job:
    """Return a job that starts from the linear solution on some of the fold's training rows."""
    start = start_model(
        task.regressors[rows - problem.first_row],
        task.standard[rows - problem.rows[0]],
        rows=rows,
        settings=settings,
        participants=participants,
    )
    return Job(task=task, train=rows, seed=seed, start=start)


def choose_steps(
    tasks: list[Task],
    problem: Problem,
    settings: VAESettings,
    *,
    device: torch.device,
    participants: int,
    progress: Callable[[Iterable], Iterable],
) -> tuple[np.ndarray, list[np.ndarray], pd.DataFrame]:
    """Choose the number of steps of each fold on its inner folds.

    Returns
    -------
    steps : ndarray of shape (n_folds,)
    noise : list of ndarray of shape (n_targets,)
        Variance of each standardised target about its prediction, for each fold.
    history : DataFrame
        Objective and, every few steps, the error on the inner test rows (squared, relative to
        predicting the mean).
    """
    jobs, validation = [], []
    for task in tasks:
        for split in task.fold.inner:
            fit, test = within(problem, split.train), within(problem, split.test)
            if fit.size >= 10 and test.size:
                jobs.append(make_job(task, problem, fit, settings.seed, settings, participants))
                validation.append(test - problem.rows[0])
    batch = make_batch(jobs, problem, settings, device)
    n_rows = len(problem.rows)
    target = unchunked(batch.target, n_rows, settings)
    looks, guesses = [], {}

    def look(step: int, model: VAE) -> None:
        guess = unchunked(model.predict(batch.source), n_rows, settings)
        for i, rows in enumerate(validation):
            error = ((target[i, rows] - guess[i, rows]) ** 2).sum()
            scale = (target[i, rows] ** 2).sum()
            guesses[step, i] = guess[i, rows].cpu().numpy()
            looks.append((step, jobs[i].task.fold.number, i, float(error / scale)))

    stops = np.full(len(jobs), settings.steps)
    history = train(batch, settings, stops=stops, look=look, progress=progress)
    table = pd.DataFrame(looks, columns=["step", "fold", "job", "error"])
    curve = table.groupby(["fold", "step"]).error.mean()
    steps = np.array([int(curve.loc[task.fold.number].idxmin()) for task in tasks])
    curve = curve.rename("inner_error").reset_index()
    noise = []
    for task, step in zip(tasks, steps, strict=True):
        # What a model that has not seen a row gets wrong there: the residual of rows it has seen
        # is too small, by what was fitted to them.
        error = np.concatenate(
            [
                task.standard[validation[i]]
                - guesses[step, i][:, : len(job.start.basis)] @ job.start.basis
                for i, job in enumerate(jobs)
                if job.task is task
            ]
        )
        noise.append((error**2).mean(axis=0))
    history = history.groupby(["fold", "step"], as_index=False).mean(numeric_only=True)
    history = history.drop(columns="seed", errors="ignore").merge(curve, how="outer")
    return steps, noise, history.assign(phase="inner")


def fit(
    problem: Problem,
    folds: list[Fold],
    settings: VAESettings,
    *,
    participants: int = 1,
    progress: Callable[[Iterable], Iterable] = iter,
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
    """
    device = pick_device(settings.device)
    tasks = [prepare(problem, fold, settings) for fold in folds]
    steps, noises, inner = choose_steps(
        tasks, problem, settings, device=device, participants=participants, progress=progress
    )
    log.info("%s: steps chosen on the inner folds: %s", problem.direction, steps.tolist())
    first = [
        make_job(task, problem, task.train, settings.seed, settings, participants) for task in tasks
    ]
    jobs = [
        replace(job, seed=settings.seed + seed) for job in first for seed in range(settings.seeds)
    ]
    batch = make_batch(jobs, problem, settings, device)
    stops = np.repeat(steps, settings.seeds)
    history = train(batch, settings, stops=stops, progress=progress)
    with torch.no_grad():
        guess = unchunked(batch.model.predict(batch.source), len(problem.rows), settings).cpu()
    parts, tensors, found = [], {}, []
    parameters = latent_summary(batch, settings)
    for i, task in enumerate(tasks):
        mine = guess[i * settings.seeds : (i + 1) * settings.seeds].mean(dim=0).numpy()
        basis = first[i].start.basis
        mine = mine[:, : len(basis)] @ basis
        out = task.test - problem.rows[0]
        parts.append((task.fold, task.train, task.test, mine[out] * task.scale + task.mean))
        tensors[f"target_noise/{task.fold.number}"] = noises[i]
        here = slice(i * settings.seeds, (i + 1) * settings.seeds)
        found += diagnose(
            task.fold.number,
            error=task.standard[out] - mine[out],
            noise=noises[i],
            kl=parameters[here].mean(axis=0),
        )
        tensors[f"target_basis/{task.fold.number}"] = basis
        for name in ("mean", "scale"):
            tensors[f"target_{name}/{task.fold.number}"] = getattr(task, name)
        for name in ("mean", "scale", "loadings", "centre"):
            tensors[f"source_{name}/{task.fold.number}"] = getattr(task.design, name)
    for name, value in batch.model.state_dict().items():
        tensors[f"model/{name}"] = value.cpu().numpy()
    record = {
        "direction": problem.direction,
        "settings": asdict(settings),
        "sizes": asdict(batch.model.sizes),
        "folds": [
            {
                "fold": task.fold.number,
                "steps": int(steps[i]),
                "spread": task.design.spread,
                "components": list(task.design.components),
                "filters": asdict(task.design.filters),
            }
            for i, task in enumerate(tasks)
        ],
    }
    columns = ["phase", "fold", "seed", "step", "total", "reconstruction", "prior", "kl"]
    whole = pd.concat([inner, history.assign(phase="outer")], ignore_index=True)
    whole = whole.reindex(columns=[*columns, "inner_error"])
    return Trained(
        fitted=collect(parts),
        history=whole,
        tensors=tensors,
        record=record,
        diagnostics=pd.DataFrame(found, columns=["fold", "measure", "dimension", "value"]),
    )


def predict_stored(
    tensors: dict[str, np.ndarray], record: dict[str, Any], source: np.ndarray, *, fold: int
) -> np.ndarray:
    """Predict from a stored model alone.

    Parameters
    ----------
    tensors, record
        As `stim2bold.storage.read_model` returns them.
    source : ndarray of shape (n_rows, n_features)
        From the first row of the film (of the recording) on, as in training.
    fold : int
        Whose models to use.

    Returns
    -------
    ndarray of shape (n_rows, n_targets)
        In the target's units.
    """
    settings = VAESettings(**record["settings"])
    position = [part["fold"] for part in record["folds"]].index(fold)
    part = record["folds"][position]
    design = Design(
        **{
            name: tensors[f"source_{name}/{fold}"]
            for name in ("mean", "scale", "loadings", "centre")
        },
        filters=FilterBank(
            offsets=tuple(part["filters"]["offsets"]),
            weights=tuple(map(tuple, part["filters"]["weights"])),
        ),
        spread=part["spread"],
        components=tuple(part["components"]),
    )
    here = slice(position * settings.seeds, (position + 1) * settings.seeds)
    model = VAE(Sizes(**record["sizes"] | {"models": settings.seeds}))
    model.load_state_dict(
        {
            name.removeprefix("model/"): torch.from_numpy(value[here].copy())
            for name, value in tensors.items()
            if name.startswith("model/")
        }
    )
    regressors = design.apply(source)
    width = np.zeros((len(source), record["sizes"]["source"]), dtype=np.float32)
    width[:, : regressors.shape[1]] = regressors
    sequences = torch.from_numpy(chunked(width, settings)).expand(settings.seeds, -1, -1, -1)
    with torch.no_grad():
        guess = unchunked(model.predict(sequences), len(source), settings).mean(dim=0).numpy()
    basis = tensors[f"target_basis/{fold}"]
    return (
        guess[:, : len(basis)] @ basis * tensors[f"target_scale/{fold}"]
        + (tensors[f"target_mean/{fold}"])
    )
