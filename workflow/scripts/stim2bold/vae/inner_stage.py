"""What is chosen on the inner folds: the number of training steps, and how sure a model is."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from scipy import stats

from stim2bold.models.directions import Problem
from stim2bold.models.predictions import inner_folds
from stim2bold.vae.batches import Batch, Job, make_batch, make_job, row_masks
from stim2bold.vae.checkpoints import Checkpoint
from stim2bold.vae.initialisation import Solution, Task, inner_task
from stim2bold.vae.optimiser import train
from stim2bold.vae.sequences import unchunked
from stim2bold.vae.settings import VAESettings

SURE = 0.05
"""Below this p a network's gain over its linear start is believed."""
SMALLEST_SLOPE = 0.05
"""Of a prediction, so that one of which nothing is known still varies."""


def least_error(errors: np.ndarray, *, clearly: bool) -> int:
    """Return the position of the least mean error.

    Parameters
    ----------
    errors : ndarray of shape (n_steps, n_inner_folds)
        The start first.
    clearly : bool
        Only among steps that err less than the start does on every inner fold, and only where the
        gain of one of them is significant (one-sided paired t test over inner folds, p < `SURE`);
        else the start.
    """
    mean = errors.mean(axis=1)
    if clearly:
        gains = (errors < errors[0]).all(axis=1)
        if errors.shape[1] > 1 and gains.any():
            p = stats.ttest_rel(errors[0], errors[gains], axis=1, alternative="greater").pvalue
            gains &= p.min() < SURE
        gains[0] = True
        mean = np.where(gains, mean, np.inf)
    return int(mean.argmin())


class HeldOutErrors:
    """What models in training get wrong at the inner folds' held-out rows.

    Parameters
    ----------
    batch : Batch
        One model for each inner fold of each fold.
    problem : Problem
    held_out : list of ndarray of int
        For each model, positions among the problem's rows.
    settings : VAESettings
    """

    def __init__(
        self, batch: Batch, problem: Problem, held_out: list[np.ndarray], settings: VAESettings
    ) -> None:
        self.batch, self.held_out, self.settings = batch, held_out, settings
        self.n_rows = len(problem.rows)
        # The rows of a fold's inner folds: the choice must not look at its test interval either.
        trained = [job.task.train for job in batch.jobs]
        self.visible = row_masks(trained, problem, settings, batch.source.device)
        self.truth = self.at_held_out(batch.target)
        self.fold = np.array([job.task.fold.number for job in batch.jobs])
        self.steps: list[int] = []
        self.errors: list[np.ndarray] = []
        self.guesses: list[np.ndarray] = []

    def at_held_out(self, sequences: torch.Tensor) -> list[np.ndarray]:
        """Return each model's held-out rows of sequences."""
        series = unchunked(sequences, self.n_rows, self.settings)
        return [part[rows].cpu().numpy() for part, rows in zip(series, self.held_out, strict=True)]

    def look(self, step: int) -> None:
        """Add the errors of a step; keep the guesses of a fold that would take so many."""
        with torch.no_grad():
            mean, _ = self.batch.encode(self.visible)
            guesses = self.at_held_out(self.batch.model.decoder(mean))
        errors = [
            float(((truth - guess) ** 2).sum() / (truth**2).sum())
            for truth, guess in zip(self.truth, guesses, strict=True)
        ]
        self.steps.append(step)
        self.errors.append(np.array(errors))
        if not self.guesses:
            self.guesses = guesses
        for number, best in self.best_steps().items():
            if best == step:
                for i in np.flatnonzero(self.fold == number):
                    self.guesses[i] = guesses[i]

    def curve(self) -> pd.DataFrame:
        """Return the mean error over the inner folds and its standard error, by fold and step.

        Squared errors are relative to predicting the mean.
        """
        table = pd.DataFrame(self.errors, index=pd.Index(self.steps, name="step"))
        table = table.T.groupby(pd.Index(self.fold, name="fold"), sort=False)
        return pd.DataFrame(
            {
                "inner_error": table.mean().stack(future_stack=True),
                "inner_error_se": table.sem().stack(future_stack=True),
            }
        )

    def least(self, *, clearly: bool) -> dict[int, int]:
        """Return the step of `least_error` of each fold."""
        errors = np.stack(self.errors)
        return {
            int(number): self.steps[least_error(errors[:, self.fold == number], clearly=clearly)]
            for number in np.unique(self.fold)
        }

    def best_steps(self) -> dict[int, int]:
        """Return how many steps each fold takes.

        From a linear start a network must gain on every inner fold, and surely: of many steps one
        errs less on average by chance.
        """
        return self.least(clearly=self.settings.linear)

    @property
    def ended(self) -> bool:
        """Whether no fold has erred less for `patience` steps."""
        last = max(self.least(clearly=False).values())
        return self.steps[-1] - last >= self.settings.patience

    def state(self) -> dict[str, np.ndarray]:
        """Return everything that was seen so far."""
        if not self.steps:
            return {}
        kept = {f"guess/{i}": guess for i, guess in enumerate(self.guesses)}
        return kept | {"steps": np.array(self.steps), "errors": np.stack(self.errors)}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Put back what `state` returned."""
        if state:
            self.steps = state["steps"].tolist()
            self.errors = list(state["errors"])
            self.guesses = [state[f"guess/{i}"] for i in range(len(self.held_out))]


@dataclass(frozen=True)
class Calibration:
    """How the truth lies about a fold's predictions, both standardised.

    Parameters
    ----------
    slope : float
        What predictions are multiplied by.
    noise : ndarray of shape (n_targets,)
        Variance of each target about them.
    """

    slope: float
    noise: np.ndarray


def calibrate(
    problem: Problem, predicted: Sequence[tuple[Job, np.ndarray, np.ndarray]]
) -> Calibration:
    """Calibrate a fold's predictions on what models of its inner folds say of rows not seen.

    The residual of rows that a model has seen is too small, by what was fitted to them. What suits
    the few voxels that follow the film predicts too much of all the others: the slope is that of
    the regression of truth on prediction over all targets, less one standard error over the inner
    folds, and at most 1. Correlations of voxels do not depend on it.

    Parameters
    ----------
    problem : Problem
    predicted : sequence of (job, rows, coordinates)
        For each inner fold its model, the positions of its held-out rows among the problem's, and
        what the model says there, in the basis it starts from, (n_rows, rank or more).
    """
    products, powers = np.zeros((2, len(predicted), problem.target.shape[1]))
    total, count = np.zeros(problem.target.shape[1]), 0
    for i, (job, rows, coordinates) in enumerate(predicted):
        truth = job.task.standard(problem, problem.rows[rows])
        guess = coordinates[:, : len(job.start.basis)] @ job.start.basis
        products[i] = (truth * guess).sum(axis=0, dtype=np.float64)
        powers[i] = (guess**2).sum(axis=0, dtype=np.float64)
        total += (truth**2).sum(axis=0, dtype=np.float64)
        count += len(rows)
    slope = safe_slope(products.sum(axis=1), powers.sum(axis=1))
    squares = total - 2 * slope * products.sum(axis=0) + slope**2 * powers.sum(axis=0)
    # Not below zero by rounding.
    return Calibration(slope, np.maximum(squares, 0) / count)


def safe_slope(products: np.ndarray, powers: np.ndarray) -> float:
    """Return a regression's slope less its standard error over parts, within (0, 1].

    Parameters
    ----------
    products, powers : ndarray of shape (n_parts,)
        Sums over a part of truth times prediction, and of squared predictions.
    """
    n, power = len(products), powers.sum()
    if power == 0:
        return SMALLEST_SLOPE
    slope = products.sum() / power
    # Of a ratio of sums (Cochran, Sampling Techniques, 1977, chapter 6).
    off = ((products - slope * powers) ** 2).sum()
    error = np.sqrt(off * n / (n - 1)) / power if n > 1 else 0.0
    return float(np.clip(slope - error, SMALLEST_SLOPE, 1.0))


def choose_steps(
    tasks: list[Task],
    solutions: list[Solution],
    problem: Problem,
    settings: VAESettings,
    *,
    device: torch.device,
    participants: int,
    progress: Callable[[Iterable], Iterable],
    checkpoint: Checkpoint | None,
) -> tuple[np.ndarray, list[Calibration], pd.DataFrame]:
    """Choose the number of steps of each fold on its inner folds.

    Returns
    -------
    steps : ndarray of shape (n_folds,)
    calibrations : list of Calibration
        For each fold.
    history : DataFrame
        Objective and, every few steps, the error on the inner test rows, see
        `HeldOutErrors.curve`.
    """
    jobs: list[Job] = []
    held_out = []
    for task, solution in zip(tasks, solutions, strict=True):
        for split in inner_folds(problem, task.fold):
            own = inner_task(task, problem, split, settings)
            jobs.append(
                make_job(own, problem, split.train, settings.seed, settings, solution, participants)
            )
            held_out.append(split.test - problem.rows[0])
    batch = make_batch(jobs, problem, settings, device)
    errors = HeldOutErrors(batch, problem, held_out, settings)
    history = train(
        batch,
        settings,
        stops=np.full(len(jobs), settings.steps),
        watch=errors,
        progress=progress,
        checkpoint=checkpoint,
    )
    best = errors.best_steps()
    predicted = list(zip(jobs, held_out, errors.guesses, strict=True))
    calibrations = [
        calibrate(problem, [one for one in predicted if one[0].task.fold is task.fold])
        for task in tasks
    ]
    history = history.groupby(["fold", "step"], as_index=False).mean(numeric_only=True)
    history = history.drop(columns="seed", errors="ignore")
    history = history.merge(errors.curve().reset_index(), how="outer")
    steps = np.array([best[task.fold.number] for task in tasks])
    return steps, calibrations, history.assign(phase="inner")
