"""The T1w image: brain and tissues against planted truth."""

import nibabel as nib
import numpy as np
import planted_head
import pytest

from stim2bold.preprocessing import anatomy, registration, resampling
from stim2bold.runtime.errors import InputError


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


@pytest.fixture(scope="module")
def head():
    return planted_head.planted_head(31, voxel=3.0)


def test_conforming_keeps_every_place():
    affine = np.diag([1.0, 1.0, 3.0, 1.0])
    shape = (24, 26, 10)
    world = planted_head.world_grid(shape, affine)
    image = nib.Nifti1Image((10 + world @ [1, 2, 3]).astype(np.float32), affine)
    cubes = anatomy.conform(image)
    np.testing.assert_allclose(nib.affines.voxel_sizes(cubes.affine), 1)
    inner = (slice(5, -5), slice(5, -5), slice(12, -12))
    expected = 10 + planted_head.world_grid(cubes.shape, cubes.affine) @ [1, 2, 3]
    np.testing.assert_allclose(np.asarray(cubes.dataobj)[inner], expected[inner], atol=0.1)


@pytest.mark.parametrize(("scale", "offset"), [(1.0, -0.5), (1.0, 1000.0), (1000.0, -32768.0)])
def test_air_is_brought_to_zero_wherever_it_lay(head, scale, offset):
    data = np.asarray(head.t1w.dataobj, dtype=np.float64)
    unit = data / np.percentile(data, 99.9)
    own = anatomy.without_offset(nib.Nifti1Image(unit.astype(np.float32), head.t1w.affine))
    moved = nib.Nifti1Image((scale * unit + offset).astype(np.float32), head.t1w.affine)
    found = np.asarray(anatomy.without_offset(moved).dataobj) / scale
    assert found.min() == 0
    # float32 holds 32768 to 0.004.
    np.testing.assert_allclose(found, np.asarray(own.dataobj), atol=5e-5 if scale > 1 else 2e-4)


def test_ringing_below_air_does_not_move_it(head):
    data = np.asarray(head.t1w.dataobj, dtype=np.float32).copy()
    data.flat[:20] = -400
    kept = np.asarray(anatomy.without_offset(nib.Nifti1Image(data, head.t1w.affine)).dataobj)
    plain = np.asarray(anatomy.without_offset(head.t1w).dataobj)
    np.testing.assert_allclose(kept.flat[20:], plain.flat[20:], atol=0.01 * data.max())


def test_cubic_voxels_are_left_alone(head):
    assert anatomy.conform(head.t1w) is head.t1w


def test_tissues_are_the_same_every_time(head):
    points = resampling.voxel_points(head.t1w)
    brain = resampling.sample(registration.template("mask", 4), points) > 0.5
    one, other = (anatomy.segment(head.t1w, brain, points) for _ in range(2))
    for name in ("GM", "WM", "CSF"):
        np.testing.assert_array_equal(one[name], other[name])
    np.testing.assert_allclose(sum(one.values())[brain], 1, atol=1e-3)


def test_an_image_without_a_brain_is_refused():
    rng = np.random.default_rng(1)
    # A cube of noise: nothing dark round anything bright.
    noise = nib.Nifti1Image(rng.random((40, 40, 40), dtype=np.float32), np.eye(4))
    with pytest.raises(InputError, match="brain found in it has"):
        anatomy.extract_brain(noise, 0.5)
