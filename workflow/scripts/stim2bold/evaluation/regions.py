"""Series of regions: what was measured there and what was predicted."""

import numpy as np
import pandas as pd
import xarray as xr
from nibabel.affines import apply_affine

from stim2bold.evaluation.landmarks import FEWEST, LANDMARKS, RADIUS
from stim2bold.evaluation.maps import grid
from stim2bold.evaluation.metrics import voxel_r

BEST = "best tenth of voxels in training"


def near_landmarks(points: np.ndarray) -> dict[str, np.ndarray]:
    """Return the points within `RADIUS` mm of each landmark, as masks of shape (n_points,).

    Parameters
    ----------
    points : ndarray of shape (n_points, 3)
        MNI millimetres. Landmarks with too few points around them are left out.
    """
    found = {}
    for name, (x, y, z) in LANDMARKS.items():
        near = [np.linalg.norm(points - (side * x, y, z), axis=1) <= RADIUS for side in (-1, 1)]
        mask = near[0] | near[1]
        if mask.sum() >= FEWEST:
            found[name] = mask
    return found


def regions_of(bold: xr.DataArray) -> dict[str, np.ndarray]:
    """Return the voxels near each landmark, as masks of shape (n_voxels,).

    Parameters
    ----------
    bold : DataArray
        With voxel indices i, j, k and the affine among its attributes.
    """
    affine, _ = grid(bold)
    return near_landmarks(
        apply_affine(affine, np.column_stack([bold[axis].values for axis in "ijk"]))
    )


def region_series(
    bold: xr.DataArray,
    predictions: dict[str, xr.DataArray],
    strength: xr.DataArray,
    *,
    share: float = 0.1,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Average measured and predicted series over regions, on held-out film time.

    Voxels are brought to mean 0 and variance 1 of what was measured, and predictions likewise by
    the same numbers, so that a region's mean is not that of its brightest voxels.

    Parameters
    ----------
    bold : DataArray, dims (time, voxel)
        Measured.
    predictions : dict of str to DataArray, dims (time, voxel)
        By model, with the coordinate fold, all on the same rows.
    strength : DataArray of shape (n_folds, n_voxels)
        Score of each voxel inside each fold's training rows: the region `BEST` is chosen by it,
        fold by fold.
    share : float
        Of the voxels, in that region.

    Returns
    -------
    series : DataFrame
        region, time (s of film), fold, measured and a column for each model.
    scores : DataFrame
        region, voxels, model and r (over all held-out rows, means of the folds removed).
    """
    first = next(iter(predictions.values()))
    truth = bold.sel(time=first.time).values.astype(np.float64)
    mean, spread = truth.mean(axis=0), truth.std(axis=0)
    spread[spread == 0] = 1
    columns = {"measured": truth, **{name: p.values for name, p in predictions.items()}}
    columns = {name: (values - mean) / spread for name, values in columns.items()}
    fold = first["fold"].values
    n = max(1, round(share * truth.shape[1]))
    best = np.zeros((len(strength), truth.shape[1]), dtype=bool)
    np.put_along_axis(best, np.argsort(-strength.values, axis=1, kind="stable")[:, :n], True, 1)
    by_row = best[np.searchsorted(np.unique(fold), fold)]
    masks = {
        BEST: by_row,
        **{name: np.tile(m, (len(fold), 1)) for name, m in regions_of(bold).items()},
    }
    tables, scores = [], []
    for region, mask in masks.items():
        size = mask.sum(axis=1)
        means = {name: (values * mask).sum(axis=1) / size for name, values in columns.items()}
        tables.append(
            pd.DataFrame({"region": region, "time": first.time.values, "fold": fold, **means})
        )
        for name in predictions:
            r = voxel_r(means["measured"][:, None], means[name][:, None], fold)[0]
            scores.append((region, int(size[0]), name, float(r)))
    return (
        pd.concat(tables, ignore_index=True),
        pd.DataFrame(scores, columns=["region", "voxels", "model", "r"]),
    )
