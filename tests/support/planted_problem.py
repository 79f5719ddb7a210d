"""Small problems with a known answer."""

import numpy as np
import pandas as pd
import xarray as xr
from scipy.signal import lfilter
from shipped import shipped

from stim2bold.models import directions, folds, hrf

TR = 0.608


def fold_content(n_blocks=7, seconds=24.0, inner=2):
    events = pd.DataFrame(
        {
            "onset": np.arange(n_blocks) * seconds,
            "duration": seconds,
            "trial_type": (["music", "speech"] * n_blocks)[:n_blocks],
        }
    )
    return folds.make_folds(
        events,
        n_rows=int(n_blocks * seconds / TR),
        tr=TR,
        film_onset=0.0,
        settings=shipped(folds.FoldSettings, inner=inner),
    )


def tables(content, *, seed=0, n_features=20, n_voxels=40, noise=1.0, products=0):
    """Slow features, and BOLD whose first half of voxels follows them; returns also the labels.

    With `products`, the voxels follow so many products of two features at the same moment, which
    do not correlate with any feature, instead of the features themselves.
    """
    rng = np.random.default_rng(seed)
    n_rows = content["n_rows"]
    features = lfilter([1.0], [1, -0.8], rng.standard_normal((n_rows, n_features)), axis=0)
    times = folds.row_times(n_rows, tr=TR, film_onset=0.0)
    courses = features
    if products:
        courses = features[:, :products] * features[:, products : 2 * products]
    response = hrf.film_to_bold(TR, reach=12.0).apply(courses - courses.mean(axis=0))
    signal = response @ rng.standard_normal((courses.shape[1], n_voxels // 2))
    bold = noise * rng.standard_normal((n_rows, n_voxels))
    bold[:, : n_voxels // 2] += signal / signal.std(axis=0)
    side = int(np.ceil(n_voxels ** (1 / 3)))
    ijk = np.unravel_index(np.arange(n_voxels), (side,) * 3)
    affine = np.array([[-4.0, 0, 0, 90], [0, 4, 0, -126], [0, 0, 4, -72], [0, 0, 0, 1]])
    source = xr.DataArray(
        features.astype(np.float32), dims=("time", "feature"), coords={"time": times}
    )
    target = xr.DataArray(
        (100 + 5 * bold).astype(np.float32),
        dims=("time", "voxel"),
        coords={"time": times, **{a: ("voxel", v) for a, v in zip("ijk", ijk, strict=True)}},
        name="bold",
        attrs={"affine": affine.ravel(), "shape": [side] * 3},
    )
    block = (times // 24.0).astype(int)
    labels = np.stack([block % 2 == 0, block % 2 == 1], axis=1).astype(np.float32)
    return source, target, labels


def problem(content, **options):
    source, target, labels = tables(content, **options)
    return directions.assemble("film2bold", source=[source], target=target, content=content), labels
