"""Distortion: its axis, the points it moves, and the mixture of tissues it is measured against."""

import nibabel as nib
import numpy as np
import pytest

from stim2bold.preprocessing.distortion import displaced_points, tissue_mixture
from stim2bold.preprocessing.images import stored_axis
from stim2bold.preprocessing.resampling import voxel_points
from stim2bold.runtime.errors import InputError
from stim2bold.study.sidecars import phase_encoding


@pytest.mark.parametrize(
    ("codes", "direction", "axis"),
    [("RAS", "j-", 1), ("LAS", "j", 1), ("PSR", "i", 1), ("PSR", "j-", 2), ("SAL", "k", 0)],
)
def test_the_axis_of_the_stored_image_is_found_in_the_world(codes, direction, axis):
    to_codes = nib.orientations.axcodes2ornt(codes)
    stored = nib.Nifti1Image(np.zeros((4, 5, 6), np.float32), np.diag([2.0, 2, 3, 1]))
    turned = nib.orientations.ornt_transform(nib.orientations.axcodes2ornt("RAS"), to_codes)
    assert stored_axis(direction, stored.as_reoriented(turned).affine)[0] == axis


@pytest.mark.parametrize("said", [None, "y", "AP", 1, ["j"], "-j"])
def test_a_sidecar_that_names_no_axis_is_refused(said):
    metadata = {} if said is None else {"PhaseEncodingDirection": said}
    with pytest.raises(InputError, match="PhaseEncodingDirection as one of i, j"):
        phase_encoding(metadata, name="bold.json")


def test_points_move_by_what_the_image_says_where_they_are():
    affine = nib.affines.from_matvec(np.diag([2.0, 3, 4]), (5, -7, 9))
    field = np.zeros((6, 7, 8, 3), np.float32)
    field[..., 1] = np.arange(6)[:, None, None]
    grid = nib.Nifti1Image(field, affine)
    points = voxel_points(grid)
    moved = displaced_points(points, grid)
    np.testing.assert_allclose(moved[[0, 2]], points[[0, 2]])
    np.testing.assert_allclose((moved - points)[1], field[..., 1])


def test_the_mixture_has_the_intensities_of_the_reference_and_lies_where_the_tissues_are():
    rng = np.random.default_rng(1)
    raw = np.exp(2 * rng.normal(size=(3, 12, 12, 12)))
    shares = raw / raw.sum(axis=0)
    fine = np.kron(shares, np.ones((1, 2, 2, 2)))
    # Voxels of 2 mm, halved: an even number of small ones, whose middle lies between two.
    affine = nib.affines.from_matvec(np.eye(3), (-0.5, -0.5, -0.5))
    tissues = [nib.Nifti1Image(one.astype(np.float32), affine) for one in fine]
    expected = np.tensordot([800.0, 600, 1100], shares, 1)
    shift = nib.affines.from_matvec(np.eye(3), (3, 0, 0))
    reference = nib.Nifti1Image(expected.astype(np.float32), shift @ np.diag([2.0, 2, 2, 1]))
    found = tissue_mixture(reference, tissues, shift)
    inner = (slice(1, -1),) * 3
    np.testing.assert_allclose(found[inner], expected[inner], rtol=1e-3)
