"""Named arrays on disk: NetCDF files with dimensions, coordinates and units."""

from pathlib import Path

import xarray as xr

from stim2bold.io.hdf5 import replacing_hdf5


def write_array(path: str | Path, array: xr.DataArray | xr.Dataset) -> None:
    """Write a named array as compressed NetCDF4.

    Parameters
    ----------
    path : str or Path
        The file to write.
    array : DataArray or Dataset
        Attributes say what it is: ``units`` and ``source`` at the least.
    """
    dataset = array if isinstance(array, xr.Dataset) else array.to_dataset(name=array.name)
    encoding = {
        name: {"zlib": True, "complevel": 1}
        for name, variable in dataset.data_vars.items()
        if variable.dtype.kind in "fiu" and variable.ndim
    }
    with replacing_hdf5(path) as file:
        dataset.to_netcdf(file, engine="h5netcdf", encoding=encoding)


def read_dataset(path: str | Path) -> xr.Dataset:
    """Read every array of a NetCDF file into memory."""
    with xr.open_dataset(path, engine="h5netcdf") as dataset:
        return dataset.load()


def read_array(path: str | Path) -> xr.DataArray:
    """Read the one array of a NetCDF file into memory.

    Raises
    ------
    ValueError
        When the file holds more than one.
    """
    dataset = read_dataset(path)
    if len(dataset.data_vars) != 1:
        raise ValueError(f"{path}: holds {len(dataset.data_vars)} arrays where one was expected")
    return dataset[next(iter(dataset.data_vars))]
