"""What the analysis found of what was planted: each measure against errors of known size."""

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from nibabel.affines import apply_affine

from stim2bold.preprocessing.head_motion import rigid_matrix
from stim2bold.simulation.brain import recovery
from stim2bold.simulation.brain.planted_regions import KIND_NUMBERS, REGIONS
from stim2bold.simulation.brain.planted_signal import AFFINE, SHAPE
from stim2bold.simulation.brain.recovery_verdict import ELSEWHERE, faults, verdict
from stim2bold.simulation.film.planted_dimensions import haemodynamic_response

CENTRE = np.array([0.0, -18.0, 8.0])
TR, N_VOLUMES = 0.608, 256


@pytest.fixture(scope="module")
def truth():
    """A head that lies as the template does, moved; one planted voxel in each planted place."""
    points = nib.affines.apply_affine(AFFINE, np.indices(SHAPE).reshape(3, -1).T)
    kinds = np.full(len(points), -1, np.int8)
    for region in REGIONS:
        kinds[region.contains(points)] = KIND_NUMBERS[region.kind]
    regions = nib.Nifti1Image(kinds.reshape(SHAPE), AFFINE)
    rng = np.random.default_rng(0)
    steps = rng.normal(0, 0.02, (N_VOLUMES, 6)).cumsum(axis=0) * [1, 1, 1, 0.01, 0.01, 0.01]
    steps -= steps[0]
    motion = np.stack([rigid_matrix(row, CENTRE) for row in steps])
    events = np.convolve(
        rng.random(N_VOLUMES * 10) < 0.01, haemodynamic_response(np.arange(0, 32, 0.0608))
    )
    planted = np.stack([np.roll(events, 100 * k)[: N_VOLUMES * 10 : 10] for k in range(4)], axis=1)
    voxels = np.argwhere(kinds.reshape(SHAPE) > 0)[::500][:4]
    x, y, z = apply_affine(AFFINE, voxels).T
    signal = xr.Dataset(
        {"signal": (("time", "voxel"), planted)},
        coords={"time": (np.arange(N_VOLUMES) + 0.5) * TR}
        | dict(zip("xyz", (("voxel", axis) for axis in (x, y, z)), strict=True))
        | {"ceiling": ("voxel", [0.8, 0.8, 0.8, np.nan])},
    )
    axes = {n: AFFINE[a, 3] + 4 * np.arange(SHAPE[a]) for a, n in enumerate("ijk")}
    field = np.stack(np.meshgrid(*axes.values(), indexing="ij"), axis=-1)
    deformation = xr.Dataset({"to_t1w": (("i", "j", "k", "axis"), field)}, coords=axes)
    return recovery.Truth(regions, signal, motion, np.eye(4), deformation)


def test_voxels_have_the_kind_of_the_nearest_of_the_truth(truth):
    grid = nib.Nifti1Image(np.zeros((60, 70, 60), np.int8), np.diag([-3.0, 3, 3, 1]))
    grid.affine[:3, 3] = (88, -122, -70)
    kinds = recovery.kinds_on(grid, truth.regions)
    for region in REGIONS:
        index = np.rint(apply_affine(np.linalg.inv(grid.affine), region.centre)).astype(int)
        assert kinds[tuple(index)] == KIND_NUMBERS[region.kind]
    far = nib.Nifti1Image(np.zeros((2, 2, 2), np.int8), np.diag([4.0, 4, 4, 1]))
    far.affine[:3, 3] = 500
    assert (recovery.kinds_on(far, truth.regions) == 0).all()


def test_of_a_group_most_must_have_it_and_nobody_may():
    kinds = [np.array([1, 1, -1, -1]), np.array([1, 0, -1, 2]), np.array([1, 0, -1, 2])]
    np.testing.assert_array_equal(recovery.kinds_of_group(kinds), [1, 0, -1, 2])


def test_places_are_the_regions_and_cubes_without_any(truth):
    points = apply_affine(AFFINE, np.indices(SHAPE).reshape(3, -1).T)
    kinds = np.asarray(truth.regions.dataobj).ravel().astype(int)
    planted = recovery.planted_places(points, kinds)
    assert list(planted) == [region.name for region in REGIONS]
    assert all(mask.sum() > 50 for mask in planted.values())
    assert np.sum(list(planted.values()), axis=0).max() == 1
    empty = recovery.empty_places(points, kinds)
    assert len(empty) > 50
    for mask in empty.values():
        assert (kinds[mask] == -1).all()
        assert (np.ptp(points[mask], axis=0) <= recovery.CUBE).all()
    assert np.sum(list(empty.values()), axis=0).max() == 1
    assert recovery.empty_places(points, np.ones_like(kinds)) == {}


def test_planted_errors_of_motion_are_measured(truth):
    rest = rigid_matrix(np.array([1.0, -2, 0.5, 0.02, 0, 0.01]), CENTRE)
    right = truth.motion @ rest
    errors, found = recovery.motion_errors(truth.motion, right, CENTRE)
    assert np.abs(errors).max() < 1e-6
    np.testing.assert_allclose(found, rest, atol=1e-8)
    off = np.stack(
        [rigid_matrix(np.r_[0.3 * (k % 2) * 2, np.zeros(5)], CENTRE) for k in range(N_VOLUMES)]
    )
    errors, _ = recovery.motion_errors(truth.motion, right @ off, CENTRE)
    assert np.sqrt((errors**2).mean(axis=0))[0] == pytest.approx(0.3 * np.sqrt(2), rel=0.5)
    assert np.abs(errors[:, 1:3]).max() < 0.05


def test_a_planted_error_of_place_is_measured(truth):
    points = np.array([[0.0, 10, -50], [-80, -20, 0], [10, 0, 20]])
    assert recovery.place_errors(points, points, truth.motion, truth).max() < 1e-6
    shifted = points + np.array([[3.0], [0], [4]])
    found = recovery.place_errors(points, shifted, truth.motion, truth)
    np.testing.assert_allclose(found, 5.0, atol=1e-6)


@pytest.mark.parametrize("late", [-1.2, 0.0, 0.6])
def test_a_planted_error_of_the_clock_is_measured(truth, late):
    fine = np.asarray(truth.signal["signal"])
    volumes = truth.signal["time"].values
    measured = np.stack([np.interp(volumes - late, volumes, column) for column in fine.T], axis=1)
    places = np.column_stack([truth.signal[axis].values for axis in "xyz"])
    index = np.rint(apply_affine(np.linalg.inv(AFFINE), places)).astype(int)
    coords = dict(zip("ijk", (("voxel", axis) for axis in index.T), strict=True))
    noise = np.random.default_rng(1).standard_normal(measured.shape)
    bold = xr.DataArray(
        measured + 0.75 * measured.std(axis=0) * noise,
        dims=("time", "voxel"),
        coords=coords | {"time": volumes},
        attrs={"affine": AFFINE.ravel(), "shape": np.array(SHAPE)},
    )
    lag, left = recovery.signal_errors(bold, truth)
    assert lag == pytest.approx(late, abs=0.15)
    if late == 0:
        # r is 0.8 by construction, and so is the ceiling.
        assert left == pytest.approx(1.0, abs=0.05)
    else:
        assert left < 0.99


def test_shares_of_spaces_are_those_of_the_kind_of_region():
    kinds = np.zeros((3, 1, 1), int)
    kinds[:, 0, 0] = (1, 1, 2)
    explained = xr.DataArray(
        [[0.2, 0.4, 0.0], [0.1, 0.1, 0.0]],
        dims=("space", "voxel"),
        coords={"space": ["a", "b"], "i": ("voxel", [0, 1, 2])}
        | {axis: ("voxel", [0, 0, 0]) for axis in "jk"},
    )
    table = recovery.space_table(explained, kinds).set_index(["kind", "space"])
    assert table.loc[("visual", "a"), "explained"] == pytest.approx(0.3)
    assert table.loc[("visual", "a"), "share"] == pytest.approx(0.75)
    assert np.isnan(table.loc[("auditory", "a"), "share"])
    assert "language" not in table.index.get_level_values(0)


def found(*, q, p):
    """A table of three planted regions and of places without a signal."""
    planted = pd.DataFrame(
        {"region": ["V", "A", "L"], "kind": ["visual", "auditory", "language"], "q": q, "p": q}
    )
    empty = pd.DataFrame({"region": [f"elsewhere {k}" for k in range(len(p))], "p": p})
    return pd.concat([planted, empty.assign(kind=ELSEWHERE, q=1.0)], ignore_index=True)


def test_the_verdict_counts_and_names():
    table = found(q=[0.01, 0.2, 0.04], p=[0.5] * 19 + [0.01])
    said = verdict(table)
    assert "found 2 of 3" in said and "(not A)" in said and "5.0% of 20 places" in said
    assert faults(table) == ["no auditory region was found"]
    assert faults(found(q=[0.01, 0.01, 0.04], p=[0.5] * 20)) == []
    (wrong,) = faults(found(q=[0.01, 0.01, 0.04], p=[0.01] * 5 + [0.5] * 15))
    assert wrong.startswith("25%")
