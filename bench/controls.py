"""Measured claims of networks where there is something to win: planted, long or not linear.

On minutes of film the inner folds leave the network of the VAE out, since it has nothing to win
there that they can see. Here it has: an hour of film at a ceiling of 0.6, of which the voxels
follow products, gated and rectified courses, made before the haemodynamic response.
"""

import time
from dataclasses import replace

import models
import numpy as np
import planted
import xarray as xr
from claims import row
from shipped import shipped

from stim2bold.models import directions, folds, ridge
from stim2bold.vae import settings as vae_settings
from stim2bold.vae import training

# Seed 0 was looked at while the network was designed; these were not.
SEEDS = (61, 62, 63)
HOUR = 120
"""Blocks of half a minute."""
FOLDS = 2
"""Of twelve, so that a seed takes minutes."""
KINDS = 4
"""Courses of each kind: gated, rectified, multiplied."""


def not_linear(courses: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return gated, rectified and multiplied courses of unit variance over rows, fine grid.

    Each is made of one or two of the film's courses at the same moment.
    """
    pairs = np.stack([rng.permutation(courses.shape[1])[:2] for _ in range(3 * KINDS)])
    one, other = courses[:, pairs[:, 0]], courses[:, pairs[:, 1]]
    gated, rectified, multiplied = (slice(i * KINDS, (i + 1) * KINDS) for i in range(3))
    made = np.concatenate(
        [
            one[:, gated] * (other[:, gated] > 0),
            np.maximum(one[:, rectified], 0),
            one[:, multiplied] * other[:, multiplied],
        ],
        axis=1,
    )
    rows = planted.at_rows(made)
    return (made - rows.mean(axis=0)) / rows.std(axis=0)


def hour(seed: int, *, linear: bool):
    """Return the problem, that whose source are the true courses, the planted mask and folds."""
    difficulty = planted.Difficulty(n_blocks=HOUR, ceiling=0.6, silent=100)
    content, rng = planted.fold_file(difficulty), np.random.default_rng(seed)
    courses, features = planted.film(difficulty, rng)
    followed = courses[:, : difficulty.planted_dimensions] if linear else not_linear(courses, rng)
    followed_by = replace(difficulty, planted_dimensions=followed.shape[1])
    (table,), _, mask = planted.bold(followed, followed_by, rng)
    truth = xr.DataArray(
        planted.at_rows(followed).astype(np.float32), dims=features.dims, coords=features.coords
    )
    problem, known = (
        directions.assemble("video2bold", source=[source], target=table, content=content)
        for source in (features, truth)
    )
    return problem, known, mask, folds.read_folds(content)[:FOLDS]


def linear_r(problem: directions.Problem, splits: list, mask: np.ndarray) -> float:
    """Return mean r of ridge in the planted voxels."""
    fitted = ridge.predict_ridge(problem, splits, shipped(ridge.RidgeSettings))
    return models.score(problem, fitted, mask)


def trained_r(
    problem: directions.Problem, splits: list, mask: np.ndarray, preset: str
) -> tuple[float, list[int]]:
    """Return mean r of one VAE in the planted voxels, and the steps that inner folds chose."""
    trained = training.fit(
        problem, splits, shipped(vae_settings.VAESettings, preset=preset, seeds=1)
    )
    steps = [fold["steps"] for fold in trained.record["folds"]]
    return models.score(problem, trained.fitted, mask), steps


def vae_products() -> list[dict]:
    """Measure an hour of film whose voxels follow what no linear path can show."""
    started, found = time.monotonic(), []
    for seed in SEEDS:
        problem, known, mask, splits = hour(seed, linear=False)
        vae, steps = trained_r(problem, splits, mask, "small-data")
        one = {
            "vae": vae,
            "ridge": linear_r(problem, splits, mask),
            "truth": linear_r(known, splits, mask),
            "steps": np.mean(steps),
        }
        found.append(one)
    r = {key: np.array([one[key] for one in found]) for key in found[0]}
    options = {"better": "higher", "seconds": time.monotonic() - started}
    what = "an hour at ceiling 0.6, gated, rectified and multiplied courses"
    return [
        row(
            "vae_products_over_truth",
            r["vae"] / r["truth"],
            unit=f"VAE over ridge on the true courses; trivial: ridge on the features; {what}",
            goal=0.8,
            trivial=float((r["ridge"] / r["truth"]).mean()),
            **options,
        ),
        row("vae_products_r", r["vae"], unit=f"r, {what}", **options),
        row("vae_products_steps", r["steps"], unit=f"steps of training, {what}", **options),
    ]


def vae_hour() -> list[dict]:
    """Measure an hour of film whose voxels follow its features: the VAE, and the paper's preset."""
    started, found = time.monotonic(), []
    for seed in SEEDS:
        problem, known, mask, splits = hour(seed, linear=True)
        one = {
            "ridge": linear_r(problem, splits, mask),
            "truth": linear_r(known, splits, mask),
        }
        for preset in ("small-data", "paper"):
            one[preset], _ = trained_r(problem, splits, mask, preset)
        found.append(one)
    r = {key: np.array([one[key] for one in found]) for key in found[0]}
    options = {"better": "higher", "seconds": time.monotonic() - started, "trivial": 0.0}
    what = "an hour at ceiling 0.6, linear"
    return [
        row(
            "vae_hour_over_truth",
            r["small-data"] / r["truth"],
            unit=f"VAE over ridge on the true courses, {what}",
            goal=0.98,
            **options,
        ),
        row(
            "vae_paper_over_ridge",
            r["paper"] / r["ridge"],
            unit=f"preset paper over ridge, {what}",
            goal=0.9,
            **options,
        ),
    ]


def vae_paper_curve() -> list[dict]:
    """Measure the paper's preset by minutes of film, at a ceiling of 0.3."""
    started, found = time.monotonic(), {}
    for n_blocks in (13, 26, 52):
        for seed in SEEDS:
            features, (table,), mask, splits, content = models.study(
                seed, n_blocks=n_blocks, ceiling=0.3, silent=100
            )
            problem = models.to_bold(features, table, content)
            name = f"vae_paper_r_after_{n_blocks / 2:g}_minutes"
            r, _ = trained_r(problem, splits[:FOLDS], mask, "paper")
            found.setdefault(name, []).append(r)
    options = {"better": "higher", "seconds": time.monotonic() - started, "trivial": 0.0}
    return [
        row(name, values, unit="r, preset paper, ceiling 0.3", **options)
        for name, values in found.items()
    ]


CLAIMS = {
    "vae_products": vae_products,
    "vae_hour": vae_hour,
    "vae_paper_curve": vae_paper_curve,
}
