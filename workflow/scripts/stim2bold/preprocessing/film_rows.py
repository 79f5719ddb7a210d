"""Runs of one participant brought to the rows of the film."""

import nibabel as nib
import numpy as np
import xarray as xr
from scipy.interpolate import CubicSpline

from stim2bold.preprocessing.cleaning import log
from stim2bold.preprocessing.scan_clock import row_middles
from stim2bold.runtime.errors import InputError


def gather_runs(
    runs: list[nib.Nifti1Image],
    masks: list[np.ndarray],
    *,
    TR: float,
    film_onset: float,
    onsets: list[float],
    space: str,
    source: str,
) -> xr.DataArray:
    """Gather the cleaned runs of a participant as one table of voxels at film times.

    Parameters
    ----------
    runs : list of Nifti1Image
        Cleaned series on one grid.
    masks : list of (x, y, z) bool array
        Voxels kept in each; those that all have are taken.
    TR : float
        Seconds.
    film_onset : float
        Of the study's rows: seconds from the start of row 0 to the film's first frame.
    onsets : list of float
        Of each run's rows, see `stim2bold.preprocessing.scan_clock.row_onset`.
    space, source : str
        For the attributes.

    Returns
    -------
    DataArray
        ``bold``, dimensions (time, voxel), see `at_rows`.

    Raises
    ------
    InputError
        When no voxel is common to the runs, or one holds no number.
    """
    mask = np.logical_and.reduce(masks)
    if not mask.any():
        raise InputError(
            source,
            "no voxel has a signal in every run of the participant",
            "leave out the run that does not fit, or the participant by exclude",
        )
    rows, values = at_rows(
        [np.asarray(run.dataobj, dtype=np.float32)[mask].T for run in runs],
        [(film_onset - onset) / TR for onset in onsets],
    )
    if not np.isfinite(values).all():
        bad = int((~np.isfinite(values)).any(axis=0).sum())
        raise InputError(
            source,
            f"{bad} cleaned voxels hold values that are no numbers",
            "delete them and run again",
        )
    i, j, k = np.nonzero(mask)
    return xr.DataArray(
        values,
        dims=("time", "voxel"),
        coords={
            "time": (
                "time",
                row_middles(rows, TR=TR, film_onset=film_onset),
                {"units": "s", "long_name": "film time"},
            ),
            "i": ("voxel", i.astype(np.int32)),
            "j": ("voxel", j.astype(np.int32)),
            "k": ("voxel", k.astype(np.int32)),
        },
        name="bold",
        attrs={
            "affine": [float(number) for number in runs[0].affine.ravel()],
            "shape": [int(size) for size in mask.shape],
            "space": space,
            "TR": TR,
            "units": "percent signal change",
            "source": source,
        },
    )


def at_rows(parts: list[np.ndarray], starts: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Bring runs onto the rows of the study.

    Parameters
    ----------
    parts : list of ndarray of shape (n_volumes, n_voxels)
        One a run.
    starts : list of float
        Row number, whole or not, of each run's first volume.

    Returns
    -------
    rows : ndarray of shape (n_rows,), int
        The longest stretch of rows without a hole, none below 0.
    values : ndarray of shape (n_rows, n_voxels), float32
        Volumes between two rows are interpolated by a cubic spline over time; where runs show the
        same of the film, their mean.
    """
    placed = []
    for part, start in zip(parts, starts, strict=True):
        first = int(np.ceil(start - 1e-3))
        if abs(start - round(start)) > 1e-3:
            spline = CubicSpline(start + np.arange(len(part)), part)
            rows = np.arange(first, int(np.floor(start + len(part) - 1)) + 1)
            part = spline(rows)
        kept = max(0, -first)
        placed.append((first + kept, part[kept:]))
    n_rows = max(first + len(part) for first, part in placed)
    total = np.zeros((n_rows, parts[0].shape[1]))
    count = np.zeros(n_rows, dtype=int)
    for first, part in placed:
        total[first : first + len(part)] += part
        count[first : first + len(part)] += 1
    there = np.flatnonzero(count)
    stretches = np.split(there, np.flatnonzero(np.diff(there) > 1) + 1)
    rows = max(stretches, key=len)
    if len(rows) < len(there):
        log.warning(
            "only rows %d to %d are kept: %d others lie beyond a part of the film that was not "
            "scanned",
            rows[0],
            rows[-1],
            len(there) - len(rows),
        )
    return rows, (total[rows] / count[rows, None]).astype(np.float32)
