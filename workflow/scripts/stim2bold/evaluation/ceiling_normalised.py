"""Scores as a share of the ceiling: how much of what can be told of a participant a model tells.

The ceiling is a lower bound of what can be predicted, from few and noisy brains, so that shares
above 1 occur, the more so the fewer the participants; what is a participant's own is not in it.
Voxels are selected by the ceiling, never by the model.
"""

import numpy as np
import pandas as pd
import xarray as xr

from stim2bold.evaluation.headlines import SIGNIFICANT

#: Smallest ceiling that is divided by; below it a ratio is noise over noise.
SMALLEST = 0.1


def has_ceiling(ceiling: xr.Dataset) -> np.ndarray:
    """Return where there is a ceiling worth dividing by, bool of shape (n_voxels,)."""
    return (ceiling["q"].values < SIGNIFICANT) & (ceiling["r"].values >= SMALLEST)


def normalised(r: np.ndarray, ceiling: xr.Dataset) -> np.ndarray:
    """Divide a model's correlations by the ceiling.

    Parameters
    ----------
    r : ndarray of shape (n_voxels,)
        On the rows and folds of the ceiling; NaN where there is no score.
    ceiling : Dataset
        ``r`` and ``q`` of the same voxels (`stim2bold.evaluation.ceiling.leave_one_out`).

    Returns
    -------
    ndarray of shape (n_voxels,)
        NaN where there is no score, or no ceiling to divide by.
    """
    kept = has_ceiling(ceiling)
    return np.where(kept, r / np.where(kept, ceiling["r"].values, 1), np.nan)


def normalised_table(r: dict[str, np.ndarray], ceiling: xr.Dataset) -> pd.DataFrame:
    """Return each model's share of the ceiling over the voxels that have one.

    Parameters
    ----------
    r : dict of str to ndarray of shape (n_voxels,)
        By model.
    ceiling : Dataset

    Returns
    -------
    DataFrame
        Columns model, r and ceiling (means over the voxels that have both), share (the ratio of
        these means: a mean of ratios is ruled by the voxels with the smallest ceiling) and n.
    """
    rows = []
    for model, values in r.items():
        both = has_ceiling(ceiling) & np.isfinite(values)
        mean, most = (
            float(x[both].mean()) if both.any() else np.nan for x in (values, ceiling["r"].values)
        )
        rows.append((model, mean, most, mean / most, int(both.sum())))
    return pd.DataFrame(rows, columns=["model", "r", "ceiling", "share", "n"])
