"""Feature tables that are written row by row: as long as the film, in memory of a few rows."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import h5netcdf
import numpy as np

from stim2bold.io.hdf5 import replacing_hdf5


def write_rows(
    path: str | Path,
    rows: Iterable[tuple[np.ndarray, np.ndarray]],
    attributes: Mapping[str, Any],
) -> int:
    """Write features as they come, to a NetCDF file as `stim2bold.io.arrays.read_array` reads them.

    Parameters
    ----------
    path : str or Path
        The file to write.
    rows : iterable of (ndarray of shape (n,), ndarray of shape (n, n_features))
        Film times in seconds, and features.
    attributes : mapping of str to str or number
        What the features are.

    Returns
    -------
    int
        Number of rows.

    Raises
    ------
    ValueError
        When there is no row at all.
    """
    n_rows = 0
    with replacing_hdf5(path) as disk, h5netcdf.File(disk, "w") as file:
        for times, features in rows:
            if not n_rows:
                n_features = features.shape[1]
                file.dimensions = {"time": None, "feature": n_features}
                time = file.create_variable("time", ("time",), float, chunks=(1024,))
                time.attrs["units"] = "s"
                time.attrs["description"] = "film time of the centre"
                index = file.create_variable("feature", ("feature",), np.int32)
                index[:] = np.arange(n_features, dtype=np.int32)
                values = file.create_variable(
                    "features",
                    ("time", "feature"),
                    np.float32,
                    chunks=(16, n_features),
                    compression="gzip",
                    compression_opts=1,
                    fillvalue=np.float32(np.nan),
                )
                values.attrs.update(attributes)
            end = n_rows + len(times)
            file.resize_dimension("time", end)
            time[n_rows:end] = times
            values[n_rows:end] = features
            n_rows = end
            # A long film is not looked at to its end for a file that is lost.
            disk.check()
        if not n_rows:
            raise ValueError("there is no row to write")
    return n_rows
