"""The optimiser: a batch of models, each with its own noise, stop and gradient."""

from collections.abc import Callable, Iterable
from typing import Protocol

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from stim2bold.runtime.errors import InputError
from stim2bold.vae.batches import Batch
from stim2bold.vae.checkpoints import Checkpoint
from stim2bold.vae.network import Objective, losses
from stim2bold.vae.settings import VAESettings

SEEN = "seen/"
"""Begins the names of what a watch keeps in a checkpoint."""
COLUMNS = ["step", "fold", "seed", "total", "reconstruction", "prior", "kl"]


def draw_noise(generators: list[torch.Generator], shape: tuple[int, ...]) -> Tensor:
    """Return standard normal numbers (models, *shape), each model from its own generator."""
    return torch.stack([torch.randn(shape, generator=generator) for generator in generators])


class Watch(Protocol):
    """Looks at models in training, and tells when it can end."""

    def look(self, step: int) -> None:
        """Look at the models after so many steps."""

    @property
    def ended(self) -> bool:
        """Whether training can end."""

    def state(self) -> dict[str, np.ndarray]:
        """Return what was seen so far."""

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Put back what `state` returned."""


class Optimiser:
    """AdamW over the parameters of a batch, decaying to where they started (not to zero).

    Loshchilov & Hutter, ICLR 2019. Where there is a linear path it is the mean of a posterior that
    knows its prior; the gradient of the likelihood knows none and only leads away from it, so the
    path stays where it was put. The networks that correct it stop at each model's own step; what
    does not move the prediction (target encoder, variances) goes on.

    Parameters
    ----------
    batch : Batch
        Its model is changed.
    settings : VAESettings
    stops : ndarray of shape (n_models,)
        Steps after which each model's prediction stands.
    """

    def __init__(self, batch: Batch, settings: VAESettings, stops: np.ndarray) -> None:
        self.batch, self.settings = batch, settings
        held = ("source_encoder.linear", "decoder", "log_noise") if settings.linear else ()
        guarded = ("",)
        if settings.linear:
            guarded = tuple(f"source_encoder.{part}" for part in ("frames", "lstm", "mean"))
        named = [
            (name, p)
            for name, p in batch.model.named_parameters()
            if not (held and name.startswith(held))
        ]
        self.names = [name for name, _ in named]
        self.parameters = [p for _, p in named]
        self.bounded = [name.startswith(guarded) for name in self.names]
        self.start = [p.detach().clone() for p in self.parameters]
        self.first = [torch.zeros_like(p) for p in self.parameters]
        self.second = [torch.zeros_like(p) for p in self.parameters]
        self.generators = [torch.Generator().manual_seed(10_000 + job.seed) for job in batch.jobs]
        self.stops = torch.as_tensor(np.asarray(stops), device=batch.source.device)
        self.n_steps = int(np.max(stops))
        if settings.linear:
            self.n_steps = max(self.n_steps, min(settings.steps, settings.patience))

    def state(self) -> dict[str, np.ndarray]:
        """Return everything that the next step depends on."""
        state = {}
        for name, p, m, v in zip(self.names, self.parameters, self.first, self.second, strict=True):
            for kind, value in (("value", p), ("first", m), ("second", v)):
                state[f"{kind}/{name}"] = value.detach().cpu().numpy()
        for i, generator in enumerate(self.generators):
            state[f"generator/{i}"] = generator.get_state().numpy()
        return state

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Put back what `state` returned."""
        with torch.no_grad():
            for name, *parts in zip(
                self.names, self.parameters, self.first, self.second, strict=True
            ):
                for kind, part in zip(("value", "first", "second"), parts, strict=True):
                    part.copy_(torch.from_numpy(state[f"{kind}/{name}"]))
        for i, generator in enumerate(self.generators):
            generator.set_state(torch.from_numpy(state[f"generator/{i}"]))

    def check_finite(self) -> None:
        """Refuse models that a training has led astray.

        Raises
        ------
        InputError
            When a parameter is no finite number.
        """
        finite = [p.isfinite().flatten(start_dim=1).all(dim=1) for p in self.parameters]
        astray = (~torch.stack(finite).all(dim=0)).tolist()
        if any(astray):
            folds = {
                job.task.fold.number
                for job, bad in zip(self.batch.jobs, astray, strict=True)
                if bad
            }
            raise InputError(
                "configuration vae",
                f"training diverged in fold(s) {', '.join(map(str, sorted(folds)))}: parameters "
                "are no finite numbers",
                "lower vae.learning_rate",
            )

    def step(self, number: int) -> dict[str, Tensor]:
        """Take one step; return the parts of the objective before it."""
        batch, settings = self.batch, self.settings
        drawn, n_sequences = slice(None), batch.source.shape[1]
        if n_sequences > settings.sequences:
            # Of the step's number alone: a training that is taken up again draws the same.
            rng = np.random.default_rng([settings.seed, number])
            drawn = np.sort(rng.choice(n_sequences, settings.sequences, replace=False))
        shape = (
            min(n_sequences, settings.sequences),
            settings.chunk,
            batch.model.sizes.latents,
        )
        noise = [draw_noise(self.generators, shape).to(batch.source.device) for _ in range(2)]
        parts = losses(
            batch.model,
            batch.source_at(drawn),
            batch.target[:, drawn],
            batch.mask[:, drawn],
            noise=tuple(noise),
            objective=Objective(settings.reconstruction, settings.beta, settings.prior),
            context=settings.context,
        )
        # One target's share of the loss: the step size then means the same for 100 voxels and
        # for 20,000. Models do not mix: the gradient of the sum is each model's own.
        gradients = torch.autograd.grad(
            parts["total"].sum() / batch.target.shape[-1], self.parameters, allow_unused=True
        )
        active = number < self.stops
        correction = (1 - 0.999 ** (number + 1)) ** 0.5 / (1 - 0.9 ** (number + 1))
        with torch.no_grad():
            for p, p0, g, m, v, bounded in zip(
                self.parameters,
                self.start,
                gradients,
                self.first,
                self.second,
                self.bounded,
                strict=True,
            ):
                if g is None:
                    continue
                m.lerp_(g, 0.1)
                v.lerp_(g * g, 0.001)
                move = correction * m / (v.sqrt() + 1e-8) + settings.weight_decay * (p - p0)
                moved = p - settings.learning_rate * move
                if bounded:
                    # What stands is copied, not moved by zero times a gradient that may overflow.
                    moved = torch.where(active.reshape(-1, *[1] * (p.ndim - 1)), moved, p)
                p.copy_(moved)
        return parts


def train(
    batch: Batch,
    settings: VAESettings,
    *,
    stops: np.ndarray,
    watch: Watch | None = None,
    progress: Callable[[Iterable], Iterable] = iter,
    checkpoint: Checkpoint | None = None,
) -> pd.DataFrame:
    """Train a batch; each model keeps the parameters of its own last step.

    Parameters
    ----------
    batch : Batch
        Its model is changed.
    settings : VAESettings
    stops : ndarray of shape (n_models,)
        Steps after which each model's prediction stands, see `Optimiser`.
    watch : Watch, optional
        Looks at the models every `settings.every` steps, before the first step too. What it sees
        may be no number; without it a training that diverges is refused.
    progress : callable
        Wraps the steps.
    checkpoint : Checkpoint, optional
        Where the state is kept every `settings.every` steps; training goes on from it.

    Returns
    -------
    DataFrame
        Columns step, fold, seed and the parts of the objective.

    Raises
    ------
    InputError
        See `Optimiser.check_finite`.
    """
    optimiser = Optimiser(batch, settings, stops)
    first, history = 0, []
    kept = checkpoint.load() if checkpoint else None
    if kept:
        state, notes = kept
        optimiser.restore(state)
        first, history = notes["step"], notes["history"]
        if watch:
            watch.restore({k.removeprefix(SEEN): v for k, v in state.items() if k.startswith(SEEN)})
    for step in progress(range(first, optimiser.n_steps + 1)):
        if step % settings.every == 0 and step > first and checkpoint:
            seen = watch.state() if watch else {}
            state = optimiser.state() | {f"{SEEN}{k}": value for k, value in seen.items()}
            checkpoint.save(state, {"step": step, "history": history})
        if watch and step % settings.every == 0:
            watch.look(step)
            if watch.ended:
                break
        if step == optimiser.n_steps:
            break
        parts = optimiser.step(step)
        if step % settings.every == 0:
            values = {name: value.detach().cpu().numpy() for name, value in parts.items()}
            for i, job in enumerate(batch.jobs):
                record = {"step": step, "fold": job.task.fold.number, "seed": job.seed}
                history.append(record | {name: float(value[i]) for name, value in values.items()})
    if watch is None:
        optimiser.check_finite()
    return pd.DataFrame(history, columns=COLUMNS).astype(float)
