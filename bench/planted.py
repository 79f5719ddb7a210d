"""The standard difficulty as arrays: film features and BOLD with a known signal, no images.

13 blocks of 30 s, 641 volumes of 0.608 s; in planted voxels the signal correlates 0.30 with what is
measured, the noise is AR(1) with 0.45, the signals of two participants at the same place correlate
0.6, and the signal is spread over 20 independent dimensions of the film's features.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from scipy.signal import lfilter

from stim2bold import folds, hrf

TR = 0.608


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
    n_rows = int(difficulty.n_blocks * difficulty.block_seconds / TR)
    return folds.make_folds(
        events(difficulty),
        n_rows=n_rows,
        tr=TR,
        film_onset=0.0,
        settings=folds.FoldSettings(),
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


def labels(difficulty: Difficulty) -> np.ndarray:
    """Return which block label each row has, one column a label, shape (n_rows, 2)."""
    n_rows = int(difficulty.n_blocks * difficulty.block_seconds / TR)
    block = ((np.arange(n_rows) + 0.5) * TR // difficulty.block_seconds).astype(int)
    return np.stack([block % 2 == 0, block % 2 == 1], axis=1).astype(np.float32)


def film(difficulty: Difficulty, rng: np.random.Generator) -> tuple[np.ndarray, xr.DataArray]:
    """Return the film's independent time courses and the features that show them mixed.

    Time scales run from 1 s to 5 s; some courses differ between speech and music. The
    features' variance falls off over the courses as that of real network features does.
    """
    rows = labels(difficulty)
    scales = np.exp(np.linspace(0.0, np.log(5.0), difficulty.dimensions))
    rng.shuffle(scales)
    courses = autoregressive((len(rows), difficulty.dimensions), np.exp(-TR / scales), rng)
    courses += (rows[:, :1] - 0.5) * rng.standard_normal(difficulty.dimensions)
    courses = (courses - courses.mean(axis=0)) / courses.std(axis=0)
    weight = (1 + np.arange(difficulty.dimensions)) ** -0.5
    mixing = rng.standard_normal((difficulty.dimensions, difficulty.features))
    features = (courses * weight) @ mixing + 0.05 * rng.standard_normal(
        (len(rows), difficulty.features)
    )
    times = folds.row_times(len(rows), tr=TR, film_onset=0.0)
    table = xr.DataArray(
        features.astype(np.float32), dims=("time", "feature"), coords={"time": times}, name="i3d"
    )
    return courses, table


def delayed(courses: np.ndarray) -> np.ndarray:
    """Return courses as BOLD would show them, over a response of 32 s, unit variance."""
    lags = (np.arange(int(32 / TR)) + 0.5) * TR
    out = lfilter(hrf.canonical_hrf(lags), [1.0], courses, axis=0)
    return (out - out.mean(axis=0)) / out.std(axis=0)


def bold(
    courses: np.ndarray,
    difficulty: Difficulty,
    rng: np.random.Generator,
    *,
    participants: int = 1,
    null: bool = False,
) -> tuple[list[xr.DataArray], list[np.ndarray], np.ndarray]:
    """Return measured BOLD and the planted signal of each participant, and the planted mask.

    Returns
    -------
    tables : list of DataArray of shape (n_rows, n_voxels)
    signals : list of ndarray of shape (n_rows, n_planted)
        Unit variance.
    mask : ndarray of bool, shape (n_voxels,)
    """
    response = delayed(courses[:, : difficulty.planted_dimensions])

    def signal() -> np.ndarray:
        weights = rng.standard_normal((difficulty.planted_dimensions, difficulty.planted))
        series = response @ weights
        return (series - series.mean(axis=0)) / series.std(axis=0)

    n_rows, n_voxels = len(courses), difficulty.planted + difficulty.silent
    common, tables, signals = signal(), [], []
    times = folds.row_times(n_rows, tr=TR, film_onset=0.0)
    for _ in range(participants):
        own = np.sqrt(difficulty.between) * common + np.sqrt(1 - difficulty.between) * signal()
        own /= own.std(axis=0)
        series = autoregressive((n_rows, n_voxels), difficulty.autocorrelation, rng)
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
