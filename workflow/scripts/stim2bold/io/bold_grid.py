"""Which voxels of the template's grid a BOLD table holds."""

import numpy as np
import xarray as xr

from stim2bold.runtime.errors import InputError


def check_grid(name: str, table: xr.DataArray, first: xr.DataArray) -> None:
    """Refuse a participant whose grid is not the first participant's.

    Parameters
    ----------
    name : str
        Of the participant.
    table, first : DataArray
        BOLD tables with the attributes shape and affine.

    Raises
    ------
    InputError
        When the grids differ.
    """
    same = list(table.attrs["shape"]) == list(first.attrs["shape"])
    if not same or not np.allclose(table.attrs["affine"], first.attrs["affine"], atol=1e-3):
        raise InputError(
            name,
            "its BOLD lies on another grid than the first participant's",
            "set preprocessing.resolution to one voxel size in mm for all",
        )


def places_of(table: xr.DataArray) -> np.ndarray:
    """Return the number of each voxel's place on the grid, shape (n_voxels,)."""
    shape = tuple(int(n) for n in table.attrs["shape"])
    return np.ravel_multi_index([table[axis].values for axis in "ijk"], shape)
