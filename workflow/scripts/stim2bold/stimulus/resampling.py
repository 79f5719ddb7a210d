"""From a feature's own time steps to the TRs."""

from collections.abc import Sequence

import numpy as np
import xarray as xr

from stim2bold.stimulus.feature_tables import at_volumes, volume_coordinates
from stim2bold.stimulus.timing import Timing, interpolate


def resample(tables: Sequence[xr.DataArray], *, timing: Timing, duration: float) -> xr.DataArray:
    """Bring the tables of a feature space to the TRs.

    Parameters
    ----------
    tables : sequence of DataArray
        Of features, dims (time, feature), which are averaged over each TR and put side by side; or
        one log spectrogram, dims (time, mel) or (time, frequency), which is cut into the frames of
        each TR.
    timing : Timing
        TR and onset of the film.
    duration : float
        Length of the film, seconds.

    Returns
    -------
    DataArray, dims (time, feature) or (time, frame, mel or frequency)
    """
    if "feature" in tables[0].dims:
        return merge_at_volumes(tables, timing=timing, duration=duration)
    (whole,) = tables
    return spectrogram_at_volumes(whole, timing=timing, duration=duration)


def merge_at_volumes(
    tables: Sequence[xr.DataArray], *, timing: Timing, duration: float
) -> xr.DataArray:
    """Average tables of their own time steps over each TR and put them side by side.

    Parameters
    ----------
    tables : sequence of DataArray, dims (time, feature)
        With film times in seconds.
    timing : Timing
        TR and onset of the film.
    duration : float
        Length of the film, seconds.

    Returns
    -------
    DataArray, dims (time, feature)
    """
    if len(tables) == 1:
        return at_volumes(tables[0], timing=timing, duration=duration)
    rows = [at_volumes(table, timing=timing, duration=duration) for table in tables]
    return xr.concat(rows, dim="feature", combine_attrs="override", coords="minimal")


def frame_offsets(TR: float, step: float) -> np.ndarray:
    """Return the times of the frames of one TR, relative to its middle.

    The frames divide the TR evenly and the first lies on its start, so that the frames of all TRs
    together are one regular series; where a TR is a whole number of steps (0.608 s is 38 of 16 ms)
    they are the spectrogram's own frames.

    Parameters
    ----------
    TR : float
        Seconds.
    step : float
        Seconds from frame to frame of the spectrogram.

    Returns
    -------
    ndarray of shape (round(TR / step),)
        Seconds.
    """
    n_frames = max(1, round(TR / step))
    return (np.arange(n_frames) / n_frames - 0.5) * TR


def per_volume(
    times: np.ndarray, frames: np.ndarray, *, timing: Timing, n_rows: int, fill: float
) -> np.ndarray:
    """Cut a spectrogram into the frames of each TR.

    Parameters
    ----------
    times : ndarray of shape (n,)
        Film times of the frames, a regular series.
    frames : ndarray of shape (n, n_bands)
        The spectrogram.
    timing : Timing
        TR and onset of the film.
    n_rows : int
        Number of TRs.
    fill : float
        Value where there is no film: silence.

    Returns
    -------
    ndarray of shape (n_rows, n_frames, n_bands), float32
        Interpolated linearly in time where no frame lies on the wanted instant.
    """
    step = (times[-1] - times[0]) / (len(times) - 1)
    offsets = frame_offsets(timing.TR, step)
    wanted = (timing.centres(n_rows)[:, np.newaxis] + offsets).ravel()
    rows = interpolate(times, frames, wanted)
    outside = (wanted < times[0] - step / 2) | (wanted > times[-1] + step / 2)
    rows[outside] = fill
    return rows.reshape(n_rows, len(offsets), -1).astype(np.float32)


def spectrogram_at_volumes(whole: xr.DataArray, *, timing: Timing, duration: float) -> xr.DataArray:
    """Cut a log spectrogram into the frames of each TR, see `per_volume`.

    Parameters
    ----------
    whole : DataArray, dims (time, mel) or (time, frequency)
        As `spectrogram` returns it.
    timing : Timing
        TR and onset of the film.
    duration : float
        Length of the film, seconds.

    Returns
    -------
    DataArray of float32, dims (time, frame, mel) or (time, frame, frequency)
        Row k is volume k; `time` is its middle, `frame` the frames' times relative to it, so that
        ``time + frame`` is film time.
    """
    n_rows = timing.n_rows(duration)
    band = whole.dims[1]
    times = whole["time"].to_numpy()
    rows = per_volume(
        times,
        whole.to_numpy(),
        timing=timing,
        n_rows=n_rows,
        fill=float(np.log(whole.attrs["floor"])),
    )
    step = (times[-1] - times[0]) / (len(times) - 1)
    return xr.DataArray(
        rows,
        dims=("time", "frame", band),
        coords=volume_coordinates(n_rows, timing=timing, duration=duration)
        | {
            "frame": ("frame", frame_offsets(timing.TR, step), {"units": "s"}),
            band: (band, whole[band].to_numpy(), {"units": "Hz"}),
        },
        name=whole.name,
        attrs=whole.attrs | {"TR": timing.TR},
    )
