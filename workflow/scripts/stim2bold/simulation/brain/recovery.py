"""What the analysis found of what was planted: the simulated study compared with its truth.

Of a simulated participant everything is known (`participant_files`), and the analysis reads none of
it. Here both are laid side by side: which planted regions a map finds and what it finds elsewhere,
how far motion, registration and the clock are off, how much of the planted signal is left after
preprocessing, and what each feature space explains where.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import xarray as xr
from scipy.interpolate import CubicSpline, RegularGridInterpolator

from stim2bold.evaluation.maps import grid
from stim2bold.io.arrays import read_dataset
from stim2bold.io.files import read_json, read_table
from stim2bold.preprocessing.head_motion import rigid_matrix, rigid_parameters
from stim2bold.preprocessing.resampling import apply, nearest_voxels, voxel_points
from stim2bold.simulation.brain.head_motion import matrices
from stim2bold.simulation.brain.planted_regions import KIND_NUMBERS, REGIONS, region_number_at
from stim2bold.simulation.brain.recovery_verdict import ELSEWHERE

#: Middle of a head in MNI152 (mm), where movements are compared.
CENTRE = np.array([0.0, -18.0, 8.0])
CUBE = 24.0
"""Millimetres along the edge of the places where nothing is planted."""
LAGS = np.arange(-4.0, 4.05, 0.05)
"""Seconds by which measured responses are tried to lag behind the planted ones."""


@dataclass(frozen=True)
class Truth:
    """What is known of a simulated participant.

    Parameters
    ----------
    regions : Nifti1Image
        Kinds of region on an MNI grid, -1 where surely nothing is planted.
    signal : Dataset
        ``signal`` (time, voxel) with x, y, z and ceiling of each voxel.
    motion : ndarray of shape (n_volumes, 4, 4)
        From a point of the head during volume 0 to the same point during each volume.
    bold_to_t1w : ndarray of shape (4, 4)
    deformation : Dataset
        ``to_t1w`` (i, j, k, axis).
    """

    regions: nib.Nifti1Image
    signal: xr.Dataset
    motion: np.ndarray
    bold_to_t1w: np.ndarray
    deformation: xr.Dataset


def read_truth(folder: Path, name: str) -> Truth:
    """Read the truth of a participant, such as ``sub-01``."""
    return Truth(
        regions=nib.load(folder / f"{name}_space-MNI_regions.nii.gz"),
        signal=read_dataset(folder / f"{name}_signal.nc"),
        motion=matrices(read_table(folder / f"{name}_motion.tsv")),
        bold_to_t1w=np.array(read_json(folder / f"{name}_spaces.json")["bold_to_t1w"]),
        deformation=read_dataset(folder / f"{name}_deformation.nc"),
    )


def kinds_on(image: nib.Nifti1Image, regions: nib.Nifti1Image) -> np.ndarray:
    """Return the kind of region that each voxel of an image lies in, by the nearest of the truth's.

    Parameters
    ----------
    image, regions : Nifti1Image
        In MNI space.

    Returns
    -------
    ndarray of int, shape of the image
        0 outside of the truth's grid.
    """
    labels = np.asarray(regions.dataobj)
    index, inside = nearest_voxels(voxel_points(image), regions.affine, labels.shape)
    found = np.zeros(image.shape[:3], dtype=int)
    found[inside] = labels[tuple(index[:, inside])]
    return found


def kinds_of_group(kinds: Sequence[np.ndarray]) -> np.ndarray:
    """Return the kinds of a group's voxels: planted in most of it, -1 where in nobody."""
    stack = np.stack(kinds)
    found = np.where((stack == -1).all(axis=0), -1, 0)
    for number in KIND_NUMBERS.values():
        found[(stack == number).mean(axis=0) > 0.5] = number
    return found


def planted_places(points: np.ndarray, kinds: np.ndarray) -> dict[str, np.ndarray]:
    """Return the voxels of each planted region.

    Parameters
    ----------
    points : ndarray of shape (n, 3)
        MNI millimetres of the voxels.
    kinds : ndarray of shape (n,), int
        Of each voxel, from `kinds_on`.

    Returns
    -------
    dict of str to ndarray of shape (n,), bool
        `REGIONS` by name.
    """
    number = region_number_at(points)
    return {
        region.name: (number == index) & (kinds == KIND_NUMBERS[region.kind])
        for index, region in enumerate(REGIONS)
    }


def empty_places(points: np.ndarray, kinds: np.ndarray) -> dict[str, np.ndarray]:
    """Return the voxels of places where surely nothing is planted.

    Parameters
    ----------
    points, kinds
        As for `planted_places`.

    Returns
    -------
    dict of str to ndarray of shape (n,), bool
        Cubes of `CUBE` mm, as large as a region, that hold at least half as many such voxels as the
        median of them.
    """
    _, cube = np.unique(np.floor(points / CUBE).astype(int), axis=0, return_inverse=True)
    empty = kinds == -1
    if not empty.any():
        return {}
    sizes = np.bincount(cube[empty])
    enough = np.flatnonzero(sizes >= np.median(sizes[sizes > 0]) / 2)
    return {f"{ELSEWHERE} {n + 1}": (cube == index) & empty for n, index in enumerate(enough)}


def motion_errors(
    truth: np.ndarray, found: np.ndarray, centre: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return how far estimated motion is off in each volume, and the place of the reference.

    The reference lies where the head lay most; that place is nobody's to know, and is taken out.

    Parameters
    ----------
    truth, found : ndarray of shape (n_volumes, 4, 4)
        Rigid maps to each volume: from volume 0, and from the reference.
    centre : ndarray of shape (3,)
        Millimetres; turns are about this point.

    Returns
    -------
    errors : ndarray of shape (n_volumes, 6)
        Millimetres along and degrees about each axis.
    rest : ndarray of shape (4, 4)
    """
    relative = np.linalg.inv(truth) @ found
    rest = rigid_matrix(np.median(rigid_parameters(relative, centre), axis=0), centre)
    errors = rigid_parameters(np.linalg.inv(rest) @ relative, centre)
    errors[:, 3:] = np.degrees(errors[:, 3:])
    return errors, rest


def place_errors(points: np.ndarray, in_bold: np.ndarray, motion: np.ndarray, truth: Truth):
    """Return how far from its true place each point of the template was read, mean over volumes.

    Parameters
    ----------
    points : ndarray of shape (3, n)
        MNI millimetres.
    in_bold : ndarray of shape (3, n)
        Where the analysis sends them in its BOLD reference.
    motion : ndarray of shape (n_volumes, 4, 4)
        The analysis's, from its reference to each volume.
    truth : Truth

    Returns
    -------
    ndarray of shape (n,)
        Millimetres: of normalisation, coregistration and motion together.
    """
    field = truth.deformation["to_t1w"]
    axes = tuple(field[name].values for name in "ijk")
    in_t1w = RegularGridInterpolator(axes, field.values, bounds_error=False)(points.T).T
    at_rest = apply(np.linalg.inv(truth.bold_to_t1w), in_t1w)
    pairs = list(zip(motion, truth.motion, strict=True))
    apart = [
        np.linalg.norm(apply(ours, in_bold) - apply(theirs, at_rest), axis=0)
        for ours, theirs in pairs[:: max(1, len(pairs) // 20)]
    ]
    return np.mean(apart, axis=0)


def planted_courses(bold: xr.DataArray, truth: Truth) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return measured and planted series of the planted voxels that the table has.

    Parameters
    ----------
    bold : DataArray, (time, voxel)
        Cleaned BOLD in MNI space.
    truth : Truth

    Returns
    -------
    measured : ndarray of shape (n_rows, n)
    planted : ndarray of shape (n_volumes, n)
    ceiling : ndarray of shape (n,)
        Planted correlation of the two; NaN where it was not computed.
    """
    affine, shape = grid(bold)
    column = np.full(shape, -1)
    column[tuple(bold[axis].values.astype(int) for axis in "ijk")] = np.arange(bold.sizes["voxel"])
    signal = truth.signal
    points = np.stack([signal[axis].values for axis in "xyz"]).astype(float)
    index, inside = nearest_voxels(points, affine, shape)
    mine = np.full(points.shape[1], -1)
    mine[inside] = column[tuple(index[:, inside])]
    there = mine >= 0
    return (
        bold.values[:, mine[there]].astype(float),
        signal["signal"].values[:, there].astype(float),
        signal["ceiling"].values[there].astype(float),
    )


def signal_errors(bold: xr.DataArray, truth: Truth) -> tuple[float, float]:
    """Return how late the measured responses are, and how much of the signal is left.

    Parameters
    ----------
    bold : DataArray, (time, voxel)
        Cleaned BOLD in MNI space; ``time`` is seconds of film.
    truth : Truth

    Returns
    -------
    lag : float
        Seconds by which the measured series lag behind the planted ones: where their correlation,
        mean over planted voxels, is largest among `LAGS`.
    left : float
        Correlation without a lag, divided by what perfect preprocessing would have given.
    """
    measured, planted, ceiling = planted_courses(bold, truth)
    rows, volumes = bold["time"].values, truth.signal["time"].values
    course = CubicSpline(volumes, planted)
    kept = (rows >= volumes[0] + LAGS[-1]) & (rows <= volumes[-1] + LAGS[0])
    y = _standard(measured[kept])
    r = np.stack([(y * _standard(course(rows[kept] - lag))).mean(axis=0) for lag in LAGS])
    lag = float(LAGS[np.nanargmax(np.nanmean(r, axis=1))])
    known = np.isfinite(ceiling)
    return round(lag, 2) + 0.0, float(
        r[np.abs(LAGS).argmin(), known].mean() / ceiling[known].mean()
    )


def _standard(values: np.ndarray) -> np.ndarray:
    values = values - values.mean(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return values / values.std(axis=0)


def space_table(explained: xr.DataArray, kinds: np.ndarray) -> pd.DataFrame:
    """Return the share of each feature space in what is explained of each kind of region.

    Parameters
    ----------
    explained : DataArray, (space, voxel)
        As partition_variance writes it, with i, j, k.
    kinds : ndarray of int
        Of each voxel of the grid.

    Returns
    -------
    DataFrame
        kind, space, explained (mean share of a voxel's variance) and share (of what all spaces
        explain there; NaN where they explain nothing).
    """
    here = kinds[tuple(explained[axis].values.astype(int) for axis in "ijk")]
    rows = []
    for kind, number in KIND_NUMBERS.items():
        if (here == number).any():
            means = explained.values[:, here == number].mean(axis=1)
            total = means.sum()
            shares = means / total if total > 0 else np.full(len(means), np.nan)
            names = map(str, explained["space"].values)
            rows += [(kind, *row) for row in zip(names, means, shares, strict=True)]
    return pd.DataFrame(rows, columns=["kind", "space", "explained", "share"])
