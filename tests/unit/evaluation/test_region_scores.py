"""Tests of regions: the mean of their voxels, its chance, and what is found among them."""

import numpy as np
import pytest
import xarray as xr
from scipy.signal import lfilter

from stim2bold.evaluation.group_map import film_test, gather, predicted_pair
from stim2bold.evaluation.region_scores import region_scores

N_ROWS, SIDE = 300, 4
FOLD = np.arange(N_ROWS) // 60


def smooth(shape, rng, rho=0.8):
    return lfilter([1], [1, -rho], rng.standard_normal((shape[0] + 50, *shape[1:])), axis=0)[50:]


def grouped(rng, *, strength=0.0, participants=3, planted=slice(0, 16), voxels=SIDE**3):
    """Participants whose first voxels follow the predictions, which all share in part."""
    course = smooth((N_ROWS, voxels), rng)
    index = np.indices((SIDE, SIDE, SIDE)).reshape(3, -1)[:, :voxels]
    coords = dict(zip("ijk", (("voxel", axis) for axis in index), strict=True))
    times = {"time": np.arange(N_ROWS, dtype=float)}
    pairs = {}
    for number in range(participants):
        predicted = course + smooth((N_ROWS, voxels), rng)
        measured = smooth((N_ROWS, voxels), rng)
        measured[:, planted] += strength * predicted[:, planted]
        attrs = {"affine": np.eye(4).ravel(), "shape": np.full(3, SIDE)}
        bold = xr.DataArray(measured, dims=("time", "voxel"), coords=times | coords, attrs=attrs)
        guess = bold.copy(data=predicted).assign_coords(
            fold=("time", FOLD), row=("time", np.arange(N_ROWS))
        )
        pairs[f"sub-{number}"] = predicted_pair(bold, guess, spread=1.0)
    return gather(lambda name: pairs[name], list(pairs))


def test_a_region_of_one_voxel_is_that_voxel():
    group = grouped(np.random.default_rng(0), strength=0.4)
    voxels = film_test(group, seed=1, n=50)
    one = np.arange(SIDE**3) == 5
    table = region_scores(group, {"one": one, "none": np.zeros(SIDE**3, bool)}, seed=1)
    assert table["region"].tolist() == ["one"] and table["voxels"].tolist() == [1]
    assert table["r"][0] == pytest.approx(voxels.r[5], abs=1e-6)
    assert table["p"][0] == pytest.approx(voxels.p[5], rel=1e-4)


def test_what_is_planted_in_a_region_is_found_and_what_is_not_is_not():
    group = grouped(np.random.default_rng(1), strength=0.3)
    number = np.arange(SIDE**3)
    regions = {f"region {k}": number // 16 == k for k in range(4)}
    table = region_scores(group, regions, seed=1).set_index("region")
    assert table["q"]["region 0"] < 0.01 and (table["q"].drop("region 0") > 0.01).all()
    assert table["r"]["region 0"] == pytest.approx(group.r[:, :16].mean(), abs=1e-6)
    assert table["p_participants"]["region 0"] < 0.05
    # In single voxels of it there is less to be seen.
    assert table["p"]["region 0"] < np.median(film_test(group, seed=1, n=50).p[:16])


def test_by_chance_few_regions_are_found():
    rng = np.random.default_rng(2)
    everything = {"all": np.ones(16, bool)}
    p = [
        region_scores(grouped(rng, participants=2, voxels=16), everything, seed=1)["p"][0]
        for _ in range(300)
    ]
    assert 0.02 <= np.mean(np.array(p) < 0.05) <= 0.09


def test_one_participant_has_no_test_over_participants():
    group = grouped(np.random.default_rng(3), participants=1)
    table = region_scores(group, {"all": np.ones(SIDE**3, bool)}, seed=1)
    assert np.isnan(table["p_participants"][0]) and 0 <= table["p"][0] <= 1


def test_without_a_region_the_table_is_empty():
    assert len(region_scores(grouped(np.random.default_rng(4)), {}, seed=1)) == 0
