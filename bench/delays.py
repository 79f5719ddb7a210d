"""Measured claims of the haemodynamic delay: whether responses lie at the volumes' middles."""

import time
from collections.abc import Callable

import numpy as np
import planted
from claims import row
from scipy.signal import fftconvolve
from shipped import shipped

from stim2bold.evaluation import metrics
from stim2bold.models import directions, folds, hrf, ridge
from stim2bold.simulation.film.planted_dimensions import haemodynamic_response

TRS = (0.4, 0.608, 1.5, 2.0, 3.0)
REACH = 12.0
# Seeds that no one looked at while the filters were written.
SEEDS = (50, 51, 52, 53, 54)


def timing_error(tr: float, *, seed: int, beyond: float = REACH) -> float:
    """Return by how many seconds filtered rows are early, against the response on a fine grid.

    Parameters
    ----------
    tr : float
    seed : int
        Of a film of three hours whose courses have the ruler's time scales.
    beyond : float
        Where the fine grid's response ends, seconds.
    """
    steps, n_rows = planted.STEPS, round(3 * 3600 / tr)
    step = tr / steps
    scales = np.exp(np.linspace(0.0, np.log(5.0), 6))
    courses = planted.fine_courses(n_rows, scales, np.random.default_rng(seed), tr=tr)
    response = haemodynamic_response((np.arange(round(beyond / step)) + 0.5) * step)
    whole = fftconvolve(courses, response[:, None], axes=0)
    mine = hrf.film_to_bold(tr, reach=REACH).apply(planted.at_rows(courses))
    kept = np.arange(100, n_rows - 100)
    middle = kept * steps + steps // 2 - 1
    moved = np.arange(-steps, steps + 1)
    r = [metrics.correlation(mine[kept], whole[middle + by]).mean() for by in moved]
    best = int(np.clip(np.argmax(r), 1, len(r) - 2))
    curve = np.polyfit(moved[best - 1 : best + 2], r[best - 1 : best + 2], 2)
    return float(-curve[1] / 2 / curve[0] * step)


def late_intervals(tr: float) -> hrf.FilterBank:
    """Return the filters as they were: lag l had the response's mean over [l, l + 1) TR."""
    n_lags = max(1, int(REACH / tr + 1e-9))
    grid = (np.arange(n_lags * 32) + 0.5) * tr / 32
    weights = hrf.canonical_hrf(grid).reshape(n_lags, 32).mean(axis=1)
    return hrf.FilterBank(tuple(-np.arange(n_lags)), (tuple(weights),))


class Early(directions.Problem):
    """A problem whose filters are as they were, half a TR early."""

    def filters(self, *, bins: int = 5) -> hrf.FilterBank:
        """Return them."""
        return late_intervals(self.tr)


def delay_timing() -> list[dict]:
    """Compare the filters with the response on a fine grid."""
    rows = []
    for tr in TRS:
        begun = time.monotonic()
        errors = [abs(timing_error(tr, seed=seed)) for seed in SEEDS[:2]]
        whole = [abs(timing_error(tr, seed=seed, beyond=32.0)) for seed in SEEDS[:2]]
        seconds = time.monotonic() - begun
        options = {"better": "lower", "statistic": np.max, "seconds": seconds}
        unit = f"s, largest error of timing at TR {tr:g} s"
        rows += [
            row(
                f"delay_timing_{tr:g}",
                errors,
                unit=f"{unit} (half a TR early: {tr / 2:g})",
                goal=0.02,
                **options,
            ),
            row(
                f"delay_cut_{tr:g}",
                whole,
                unit=f"{unit}, where the brain's response goes on beyond the 12 s looked at",
                **options,
            ),
        ]
    return rows


def delay_ridge() -> list[dict]:
    """Fit ridge with the filters as they are and as they were, at several TRs."""
    rows = []
    for tr in TRS:
        begun, before, after = time.monotonic(), [], []
        for seed in SEEDS:
            difficulty = planted.Difficulty(TR=tr)
            content = planted.fold_file(difficulty)
            rng = np.random.default_rng(seed)
            courses, features = planted.film(difficulty, rng)
            (table,), _, mask = planted.bold(courses, difficulty, rng)
            problem = directions.assemble(
                "video2bold", source=[features], target=table, content=content
            )
            splits = folds.read_folds(content)
            for found, one in ((after, problem), (before, Early(**vars(problem)))):
                fitted = ridge.predict_ridge(one, splits, shipped(ridge.RidgeSettings))
                truth = problem.target[fitted.rows]
                r = metrics.voxel_r(truth, fitted.values, fitted.fold)
                found.append(metrics.mean_r(r[mask]))
        seconds = time.monotonic() - begun
        rows += [
            row(
                f"delay_ridge_before_{tr:g}",
                before,
                unit=f"r, TR {tr:g} s, half a TR early",
                better="higher",
                seconds=seconds,
            ),
            row(
                f"delay_ridge_{tr:g}",
                np.array(after) / np.array(before),
                unit=f"times the r it has half a TR early, TR {tr:g} s; r {np.mean(after):.4f}",
                # Half a TR of less than half a second is hardly seen by a response of ten.
                goal=1.02 if tr > 1 else None,
                trivial=1.0,
                better="higher",
                seconds=seconds,
            ),
        ]
    return rows


CLAIMS: dict[str, Callable[[], list[dict]]] = {
    "delay_timing": delay_timing,
    "delay_ridge": delay_ridge,
}
