"""Head motion against planted movement."""

import nibabel as nib
import numpy as np
import planted_head
import pytest
from scipy.spatial.transform import Rotation
from shipped import shipped

from stim2bold.preprocessing import head_motion

CENTRE = np.array([3.0, -20.0, 11.0])


def test_rigid_matrix_equals_scipys_rotation():
    parameters = np.array([1.0, -2.0, 3.0, 0.02, -0.03, 0.04])
    matrix = head_motion.rigid_matrix(parameters, CENTRE)
    expected = Rotation.from_euler("xyz", parameters[3:]).as_matrix()
    np.testing.assert_allclose(matrix[:3, :3], expected, atol=1e-12)
    # The centre moves by the translation alone.
    np.testing.assert_allclose(
        matrix[:3, :3] @ CENTRE + matrix[:3, 3], CENTRE + parameters[:3], atol=1e-12
    )


def test_parameters_come_back_from_matrices():
    parameters = np.random.default_rng(1).uniform(-0.3, 0.3, (20, 6))
    matrices = np.stack([head_motion.rigid_matrix(row, CENTRE) for row in parameters])
    np.testing.assert_allclose(
        head_motion.rigid_parameters(matrices, CENTRE), parameters, atol=1e-12
    )


def test_small_motion_is_a_rotation_about_the_centre():
    matrix = head_motion.small_motion(np.array([0, 0, 0, 0.0, 0.0, 0.1]), CENTRE)
    np.testing.assert_allclose(matrix[:3, :3] @ CENTRE + matrix[:3, 3], CENTRE, atol=1e-12)
    np.testing.assert_allclose(
        matrix[:3, :3], Rotation.from_rotvec([0, 0, 0.1]).as_matrix(), atol=1e-12
    )


@pytest.fixture(scope="module")
def head():
    return planted_head.planted_head(11, voxel=3.0)


def test_planted_motion_is_found(head):
    run = planted_head.planted_run(head, 11, n_volumes=24)
    settings = shipped(head_motion.MotionSettings, reference_volumes=12)
    reference = head_motion.make_reference(run.bold, settings)
    found = head_motion.estimate_motion(run.bold, reference.raw, reference.mask, settings)
    # The reference lies where the head lay most: that place is nobody's to know.
    relative = head_motion.rigid_parameters(np.linalg.inv(run.moved) @ found, CENTRE)
    rest = head_motion.rigid_matrix(np.median(relative, axis=0), CENTRE)
    error = head_motion.rigid_parameters(
        np.linalg.inv(rest) @ np.linalg.inv(run.moved) @ found, CENTRE
    )
    rmse = np.sqrt((error**2).mean(axis=0))
    assert np.abs(run.parameters).max() > 1, "the head did move"
    assert rmse[:3].max() <= 0.05
    assert np.degrees(rmse[3:]).max() <= 0.05


def test_reference_covers_the_brain_and_counts_the_unsteady_start(head):
    run = planted_head.planted_run(head, 12, n_volumes=30, motion=np.zeros((30, 6)))
    data = np.asarray(run.bold.dataobj)
    data[..., :3] *= np.array([1.8, 1.4, 1.2])
    reference = head_motion.make_reference(
        nib.Nifti1Image(data, run.bold.affine),
        shipped(head_motion.MotionSettings, reference_volumes=8),
    )
    assert reference.non_steady == 3
    at_t1w = planted_head.apply(
        run.to_t1w, planted_head.world_grid(data.shape[:3], run.bold.affine)
    )
    brain = planted_head.sample(head.brain.astype(float), head.t1w.affine, at_t1w) > 0.5
    dice = 2 * (brain & reference.mask).sum() / (brain.sum() + reference.mask.sum())
    assert dice > 0.93
