import h5py
import numpy as np
import pytest
import xarray as xr

from stim2bold.io import arrays


def test_values_names_and_units_survive(tmp_path):
    array = xr.DataArray(
        np.arange(6, dtype="float32").reshape(3, 2),
        dims=("time", "feature"),
        coords={"time": [0.304, 0.912, 1.52], "feature": ["facial expression", "mus\u00edk"]},
        name="features",
        attrs={"units": "1", "source": "a test"},
    )
    array.coords["time"].attrs["units"] = "s"
    arrays.write_array(tmp_path / "features.nc", array)
    xr.testing.assert_identical(arrays.read_array(tmp_path / "features.nc"), array)
    with h5py.File(tmp_path / "features.nc") as file:  # any HDF5 reader can open it
        np.testing.assert_array_equal(file["features"][:], array.values)


def test_a_file_of_two_arrays_is_not_one(tmp_path):
    dataset = xr.Dataset({"mean": ("x", [1.0]), "std": ("x", [2.0])})
    arrays.write_array(tmp_path / "two.nc", dataset)
    xr.testing.assert_identical(arrays.read_dataset(tmp_path / "two.nc"), dataset)
    with pytest.raises(ValueError, match=r"two\.nc: holds 2 arrays"):
        arrays.read_array(tmp_path / "two.nc")
