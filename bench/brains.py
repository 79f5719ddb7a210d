"""Measured claims of models on noise that voxels share, planted and real.

Planted noise is that of the ruler, version 2: a share of its variance lies in ten spatial patterns,
some of them slow. Real movie BOLD is read where it lies beside the project; its rows are left out
where it does not.
"""

import time
from dataclasses import replace
from pathlib import Path

import models
import numpy as np
import pandas as pd
import planted
import xarray as xr
from claims import row
from shipped import shipped

from stim2bold.models import directions, folds, predictions, ridge
from stim2bold.preprocessing.scan_clock import row_middles
from stim2bold.vae import settings as vae_settings
from stim2bold.vae import training
from stim2bold.vae.group import fit_heads

SEEDS = (61, 62, 63)
SHARES = (0.0, 0.5, 0.8)
SMALL = shipped(vae_settings.VAESettings, seeds=1)
MOVIE = Path(__file__).resolve().parents[2] / "shared" / "movie_bold" / "run1.npz"
# Rows of the film, each of 390 s, which the delays may look 12 s before.
SEGMENTS = ((34, 294), (294, 554), (554, 814))
TR, BEFORE = 1.5, 8


def train_group(
    problems: list[directions.Problem], splits: list
) -> tuple[directions.Problem, training.Trained]:
    """Train one model of all participants; return their targets side by side, and the model."""
    joined = np.concatenate([problem.target for problem in problems], axis=1)
    everyone = replace(problems[0], target=joined)
    return everyone, training.fit(everyone, splits, SMALL, participants=len(problems))


def together(problems: list[directions.Problem], splits: list) -> list[predictions.Fitted]:
    """Return what one model of all participants predicts for each."""
    fitted = train_group(problems, splits)[1].fitted
    parts = np.split(fitted.values, len(problems), axis=1)
    return [replace(fitted, values=part) for part in parts]


def own_and_others(
    problems: list[directions.Problem], splits: list, own: list[predictions.Fitted]
) -> list[predictions.Fitted]:
    """Return what a lab does by hand: own ridge and ridge of the others' mean, added up."""
    total = sum(problem.target.astype(np.float64) for problem in problems)
    found = []
    for problem, alone in zip(problems, own, strict=True):
        mean = ((total - problem.target) / (len(problems) - 1)).astype(np.float32)
        others = ridge.predict_ridge(
            replace(problem, target=mean), splits, shipped(ridge.RidgeSettings)
        )
        found.append(replace(alone, values=alone.values + others.values))
    return found


def calibration(
    problem: directions.Problem, splits: list, trained: training.Trained
) -> tuple[float, float, float]:
    """Return what 90 % intervals cover, those about the training mean too, and what is gained.

    Returns
    -------
    coverage, coverage_mean : float
        Shares of the held-out values.
    gain : float
        Mean log score of the VAE's predictive density over that of a normal density about the
        training mean, nats a value.
    """
    inside, inside_mean, gains = [], [], []
    fitted = trained.fitted
    for fold in splits:
        _, test = predictions.usable(problem, fold)
        mean, scale = (trained.tensors[f"target_{key}/{fold.number}"] for key in ("mean", "scale"))
        truth = (problem.target[test - problem.rows[0]] - mean) / scale
        error = truth - (fitted.values[np.isin(fitted.rows, test)] - mean) / scale
        noise = trained.tensors[f"target_noise/{fold.number}"]
        covered, noise_mean = models.mean_only(problem, fold)
        inside.append((np.abs(error) <= 1.6448536 * np.sqrt(noise)).mean())
        inside_mean.append(covered)
        scores = [-0.5 * (np.log(v) + e**2 / v) for e, v in ((error, noise), (truth, noise_mean))]
        gains.append((scores[0] - scores[1]).mean())
    return float(np.mean(inside)), float(np.mean(inside_mean)), float(np.mean(gains))


def compared(problems: list[directions.Problem], splits: list, mask=slice(None)) -> dict:
    """Return mean r over participants of each model, and how well the VAE is calibrated."""
    linear = [
        [
            ridge.predict_ridge(problem, splits, shipped(ridge.RidgeSettings), banded=banded)
            for banded in (False, True)
        ]
        for problem in problems
    ]
    trained = [training.fit(problem, splits, SMALL) for problem in problems]
    told = [calibration(p, splits, one) for p, one in zip(problems, trained, strict=True)]
    known = dict(zip(("coverage", "coverage_mean", "gain"), np.mean(told, axis=0), strict=True))
    fits = {
        "ridge": [one[0] for one in linear],
        "banded": [one[1] for one in linear],
        "vae": [one.fitted for one in trained],
        "by_hand": own_and_others(problems, splits, [one[0] for one in linear]),
        "group": together(problems, splits),
    }
    return known | {
        name: np.mean([models.score(p, f, mask) for p, f in zip(problems, fitted, strict=True)])
        for name, fitted in fits.items()
    }


def ratios(name: str, found: list[dict], what: str, begun: float, *, goal: float) -> list[dict]:
    """Return the rows of one kind of data.

    Of real brains the mean r of a segment is near zero, and so is no divisor: ratios are those of
    means over segments, and their spread is left out.
    """
    r = {key: np.array([one[key] for one in found]) for key in found[0]}
    options = {"better": "higher", "seconds": time.monotonic() - begun}
    linear = max(r["ridge"].mean(), r["banded"].mean())
    return [
        row(f"{name}_ridge_r", r["ridge"], unit=f"r, {what}", **options),
        row(f"{name}_vae_r", r["vae"], unit=f"r, {what}", **options),
        row(f"{name}_group_r", r["group"], unit=f"r, {what}", **options),
        row(
            f"{name}_vae_over_linear",
            [r["vae"].mean() / linear],
            unit=f"VAE over the better of ridge and banded ridge, ratio of means, {what}",
            goal=1.0,
            **options,
        ),
        row(
            f"{name}_group_over_ridge",
            [r["group"].mean() / r["ridge"].mean()],
            unit=f"VAE of the group over own ridge, ratio of means, {what}",
            goal=goal,
            **options,
        ),
        row(
            f"{name}_group_over_by_hand",
            [r["group"].mean() / r["by_hand"].mean()] if r["by_hand"].mean() > 0 else [np.inf],
            unit=f"VAE of the group over own ridge + ridge of the others' mean, {what}",
            goal=1.08,
            **options,
        ),
        *calibration_rows(name, r["coverage"], r["coverage_mean"], r["gain"], what, begun),
    ]


def calibration_rows(
    name: str,
    coverage: np.ndarray,
    coverage_mean: np.ndarray,
    gain: np.ndarray,
    what: str,
    begun: float,
) -> list[dict]:
    """Return the rows of what `calibration` returns of several segments or films."""
    seconds = time.monotonic() - begun
    return [
        row(
            f"{name}_coverage_off",
            np.abs(coverage - 0.9),
            unit=f"held-out values in nominal 90 % intervals, distance from 0.90, {what}",
            trivial=float(np.abs(coverage_mean - 0.9).mean()),
            better="lower",
            seconds=seconds,
        ),
        row(
            f"{name}_log_score",
            gain,
            unit=f"nats a value over a normal density about the training mean, {what}",
            goal=1e-4,
            trivial=0.0,
            better="higher",
            seconds=seconds,
        ),
    ]


def shared_noise(*, participants: int = 8) -> list[dict]:
    """Planted: none, half and four fifths of the noise shared; eight participants."""
    rows = []
    for share in SHARES:
        begun, found = time.monotonic(), []
        difficulty = planted.Difficulty(shared=share)
        content = planted.fold_file(difficulty)
        splits = folds.read_folds(content)
        for seed in SEEDS:
            rng = np.random.default_rng(seed)
            courses, features = planted.film(difficulty, rng)
            tables, _, mask = planted.bold(courses, difficulty, rng, participants=participants)
            problems = [models.to_bold(features, table, content) for table in tables]
            found.append(compared(problems, splits, mask))
        what = f"{share:.0%} of the noise shared, {participants} participants"
        rows += ratios(f"shared_noise_{round(100 * share)}", found, what, begun, goal=1.30)
    return rows


def movie_table(values: np.ndarray, first: int, dimension: str) -> xr.DataArray:
    """Return a table of real rows, the first of which is row number `first`."""
    times = row_middles(np.arange(first, first + len(values)), TR=TR, film_onset=0.0)
    return xr.DataArray(
        values.astype(np.float32), dims=("time", dimension), coords={"time": times}, name=dimension
    )


def movie(
    segment: tuple[int, int],
    people: list[int],
    spaces: tuple[str, ...],
    *,
    film: tuple[int, int] | None = None,
):
    """Return everybody's problem of a segment, and its folds; the features may be of another."""
    start, stop = segment
    first, last = film or segment
    with np.load(MOVIE, allow_pickle=False) as data:
        source = [
            movie_table(
                np.nan_to_num(data[f"features_{name}"][first - BEFORE : last]), 0, "feature"
            )
            for name in spaces
        ]
        series = [data[f"bold_{number:02d}"][start:stop].astype(np.float32) for number in people]
    seen = np.all([np.isfinite(y).all(axis=0) & (y.std(axis=0) > 0) for y in series], axis=0)
    events = pd.DataFrame(
        {
            "onset": BEFORE * TR + 30.0 * np.arange(13),
            "duration": 30.0,
            "trial_type": (["a", "b"] * 7)[:13],
        }
    )
    n_rows = BEFORE + stop - start
    content = folds.make_folds(
        events, n_rows=n_rows, tr=TR, film_onset=0.0, settings=shipped(folds.FoldSettings)
    )
    problems = [
        directions.assemble(
            "film2bold",
            source=source,
            target=movie_table(y[:, seen], BEFORE, "voxel"),
            content=content,
        )
        for y in series
    ]
    return problems, folds.read_folds(content)


def real_movie() -> list[dict]:
    """Real movie BOLD: three segments; features from annotations; 8 and 17 participants."""
    if not MOVIE.is_file():
        return []
    rows = []
    for people in (range(1, 9), range(1, 18)):
        begun = time.monotonic()
        found = [compared(*movie(segment, list(people), ("annotations",))) for segment in SEGMENTS]
        what = f"movie BOLD, {len(people)} participants, {len(SEGMENTS)} segments"
        rows += ratios(f"real_movie_n{len(people)}", found, what, begun, goal=1.35)
    return rows


def group_calibration() -> list[dict]:
    """Real movie BOLD: how well the group's VAE is calibrated; 8 and 17 participants."""
    if not MOVIE.is_file():
        return []
    rows = []
    for people in (range(1, 9), range(1, 18)):
        begun, found = time.monotonic(), []
        for segment in SEGMENTS:
            problems, splits = movie(segment, list(people), ("annotations",))
            everyone, trained = train_group(problems, splits)
            found.append(calibration(everyone, splits, trained))
        name = f"group_calibration_n{len(people)}"
        what = f"VAE of the group, movie BOLD, {len(people)} participants"
        rows += calibration_rows(name, *np.array(found).T, what, begun)
    return rows


def wrong_film(*, participants: int = 8) -> list[dict]:
    """Real movie BOLD with the features of another segment: nothing may be predicted."""
    if not MOVIE.is_file():
        return []
    begun, people = time.monotonic(), list(range(1, participants + 1))
    pairs = [(one, other) for one in SEGMENTS for other in SEGMENTS if one != other]
    found = []
    for segment, film in pairs:
        problems, splits = movie(segment, people, ("annotations",), film=film)
        fits = {
            "ridge": [
                ridge.predict_ridge(problem, splits, shipped(ridge.RidgeSettings))
                for problem in problems
            ],
            "vae": [training.fit(problem, splits, SMALL).fitted for problem in problems],
            "group": together(problems, splits),
        }
        found.append(
            {
                name: np.mean(
                    [models.score(p, f, slice(None)) for p, f in zip(problems, mine, strict=True)]
                )
                for name, mine in fits.items()
            }
        )
    unit = f"standard errors over {len(pairs)} wrong segments, {participants} participants"
    rows = []
    for name in found[0]:
        r = np.array([one[name] for one in found])
        error = r.std(ddof=1) / np.sqrt(len(r))
        options = {"better": "lower", "seconds": time.monotonic() - begun}
        rows += [
            row(f"wrong_film_{name}", [r.mean() / error], unit=unit, goal=2.0, **options),
            row(f"wrong_film_{name}_r", r, unit="r of the wrong segment", **options),
        ]
    return rows


def newcomers(*, members: int = 8, last: int = 17) -> list[dict]:
    """Real movie BOLD: people on whom the group's encoder was not trained get a decoder alone."""
    if not MOVIE.is_file():
        return []
    begun, own, head = time.monotonic(), [], []
    for segment in SEGMENTS:
        problems, splits = movie(segment, list(range(1, last + 1)), ("annotations",))
        inside, outside = problems[:members], problems[members:]
        _, trained = train_group(inside, splits)
        own.append(
            np.mean(
                [
                    models.score(
                        p, ridge.predict_ridge(p, splits, shipped(ridge.RidgeSettings)), slice(None)
                    )
                    for p in outside
                ]
            )
        )
        head.append(
            np.mean(
                [
                    models.score(
                        p, fit_heads(p, splits, trained.tensors, trained.record), slice(None)
                    )
                    for p in outside
                ]
            )
        )
    what = (
        f"{last - members} newcomers to a group of {members}, movie BOLD, {len(SEGMENTS)} segments"
    )
    options = {"better": "higher", "seconds": time.monotonic() - begun}
    return [
        row("newcomers_r", head, unit=f"r, {what}", **options),
        row(
            "newcomers_over_ridge",
            [np.mean(head) / np.mean(own)],
            unit=f"decoder on the group's latents over own ridge, ratio of means, {what}",
            goal=1.0,
            **options,
        ),
    ]


CLAIMS = {
    function.__name__: function
    for function in (shared_noise, real_movie, group_calibration, wrong_film, newcomers)
}
