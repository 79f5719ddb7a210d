"""Maps and series as NIfTI images in the space of the measured BOLD."""

import json

import nibabel as nib
import numpy as np
import xarray as xr

from stim2bold.evaluation.statistic_image import statistic_image
from stim2bold.runtime.errors import InputError


def grid(bold: xr.DataArray) -> tuple[np.ndarray, tuple[int, int, int]]:
    """Return affine (4, 4) and shape of the volume that a BOLD table was taken from.

    Raises
    ------
    InputError
        When the table does not say.
    """
    if not {"affine", "shape"} <= set(bold.attrs):
        raise InputError(
            "BOLD table",
            "the attributes affine and shape are missing",
            "delete results/bold and run again",
        )
    affine = np.asarray(bold.attrs["affine"], dtype=float).reshape(4, 4)
    return affine, tuple(int(n) for n in np.asarray(bold.attrs["shape"]))


def to_volume(values: np.ndarray, bold: xr.DataArray, *, fill: float = 0.0) -> np.ndarray:
    """Put voxel values back into their volume.

    Parameters
    ----------
    values : ndarray of shape (n_voxels,) or (n_rows, n_voxels)
    bold : DataArray
        With the coordinates i, j, k over voxel.
    fill : float
        Value outside.

    Returns
    -------
    ndarray of shape (x, y, z) or (x, y, z, n_rows), float32
    """
    _, shape = grid(bold)
    where = tuple(bold[axis].values.astype(int) for axis in "ijk")
    volume = np.full((*shape, *values.shape[:-1]), fill, dtype=np.float32)
    volume[where] = np.moveaxis(values, -1, 0)
    return volume


def statistic_map(
    values: np.ndarray, bold: xr.DataArray, *, name: str, fill: float = 0.0
) -> nib.Nifti1Image:
    """Return a map of one number a voxel.

    Parameters
    ----------
    values : ndarray of shape (n_voxels,)
    bold : DataArray
    name : str
        Of the statistic, for the header; ``r`` is marked as a correlation.
    fill : float
        What voxels without a value, and those outside, are given.
    """
    affine, _ = grid(bold)
    volume = to_volume(np.nan_to_num(values, nan=fill), bold, fill=fill)
    return statistic_image(volume, affine, name=name)


def predicted_bold(predicted: xr.DataArray, bold: xr.DataArray, *, tr: float) -> nib.Nifti1Image:
    """Return predicted BOLD as a series of volumes, one a held-out row.

    Parameters
    ----------
    predicted : DataArray of shape (n_rows, n_voxels)
        With the coordinate row, consecutive.
    bold : DataArray
        Measured BOLD with affine, shape and voxel coordinates.
    tr : float
        Seconds from volume to volume.
    """
    affine, _ = grid(bold)
    image = nib.Nifti1Image(to_volume(predicted.values, bold), affine)
    image.header.set_xyzt_units("mm", "sec")
    image.header.set_zooms((*image.header.get_zooms()[:3], tr))
    image.set_sform(affine, code=4)
    image.set_qform(affine, code=4)
    rows = predicted["row"].values
    image.header["descrip"] = json.dumps({"first_row": int(rows[0])}).encode()
    return image
