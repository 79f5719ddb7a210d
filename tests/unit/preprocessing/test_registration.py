"""Transforms: conventions against nibabel and ITK, estimation against planted truth."""

import ants
import nibabel as nib
import numpy as np
import planted_head

from stim2bold.preprocessing import itk_affines, registration, resampling

OBLIQUE = nib.affines.from_matvec(
    planted_head.rigid((0, 0, 0), (10, -7, 15))[:3, :3] @ np.diag([2.0, 2.0, 3.0]), (-20, 10, 5)
)


def test_images_keep_their_place_through_ants():
    data = np.random.default_rng(1).random((5, 6, 7)).astype(np.float32)
    image = nib.Nifti1Image(data, OBLIQUE)
    there = registration.to_ants(image)
    # ITK's own index-to-world, in LPS.
    world = ants.transform_index_to_physical_point(there, [1, 2, 3])
    expected = OBLIQUE @ [1, 2, 3, 1]
    np.testing.assert_allclose(np.array(world) * [-1, -1, 1], expected[:3], atol=1e-4)
    back = registration.from_ants(there)
    np.testing.assert_allclose(back.affine, OBLIQUE, atol=1e-5)
    np.testing.assert_array_equal(np.asarray(back.dataobj), data)


def test_matrices_survive_their_file_and_mean_the_same_to_itk(tmp_path):
    matrices = np.stack([planted_head.rigid((1, -2, 3), (4, 5, -6), (7, 8, 9)), np.eye(4)])
    path = tmp_path / "xfm.txt"
    itk_affines.write_matrices(path, matrices)
    np.testing.assert_allclose(itk_affines.read_matrices(path), matrices, atol=1e-9)
    one = tmp_path / "one.txt"
    itk_affines.write_matrices(one, matrices[0])
    point = np.array([10.0, -20.0, 30.0])
    moved = ants.apply_ants_transform_to_point(ants.read_transform(str(one)), point * [-1, -1, 1])
    np.testing.assert_allclose(
        np.array(moved) * [-1, -1, 1], planted_head.apply(matrices[0], point), atol=1e-5
    )


def test_grid_keeps_the_field_of_view():
    image = nib.Nifti1Image(np.zeros((99, 117, 95), np.uint8), np.diag([2.0, 2, 2, 1]))
    image.affine[:3, 3] = (-98, -134, -72)
    grid = registration.grid_around(image, (4.0, 4.0, 4.0))
    np.testing.assert_allclose(nib.affines.voxel_sizes(grid.affine), 4)
    low = grid.affine[:3, 3] - 2
    high = low + 4 * np.array(grid.shape)
    assert (low >= np.array([-99, -135, -73]) - 1e-6).all()
    assert (high <= np.array([99, 99, 117]) + 1e-6).all()
    # Nothing but less than one voxel at each border is lost.
    assert (low - np.array([-99, -135, -73]) < 4).all()


def test_resampling_a_smooth_pattern_is_exact_and_marks_what_was_not_scanned():
    shape, affine = (20, 22, 24), np.diag([3.0, 3.0, 3.0, 1.0])
    moved = planted_head.rigid((1.5, -2.0, 0.7), (1, 2, -1), (30, 30, 30))

    def pattern(points):
        return 100 + np.cos(points[0] / 9) * np.sin(points[1] / 8) * np.cos(points[2] / 10)

    grid = resampling.voxel_points(nib.Nifti1Image(np.zeros(shape), affine))
    # What the scanner sees of a head that moved.
    seen = pattern(resampling.apply(np.linalg.inv(moved), grid))
    series = nib.Nifti1Image(np.stack([pattern(grid), seen], -1).astype(np.float32), affine)
    resampled, covered = resampling.resample_series(series, grid, np.stack([np.eye(4), moved]))
    inner = (slice(4, -4),) * 3
    np.testing.assert_allclose(resampled[..., 1][inner], pattern(grid)[inner], atol=2e-3)
    assert not covered.all()
    assert covered[inner].all()
    assert (resampled[..., 1][~covered] == 0).all()


def test_means_over_boxes_stay_where_they_are():
    # Of a slope the mean around a place is the value there, however many voxels a box has.
    for voxel in ((2, 2, 3), (4, 4, 6), (5, 2, 9)):
        slope = np.tensordot(
            [1.0, -2, 0.5],
            resampling.voxel_points(nib.Nifti1Image(np.zeros((20, 22, 24), np.float32), OBLIQUE)),
            1,
        )
        means = resampling.box_means(nib.Nifti1Image(slope.astype(np.float32), OBLIQUE), voxel)
        inner = (slice(4, -4),) * 3
        points = resampling.voxel_points(means)
        expected = np.tensordot([1.0, -2, 0.5], points, 1)
        np.testing.assert_allclose(means.get_fdata()[inner], expected[inner], atol=1e-3)
