"""Labels of a film of which some show in BOLD and others do not."""

import numpy as np
import xarray as xr
from planted_problem import TR, fold_content
from scipy.signal import lfilter

from stim2bold.models import folds, hrf

CONTENT = fold_content(n_blocks=12, seconds=24.0, inner=3)


def on_and_off(rng, n_labels, *, seconds=6.0, share=0.3):
    """Labels that come and go at random, in stretches of some seconds, (n_rows, n_labels)."""
    n_rows = CONTENT["n_rows"]
    leave = TR / seconds
    enter = leave * share / (1 - share)
    state = rng.random(n_labels) < share
    out = np.zeros((n_rows, n_labels), dtype=np.float32)
    for row in range(n_rows):
        drawn = rng.random(n_labels)
        state = np.where(state, drawn > leave, drawn < enter)
        out[row] = state
    return out


def bold_of(labels, rng, *, n_voxels=60, strength=1.0):
    """Voxels that follow the response to mixed labels, in AR(1) noise."""
    response = hrf.film_to_bold(TR, reach=12.0).apply(labels - labels.mean(axis=0))
    noise = lfilter([1.0], [1, -0.45], rng.standard_normal((len(labels), n_voxels)), axis=0)
    if not labels.shape[1]:
        return table(noise, "voxel", "bold")
    signal = response @ rng.standard_normal((labels.shape[1], n_voxels))
    return table(
        strength * signal / signal.std(axis=0) + noise / noise.std(axis=0), "voxel", "bold"
    )


def table(values, column, name):
    """An array over film time."""
    times = folds.row_times(len(values), tr=TR, film_onset=0.0)
    return xr.DataArray(
        values.astype(np.float32), dims=("time", column), coords={"time": times}, name=name
    )


def annotations(labels):
    """Labels as tabulated annotations."""
    out = table(labels, "feature", "features")
    out = out.assign_coords(feature=[f"video/label {i}" for i in range(labels.shape[1])])
    out.attrs["coding"] = "coverage"
    return out
