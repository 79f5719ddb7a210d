"""Two runs compared: what differs is found, what is alike is not, and pairs are people."""

import json
import subprocess
import sys

import nibabel as nib
import numpy as np
import pandas as pd
import planted_study
import pytest
import xarray as xr

from stim2bold.io.arrays import write_array
from stim2bold.io.files import read_table, write_json, write_table
from stim2bold.report.comparison import (
    compared_scores,
    comparison,
    differing,
    flattened,
    map_pairs,
    mean_difference,
    read_bold,
    read_run,
    settings_that_differ,
)
from stim2bold.runtime.errors import InputError

NASTY = "<script>alert(1)</script>"
AFFINE = np.diag([4.0, 4.0, 4.0, 1.0])
SHAPE = (4, 3, 2)


def plant(folder, r, *, settings=None, offset=0.0, dropped=0, affine=AFFINE):
    """Write what a comparison reads of a run; `r` is the VAE's of each participant."""
    labels = list(r)
    write_json(folder / "inputs.json", {"participants": labels})
    configuration = {"vae": {"preset": "small-data", "seeds": 3}, "device": "cpu"}
    configuration["vae"] |= settings or {}
    versions = {"torch": "2.13.0", "numpy": "2.3.5"}
    study = f"A study of {NASTY}"
    content = {"study": study, "configuration": configuration, "versions": versions}
    write_json(folder / "methods.json", content)
    write_table(folder / "scores" / "summary.tsv", pd.DataFrame({"direction": ["film2bold"]}))
    where = np.argwhere(np.ones(SHAPE))[dropped:]
    axes = {axis: ("voxel", where[:, k].astype(np.int32)) for k, axis in enumerate("ijk")}
    for label, value in r.items():
        rows = [
            ("film2bold", f"sub-{label}", model, fold, measure, number)
            for model, number in (("vae", value), ("blocks", 0.01))
            for fold, measure in (("0", "r"), ("all", "r"), ("all", "r_within"))
        ]
        rows.append(("film2bold", f"sub-{label}", "mean", "all", "r", np.nan))
        columns = ["direction", "unit", "model", "fold", "measure", "value"]
        path = folder / "scores" / "film2bold" / f"sub-{label}.tsv"
        write_table(path, pd.DataFrame(rows, columns=columns))
        map_of = np.linspace(0, 1, len(where)) + offset
        voxels = xr.Dataset(
            {"r": (("model", "voxel"), np.stack([map_of, 0 * map_of]).astype(np.float32))},
            coords={"model": ["vae", "blocks"], **axes},
        )
        voxels.to_netcdf(path.with_name(f"sub-{label}_voxels.nc"), engine="h5netcdf")
        series = np.zeros((5, len(where)), np.float32)
        bold = xr.DataArray(series, dims=("time", "voxel"), coords=axes, name="bold")
        bold.attrs |= {"affine": affine.ravel(), "shape": np.array(SHAPE)}
        write_array(folder / "bold" / f"sub-{label}.nc", bold)
    return folder


@pytest.fixture
def two(tmp_path):
    """Two runs: three people in both, one in each alone; the second better, with fewer voxels."""
    a = {"01": 0.1, "02": 0.3, "03": 0.2, "04": 0.9}
    b = {"01": 0.15, "02": 0.31, "03": 0.23, "05": -0.9}
    return (
        plant(tmp_path / "a", a),
        plant(tmp_path / "b b", b, settings={"seeds": 4, "beta": None}, offset=0.1, dropped=3),
    )


def test_settings_are_compared_by_their_full_names():
    one = flattened({"a": {"b": 1, "c": {}}, "d": [1, 2]})
    assert one == {"a.b": 1, "a.c": {}, "d": [1, 2]}
    other = flattened({"a": {"b": 2, "c": {}}, "e": None})
    assert differing(one, other) == [
        {"name": "a.b", "a": "1", "b": "2"},
        {"name": "d", "a": "[1, 2]", "b": "not there"},
        {"name": "e", "a": "not there", "b": "None"},
    ]


def test_scores_are_paired_over_the_people_of_both(two):
    runs = [read_run(path) for path in two]
    table = compared_scores(*runs).set_index(["model", "measure"])
    assert list(table.index) == [("vae", "r"), ("blocks", "r")]
    row = table.loc[("vae", "r")]
    differences = np.array([0.05, 0.01, 0.03])
    assert row["n"] == row["higher"] == 3
    assert row["a"] == pytest.approx(0.2) and row["difference"] == pytest.approx(0.03)
    # The quantile of Student's t for two degrees of freedom.
    half = 4.302653 * differences.std(ddof=1) / np.sqrt(3)
    assert (row["low"], row["high"]) == pytest.approx((0.03 - half, 0.03 + half), abs=1e-6)


def test_a_run_does_not_differ_from_itself(two):
    run = read_run(two[0])
    scores = compared_scores(run, run)
    found = comparison(run, run, scores, map_pairs(run, run, scores))
    assert found["settings"] == found["versions"] == []
    assert found["only"] == [[], []]
    assert (scores["difference"] == 0).all()
    assert [row["r"] for row in found["maps"]] == [1.0] and found["maps"][0]["largest"] == 0


def test_where_a_run_was_made_is_no_setting(tmp_path):
    a, b = (read_run(plant(tmp_path / name, {"01": 0.1})) for name in "ab")
    b.methods["configuration"]["device"] = "cuda"
    assert settings_that_differ(a, b) == []
    b.methods["configuration"]["vae"]["seeds"] = 5
    assert settings_that_differ(a, b) == [{"name": "vae.seeds", "a": "3", "b": "5"}]


def test_maps_are_compared_where_both_have_voxels(two):
    a, b = (read_run(path) for path in two)
    pairs = map_pairs(a, b, compared_scores(a, b))
    assert {(pair.unit, pair.model) for pair in pairs} == {(f"sub-0{n}", "vae") for n in (1, 2, 3)}
    assert pairs[0].only_a == 3 and pairs[0].only_b == 0 and len(pairs[0].a) == 21
    with read_bold(a, "sub-01") as bold:
        volume = mean_difference(pairs, bold)
    spread = np.linspace(0, 1, 24), np.linspace(0, 1, 21) + 0.1
    expected = np.concatenate([np.zeros(3), spread[1] - spread[0][3:]])
    np.testing.assert_allclose(volume.ravel(), expected, atol=1e-6)


def test_other_grids_are_not_compared(tmp_path):
    a = read_run(plant(tmp_path / "a", {"01": 0.1}))
    b = read_run(plant(tmp_path / "b", {"01": 0.1}, affine=2 * AFFINE))
    with pytest.raises(InputError, match="sub-01 lies on another grid"):
        map_pairs(a, b, compared_scores(a, b))


def test_what_is_no_run_is_named(two, tmp_path):
    with pytest.raises(InputError, match="has no methods.json; name the folder 'results'"):
        read_run(tmp_path)
    path = two[0] / "methods.json"
    path.write_text(json.dumps({"study": "old"}))
    with pytest.raises(InputError, match="does not hold the run's settings"):
        read_run(two[0])


def test_the_page_is_made_and_nothing_is_overwritten(two, tmp_path):
    out = tmp_path / "out 'x'"
    command = [sys.executable, planted_study.PROJECT / "workflow/scripts/compare_runs.py"]
    command += ["--a", two[0], "--b", two[1], "--out", out]
    command += ["--templates", planted_study.PROJECT / "workflow/report/pages"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    page = (out / "index.html").read_text()
    assert "vae.seeds" in page and "<script>alert" not in page
    assert "in A alone: 04" in page and "in B alone: 05" in page
    assert len(read_table(out / "scores.tsv")) == 2
    image = nib.load(out / "film2bold_vae_difference.nii.gz")
    assert image.shape == SHAPE and (out / "assets/film2bold.webp").is_file()
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 1 and "is there already; name another folder" in again.stderr
    assert "Traceback" not in again.stderr
