"""How well each volume is predicted by the one before it, which knows nothing of the film.

A row apart, for readers of papers that predict the next volume from the true previous one: no model
here is given a volume of the same participant.
"""

import numpy as np
import xarray as xr

from stim2bold.evaluation.ceiling import film_times
from stim2bold.evaluation.metrics import mean_r, voxel_r


def persistence_r(bold: xr.DataArray, folds: dict[float, int]) -> float:
    """Return the mean correlation of each volume with the one before it, on held-out rows.

    Parameters
    ----------
    bold : DataArray, dims (time, voxel)
    folds : dict of float to int
        Fold that holds each film time out, as `stim2bold.evaluation.ceiling.held_out_times`
        returns them.
    """
    times = film_times(bold)
    rows = np.array([row for row in range(1, len(times)) if times[row] in folds])
    fold = np.array([folds[times[row]] for row in rows])
    return mean_r(voxel_r(bold.values[rows], bold.values[rows - 1], fold))


def persistence_error(series: np.ndarray, mask: np.ndarray) -> float:
    """Return the mean squared difference of neighbouring volumes, scaled to 0 and 1.

    Parameters
    ----------
    series : ndarray of shape (x, y, z, n_volumes)
        As they were measured, before cleaning.
    mask : ndarray of shape (x, y, z), bool
        Voxels that count; the smallest and the largest value of the whole series become 0 and 1.
    """
    low, high = float(series.min()), float(series.max())
    inside = series[mask].astype(np.float64)
    return float((np.diff(inside, axis=1) ** 2).mean() / (high - low) ** 2)
