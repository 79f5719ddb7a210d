"""Tables of features by frame and by volume."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from stim2bold.stimulus.timing import Timing, average, inside


def frame_table(
    times: np.ndarray,
    values: np.ndarray,
    first: np.ndarray,
    names: Sequence[str],
    *,
    attributes: Mapping[str, Any],
) -> xr.DataArray:
    """Return features at their own times as a table: means of runs of frames.

    Parameters
    ----------
    times : ndarray of shape (n_frames,)
        Seconds.
    values : ndarray of shape (n_frames, n_features)
    first : ndarray of int
        Number of the frame that each run begins with.
    names : sequence of str
        Of the features.
    attributes : mapping
        Of the table.

    Returns
    -------
    DataArray of float32, dims (time, feature)
    """
    counts = np.diff([*first, len(values)])
    means = np.add.reduceat(values, first, axis=0) / counts[:, np.newaxis]
    return xr.DataArray(
        means.astype(np.float32),
        dims=("time", "feature"),
        coords={
            "time": ("time", np.add.reduceat(times, first) / counts, {"units": "s"}),
            "feature": list(names),
        },
        name="features",
        attrs=dict(attributes),
    )


def volume_coordinates(n_rows: int, *, timing: Timing, duration: float) -> dict[str, tuple]:
    """Return the coordinates that every table at the TRs has.

    Parameters
    ----------
    n_rows : int
    timing : Timing
        TR and onset of the film.
    duration : float
        Length of the film, seconds.

    Returns
    -------
    dict
        ``time``, the middles of the volumes; ``inside``, 0 for rows that do not overlap the film.
    """
    return {
        "time": ("time", timing.centres(n_rows), {"units": "s"}),
        "inside": ("time", inside(timing.edges(n_rows), duration).astype(np.int8)),
    }


def volume_table(
    values: np.ndarray,
    names: Sequence[str],
    *,
    timing: Timing,
    duration: float,
    attributes: Mapping[str, Any],
) -> xr.DataArray:
    """Return features at the TRs as a table.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_features)
        Row k is volume k.
    names : sequence of str
        Of the features.
    timing, duration
        As for `volume_coordinates`.
    attributes : mapping
        Of the table.

    Returns
    -------
    DataArray of float32, dims (time, feature)
    """
    return xr.DataArray(
        np.asarray(values, np.float32),
        dims=("time", "feature"),
        coords=volume_coordinates(len(values), timing=timing, duration=duration)
        | {"feature": list(names)},
        name="features",
        attrs=dict(attributes),
    )


def at_volumes(features: xr.DataArray, *, timing: Timing, duration: float) -> xr.DataArray:
    """Average features over each TR, see `average`.

    Parameters
    ----------
    features : DataArray, dims (time, feature)
        With film times in seconds.
    timing : Timing
        TR and onset of the film.
    duration : float
        Length of the film, seconds.

    Returns
    -------
    DataArray of float32, dims (time, feature)
        Row k is volume k. `inside` is 0 for rows that do not overlap the film, which hold its
        first or last value.
    """
    n_rows = timing.n_rows(duration)
    edges = timing.edges(n_rows)
    rows = average(features["time"].to_numpy(), features.to_numpy(), edges)
    return volume_table(
        rows,
        features["feature"].to_numpy(),
        timing=timing,
        duration=duration,
        attributes=features.attrs | {"resampled": "mean over each TR", "TR": timing.TR},
    )
