"""Parcels of an atlas in place of single voxels."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from nibabel.affines import apply_affine

from stim2bold.preprocessing.image_checks import check_volume, no_numbers
from stim2bold.preprocessing.images import open_image, read_voxels
from stim2bold.runtime.errors import InputError

log = logging.getLogger(__name__)


def labels_at(bold: xr.DataArray, atlas: str | Path) -> np.ndarray:
    """Return the atlas's label at each voxel, 0 where it has none, shape (n_voxels,).

    Parameters
    ----------
    bold : DataArray
        With voxel indices i, j, k and the affine among its attributes.
    atlas : str or Path
        3D image of whole numbers in the template's space, on any grid.

    Raises
    ------
    InputError
        When the image is no atlas, or none of its parcels lies where there are voxels.
    """
    image = open_image(atlas)
    check_volume(image, atlas)
    labels = read_voxels(image, atlas, dtype=np.float64)
    if bad := no_numbers(labels):
        log.warning("%s: voxels that are no numbers (%s) belong to no parcel", atlas, bad)
        labels = np.nan_to_num(labels, nan=0.0, posinf=0.0, neginf=0.0)
    if not np.array_equal(labels, np.rint(labels)):
        raise InputError(atlas, "not a 3D image of whole numbers", "give an atlas of labels")
    indices = np.column_stack([bold[axis].values for axis in "ijk"])
    world = apply_affine(np.reshape(bold.attrs["affine"], (4, 4)), indices)
    voxels = np.rint(apply_affine(np.linalg.inv(image.affine), world)).astype(int)
    inside = ((voxels >= 0) & (voxels < labels.shape)).all(axis=1)
    found = np.zeros(len(voxels), dtype=int)
    found[inside] = labels[tuple(voxels[inside].T)]
    if not found.any():
        raise InputError(
            atlas,
            "none of its parcels lies where the study has voxels",
            f"is it in the space {bold.attrs['space']}?",
        )
    return found


def average_parcels(bold: xr.DataArray, labels: np.ndarray) -> xr.DataArray:
    """Put the mean of each parcel in the place of its voxels.

    Each voxel keeps its place, so that maps show parcels as they lie; voxels without a label are
    left out. Averages over voxels then weigh each parcel by its size.

    Parameters
    ----------
    bold : DataArray, dims (time, voxel)
    labels : ndarray of shape (n_voxels,), int
        As `labels_at` returns them.

    Returns
    -------
    DataArray, dims (time, voxel)
        With a coordinate ``parcel``, the label of each voxel.
    """
    kept = bold.isel(voxel=labels != 0)
    labels = labels[labels != 0]
    numbers, place = np.unique(labels, return_inverse=True)
    means = pd.DataFrame(kept.values.T).groupby(place).mean().to_numpy().T
    averaged = kept.copy(data=means[:, place].astype(np.float32))
    averaged = averaged.assign_coords(parcel=("voxel", labels.astype(np.int32)))
    averaged.attrs["parcels"] = len(numbers)
    return averaged
