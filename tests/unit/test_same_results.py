"""Two runs that differ are told from two that agree."""

import nibabel as nib
import numpy as np
import pytest
import soundfile
import xarray as xr
from same_results import differences


def write(results, *, series=1.0, sound=0.1, score="0.5", map_value=2.0):
    for folder in ("scores", "bold", "sounds", "maps", "logs"):
        (results / folder).mkdir(parents=True)
    (results / "scores" / "summary.tsv").write_text(f"model\tr\nridge\t{score}\n")
    data = xr.Dataset({"bold": ("time", np.array([0, series, np.nan]))})
    data.to_netcdf(results / "bold" / "sub-01.nc", engine="h5netcdf")
    soundfile.write(results / "sounds" / "a.wav", np.full(100, sound), 8000)
    nib.save(nib.Nifti1Image(np.full((2, 2, 2), map_value), np.eye(4)), results / "maps/r.nii.gz")
    (results / "logs" / "time.tsv").write_text(str(results))
    return results


def test_runs_that_agree(tmp_path):
    a, b = write(tmp_path / "a"), write(tmp_path / "b", series=1 + 5e-7, map_value=2 + 1e-6)
    assert differences(a, b) == []


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"series": 1 + 2e-6}, "bold/sub-01.nc"),
        ({"series": np.nan}, "bold/sub-01.nc"),
        ({"sound": 0.1001}, "sounds/a.wav"),
        ({"score": "0.50"}, "scores/summary.tsv"),
        ({"map_value": 2.00001}, "maps/r.nii.gz"),
    ],
)
def test_what_differs_is_named(tmp_path, change, name):
    assert differences(write(tmp_path / "a"), write(tmp_path / "b", **change)) == [name]


def test_what_is_missing_is_named(tmp_path):
    a, b = write(tmp_path / "a"), write(tmp_path / "b")
    (b / "maps/r.nii.gz").unlink()
    assert differences(a, b) == differences(b, a) == ["maps/r.nii.gz"]
