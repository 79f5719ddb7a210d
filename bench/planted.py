"""The standard difficulty as arrays: film features and BOLD with a known signal, no images.

13 blocks of 30 s, 641 volumes of 0.608 s; in planted voxels the signal correlates 0.30 with what is
measured, the noise is AR(1) with 0.45, the signals of two participants at the same place correlate
0.6, and the signal is spread over 20 independent dimensions of the film's features.

Time has a grid of its own here, `STEPS` to a TR: a table's rows are means over TRs, BOLD is the
response to the fine courses at the middles of volumes, and the response is the simulation's, not
the analysis's. So an error of the analysis's clock shows.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from scipy.signal import fftconvolve, lfilter
from shipped import shipped

from stim2bold.models import folds
from stim2bold.simulation.film.planted_dimensions import haemodynamic_response

TR = 0.608
STEPS = 16
"""Steps of the fine grid in a TR."""


@dataclass(frozen=True)
class Difficulty:
    """The ruler. Its defaults are the standard and do not change."""

    n_blocks: int = 13
    block_seconds: float = 30.0
    dimensions: int = 24
    planted_dimensions: int = 20
    features: int = 300
    planted: int = 300
    silent: int = 300
    ceiling: float = 0.30
    autocorrelation: float = 0.45
    between: float = 0.6
    TR: float = TR
    # Version 2 of the ruler: this share of the noise lies in so many patterns over voxels, whose
    # courses have autocorrelations from that of the noise to 0.95.
    shared: float = 0.0
    patterns: int = 10

    @property
    def n_rows(self) -> int:
        """Number of volumes."""
        return int(self.n_blocks * self.block_seconds / self.TR)


def events(difficulty: Difficulty) -> pd.DataFrame:
    """Return the blocks as a BIDS events table."""
    onsets = np.arange(difficulty.n_blocks) * difficulty.block_seconds
    kinds = ["music", "speech"] * difficulty.n_blocks
    return pd.DataFrame(
        {
            "onset": onsets,
            "duration": difficulty.block_seconds,
            "trial_type": kinds[: difficulty.n_blocks],
        }
    )


def fold_file(difficulty: Difficulty) -> dict:
    """Return the fold file of the ruler, by the project's own rule."""
    return folds.make_folds(
        events(difficulty),
        n_rows=difficulty.n_rows,
        tr=difficulty.TR,
        film_onset=0.0,
        settings=shipped(folds.FoldSettings),
    )


def autoregressive(
    shape: tuple[int, int], coefficient: np.ndarray | float, rng: np.random.Generator
) -> np.ndarray:
    """Return AR(1) series of unit variance, one a column."""
    coefficient = np.broadcast_to(coefficient, shape[1])
    out = np.empty(shape)
    drawn = rng.standard_normal((shape[0] + 100, shape[1]))
    for i, a in enumerate(coefficient):
        out[:, i] = lfilter([np.sqrt(1 - a**2)], [1, -a], drawn[:, i])[100:]
    return out


def labels(difficulty: Difficulty, *, steps: int = 1) -> np.ndarray:
    """Return which block label each row has, one column a label, shape (n_rows * steps, 2)."""
    times = (np.arange(difficulty.n_rows * steps) + 0.5) * difficulty.TR / steps
    block = (times // difficulty.block_seconds).astype(int)
    return np.stack([block % 2 == 0, block % 2 == 1], axis=1).astype(np.float32)


def fine_courses(
    n_rows: int, scales: np.ndarray, rng: np.random.Generator, *, tr: float = TR
) -> np.ndarray:
    """Return courses of given time scales (s) on the fine grid, (n_rows * STEPS, n_scales)."""
    shape = (n_rows * STEPS, len(scales))
    return autoregressive(shape, np.exp(-tr / STEPS / np.asarray(scales)), rng)


def at_rows(courses: np.ndarray) -> np.ndarray:
    """Return the mean of fine courses over each TR, shape (n_rows, n_courses)."""
    return courses.reshape(-1, STEPS, courses.shape[1]).mean(axis=1)


def film(difficulty: Difficulty, rng: np.random.Generator) -> tuple[np.ndarray, xr.DataArray]:
    """Return the film's independent time courses and the features that show them mixed.

    Time scales run from 1 s to 5 s; some courses differ between speech and music. The
    features' variance falls off over the courses as that of real network features does.

    Returns
    -------
    courses : ndarray of shape (n_rows * STEPS, n_dimensions)
        On the fine grid; their means over TRs have unit variance.
    table : DataArray of shape (n_rows, n_features)
    """
    scales = np.exp(np.linspace(0.0, np.log(5.0), difficulty.dimensions))
    rng.shuffle(scales)
    courses = fine_courses(difficulty.n_rows, scales, rng, tr=difficulty.TR)
    speech = labels(difficulty, steps=STEPS)[:, :1] - 0.5
    courses += speech * rng.standard_normal(difficulty.dimensions)
    rows = at_rows(courses)
    courses = (courses - rows.mean(axis=0)) / rows.std(axis=0)
    weight = (1 + np.arange(difficulty.dimensions)) ** -0.5
    mixing = rng.standard_normal((difficulty.dimensions, difficulty.features))
    features = (at_rows(courses) * weight) @ mixing + 0.05 * rng.standard_normal(
        (len(rows), difficulty.features)
    )
    times = folds.row_times(len(rows), tr=difficulty.TR, film_onset=0.0)
    table = xr.DataArray(
        features.astype(np.float32), dims=("time", "feature"), coords={"time": times}, name="i3d"
    )
    return courses, table


def delayed(courses: np.ndarray, *, tr: float = TR) -> np.ndarray:
    """Return fine courses as BOLD shows them at the middles of volumes, unit variance.

    Parameters
    ----------
    courses : ndarray of shape (n_rows * STEPS, n_courses)
    tr : float
        Seconds from volume to volume.

    Returns
    -------
    ndarray of shape (n_rows, n_courses)
        Convolved with a response of 32 s.
    """
    step = tr / STEPS
    response = haemodynamic_response((np.arange(int(32 / step)) + 0.5) * step)
    # Step i of the convolution is the end of step i: the middle of the first TR is the end of the
    # first half of its steps.
    out = fftconvolve(courses, response[:, None], axes=0)[STEPS // 2 - 1 : len(courses) : STEPS]
    return (out - out.mean(axis=0)) / out.std(axis=0)


def patterned(
    shape: tuple[int, int], difficulty: Difficulty, rng: np.random.Generator
) -> np.ndarray:
    """Return noise of unit variance that voxels share in a few spatial patterns."""
    paces = np.linspace(difficulty.autocorrelation, 0.95, difficulty.patterns)
    courses = autoregressive((shape[0], difficulty.patterns), paces, rng)
    series = courses @ rng.standard_normal((difficulty.patterns, shape[1]))
    return series / series.std(axis=0)


def noise(shape: tuple[int, int], difficulty: Difficulty, rng: np.random.Generator) -> np.ndarray:
    """Return noise of unit variance, as much of it shared as the difficulty says."""
    series = autoregressive(shape, difficulty.autocorrelation, rng)
    if not difficulty.shared:
        return series
    pattern = patterned(shape, difficulty, rng)
    return np.sqrt(1 - difficulty.shared) * series + np.sqrt(difficulty.shared) * pattern


def bold(
    courses: np.ndarray,
    difficulty: Difficulty,
    rng: np.random.Generator,
    *,
    participants: int = 1,
    null: bool = False,
) -> tuple[list[xr.DataArray], list[np.ndarray], np.ndarray]:
    """Return measured BOLD and the planted signal of each participant, and the planted mask.

    `courses` are those of `film`, on the fine grid.

    Returns
    -------
    tables : list of DataArray of shape (n_rows, n_voxels)
    signals : list of ndarray of shape (n_rows, n_planted)
        Unit variance.
    mask : ndarray of bool, shape (n_voxels,)
    """
    response = delayed(courses[:, : difficulty.planted_dimensions], tr=difficulty.TR)

    def signal() -> np.ndarray:
        weights = rng.standard_normal((difficulty.planted_dimensions, difficulty.planted))
        series = response @ weights
        return (series - series.mean(axis=0)) / series.std(axis=0)

    n_rows, n_voxels = len(response), difficulty.planted + difficulty.silent
    common, tables, signals = signal(), [], []
    times = folds.row_times(n_rows, tr=difficulty.TR, film_onset=0.0)
    for _ in range(participants):
        own = np.sqrt(difficulty.between) * common + np.sqrt(1 - difficulty.between) * signal()
        own /= own.std(axis=0)
        series = noise((n_rows, n_voxels), difficulty, rng)
        if not null:
            c = difficulty.ceiling
            series[:, : difficulty.planted] *= np.sqrt(1 - c**2)
            series[:, : difficulty.planted] += c * own
        side = int(np.ceil(n_voxels ** (1 / 3)))
        i, j, k = np.unravel_index(np.arange(n_voxels), (side,) * 3)
        tables.append(
            xr.DataArray(
                series.astype(np.float32),
                dims=("time", "voxel"),
                coords={"time": times, "i": ("voxel", i), "j": ("voxel", j), "k": ("voxel", k)},
                name="bold",
                attrs={"affine": (np.diag([4, 4, 4, 1]) * 1.0).ravel(), "shape": [side] * 3},
            )
        )
        signals.append(own)
    return tables, signals, np.arange(n_voxels) < difficulty.planted
