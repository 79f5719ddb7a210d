import numpy as np
import pytest

from stim2bold.io.arrays import read_array
from stim2bold.io.feature_rows import write_rows


def test_rows_written_one_by_one_are_read_as_one_array(tmp_path):
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.uniform(0.1, 0.2, 37))
    values = rng.normal(size=(37, 5)).astype(np.float32)
    cuts = [0, 1, 2, 16, 17, 37]
    parts = ((times[a:b], values[a:b]) for a, b in zip(cuts[:-1], cuts[1:], strict=True))
    path = tmp_path / "folder" / "rows.nc"
    assert write_rows(path, parts, {"network": "i3d", "rate": 25.0}) == 37
    found = read_array(path)
    assert found.name == "features" and found.dims == ("time", "feature")
    np.testing.assert_array_equal(found.values, values)
    np.testing.assert_array_equal(found["time"], times)
    assert found["feature"].values.tolist() == [0, 1, 2, 3, 4]
    assert found.attrs["network"] == "i3d" and found.attrs["rate"] == 25.0
    assert found["time"].attrs["units"] == "s"


def test_a_failure_midway_leaves_nothing(tmp_path):
    def parts():
        yield np.zeros(1), np.zeros((1, 2), np.float32)
        raise RuntimeError("midway")

    with pytest.raises(RuntimeError, match="midway"):
        write_rows(tmp_path / "rows.nc", parts(), {})
    with pytest.raises(ValueError, match="no row"):
        write_rows(tmp_path / "rows.nc", iter(()), {})
    assert list(tmp_path.iterdir()) == []
