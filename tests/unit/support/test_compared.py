"""The comparison of two runs sees what it has to see."""

import numpy as np
import pytest
import xarray as xr
from compared import apart, differences, files
from killed import moments
from safetensors.numpy import save_file

from stim2bold.io.arrays import write_array
from stim2bold.io.files import write_json

VALUES = np.linspace(-100, 50, 600).reshape(20, 30)


def write(path, values, *, units="K"):
    if path.suffix == ".nc":
        array = xr.DataArray(values, dims=("time", "voxel"), name="bold", attrs={"units": units})
        write_array(path, array)
    else:
        save_file({"weight": values}, path)


@pytest.mark.parametrize("name", ["a.nc", "a.safetensors"])
@pytest.mark.parametrize("error", [0.0, 1e-5, 1e-2])
def test_arrays_are_apart_by_a_share_of_the_largest_value(tmp_path, name, error):
    for folder, values in (("one", VALUES), ("other", VALUES + error * np.eye(20, 30))):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder / name, values)
    one, other = tmp_path / "one", tmp_path / "other"
    assert np.isclose(apart(one / name, other / name), error / 100, rtol=1e-3)
    assert (differences(one, other) == {}) == (error < 1e-3)


def test_missing_values_attributes_and_shapes_count(tmp_path):
    write(tmp_path / "a.nc", VALUES)
    holed = VALUES.copy()
    holed[3, 4] = np.nan
    write(tmp_path / "holed.nc", holed)
    write(tmp_path / "other.nc", VALUES, units="mK")
    write(tmp_path / "short.nc", VALUES[:-1])
    write(tmp_path / "coarse.nc", VALUES.astype(np.float32))
    for name in ("holed", "other", "short", "coarse"):
        assert apart(tmp_path / "a.nc", tmp_path / f"{name}.nc") == np.inf, name


def test_a_truncated_file_counts(tmp_path):
    for name in ("a.nc", "a.safetensors"):
        write(tmp_path / name, VALUES)
        cut = tmp_path / f"cut-{name}"
        cut.write_bytes((tmp_path / name).read_bytes()[:-100])
        assert apart(tmp_path / name, cut) == np.inf, name


def test_json_by_content_and_everything_else_by_its_bytes(tmp_path):
    write_json(tmp_path / "a.json", {"r": 1, "n": 2})
    (tmp_path / "b.json").write_text('{"n": 2, "r": 1}')
    (tmp_path / "c.json").write_text('{"n": 2, "r": 3}')
    assert apart(tmp_path / "a.json", tmp_path / "b.json") == 0
    assert apart(tmp_path / "a.json", tmp_path / "c.json") == np.inf
    (tmp_path / "a.tsv").write_text("r\n0.1\n")
    (tmp_path / "b.tsv").write_text("r\n0.10\n")
    assert apart(tmp_path / "a.tsv", tmp_path / "b.tsv") == np.inf


def test_of_a_page_all_but_the_costs_of_the_run(tmp_path):
    page = 'r = {}<div aria-label="Time and memory of each rule"><table>{} s</table></div>end'
    for name, parts in (("a", (0.1, 3)), ("b", (0.1, 4)), ("c", (0.2, 3))):
        (tmp_path / f"{name}.html").write_text(page.format(*parts))
    assert apart(tmp_path / "a.html", tmp_path / "b.html") == 0
    assert apart(tmp_path / "a.html", tmp_path / "c.html") == np.inf


def test_only_what_tells_of_the_run_is_left_out(tmp_path):
    for name in ("scores/a.tsv", "logs/a.log", "benchmarks/a.tsv", "maps/.writing-1-x/a.tsv"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    assert files(tmp_path) == {"scores/a.tsv"}
    (tmp_path / "other").mkdir()
    assert differences(tmp_path, tmp_path / "other") == {"scores/a.tsv": np.inf}


def test_all_kills_of_a_run_come_before_its_end():
    for seed in range(50):
        drawn = moments(seed, 7, jobs=100)
        assert sum(finished for finished, _ in drawn) < 100
        assert all(0 <= delay < 5 for _, delay in drawn)
    assert moments(1, 7, jobs=100) == moments(1, 7, jobs=100) != moments(2, 7, jobs=100)
