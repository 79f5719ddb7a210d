"""A head of the user's: estimates against planted tissues, and a known affine map."""

import nibabel as nib
import numpy as np
import pytest
from nilearn.datasets import load_mni152_brain_mask, load_mni152_template
from scipy.ndimage import affine_transform, center_of_mass

from stim2bold.runtime.errors import InputError
from stim2bold.simulation.brain.deformation import only_affine, rigid
from stim2bold.simulation.brain.user_head import (
    BorrowedHead,
    carry_to_mni,
    partial_volumes,
    read_head,
    register,
)


def test_partial_volumes_are_those_mixed():
    rng = np.random.default_rng(0)
    pure = np.array([0.2, 0.55, 0.9])
    fractions = np.zeros((30000, 3))
    fractions[np.arange(30000), rng.choice(3, 30000, p=[0.15, 0.5, 0.35])] = 1
    mixed = rng.random(6000)
    fractions[:3000] = np.column_stack([mixed[:3000], 1 - mixed[:3000], np.zeros(3000)])
    fractions[3000:6000] = np.column_stack([np.zeros(3000), 1 - mixed[3000:], mixed[3000:]])
    found = np.column_stack(partial_volumes(fractions @ pure + rng.normal(0, 0.02, 30000)))
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    assert found.min() >= 0
    assert np.abs(found - fractions).mean() < 0.06
    assert (found.argmax(axis=1) == fractions.argmax(axis=1)).mean() > 0.95


def test_a_known_affine_map_is_found_again():
    """The template's own brain, turned, scaled and shifted, on a grid of another orientation."""
    planted = rigid(np.array([6.0, -12.0, 9.0]), np.radians([9.0, -4.0, 6.0]))
    planted[:3, :3] = planted[:3, :3] @ np.diag([0.92, 0.88, 0.95])
    template = load_mni152_template(resolution=2)
    grid = np.array([[-3.0, 0, 0, 100], [0, 3.0, 0, -120], [0, 0, 3.0, -90], [0, 0, 0, 1]])
    to_template = np.linalg.inv(template.affine) @ np.linalg.inv(planted) @ grid
    brain = affine_transform(
        template.get_fdata(), to_template, output_shape=(67, 75, 64), order=1
    ).astype(np.float32)
    found = register(brain, grid, seed=1)
    mask = load_mni152_brain_mask(resolution=4)
    points = nib.affines.apply_affine(mask.affine, np.argwhere(mask.get_fdata() > 0))
    off = nib.affines.apply_affine(found, points) - nib.affines.apply_affine(planted, points)
    assert np.linalg.norm(off, axis=1).max() < 2.0


def test_places_of_a_head_lie_in_mni_where_the_map_says():
    to_head = rigid(np.array([4.0, -7.0, 3.0]), np.radians([5.0, 2.0, -3.0]))
    affine = np.array([[0, 2.0, 0, -90], [-2.0, 0, 0, 110], [0, 0, 2.0, -80], [0, 0, 0, 1]])
    shape = (110, 90, 90)
    place = np.array([-54.0, -20.0, 8.0])
    index = nib.affines.apply_affine(
        np.linalg.inv(affine), nib.affines.apply_affine(to_head, place)
    )
    distance = np.linalg.norm(np.indices(shape).T - index, axis=-1).T
    blob = (distance < 5).astype(np.float32)
    empty = np.zeros(shape, np.float32)
    image = nib.Nifti1Image(blob, affine)
    head = BorrowedHead(
        t1w=image, tissue=image, bias=image, flat=0.5 * blob,
        fractions={"gm": blob, "wm": empty, "csf": empty}, brain=blob > 0,
        deformation=only_affine(to_head),
    )  # fmt: skip
    anatomy = carry_to_mni(head, 2.0)
    centre = nib.affines.apply_affine(anatomy.affine, center_of_mass(anatomy.gm))
    np.testing.assert_allclose(centre, place, atol=0.3)
    # Voxels of 8 cubic millimetres on both sides of a map that keeps volume.
    assert anatomy.gm.sum() == pytest.approx(blob.sum(), rel=0.05)
    # Grey matter is darker in T2* than fluid and brighter than white matter.
    assert 0.6 < anatomy.t2star[anatomy.gm > 0.95].mean() < 0.9
    np.testing.assert_allclose(head.deformation.to_t1w(place[None])[0],
                               nib.affines.apply_affine(to_head, place))  # fmt: skip


def test_what_is_no_head_is_refused(tmp_path):
    flat = tmp_path / "slab.nii.gz"
    nib.save(nib.Nifti1Image(np.zeros((60, 60, 20), np.int16), np.diag([3.0, 3, 3, 1])), flat)
    with pytest.raises(InputError, match="slab.nii.gz: 60 x 60 x 20 voxels.*no whole head"):
        read_head(flat)
    series = tmp_path / "bold.nii.gz"
    nib.save(nib.Nifti1Image(np.zeros((64, 64, 64, 3), np.int16), np.diag([3.0, 3, 3, 1])), series)
    with pytest.raises(InputError, match="no whole head"):
        read_head(series)
    broken = tmp_path / "T1w.nii.gz"
    broken.write_bytes(b"not an image")
    with pytest.raises(InputError, match="T1w.nii.gz: cannot be read as an image"):
        read_head(broken)
    one = tmp_path / "one.nii.gz"
    nib.save(nib.Nifti1Image(np.ones((60, 60, 60, 1), np.int16), np.diag([3.0, 3, 3, 1])), one)
    assert read_head(one).shape == (60, 60, 60)
