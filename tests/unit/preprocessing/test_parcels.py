import nibabel as nib
import numpy as np
import pytest
from planted_problem import fold_content, tables

from stim2bold.preprocessing.parcels import average_parcels, labels_at
from stim2bold.runtime.errors import InputError


@pytest.fixture(scope="module")
def bold():
    table = tables(fold_content())[1]
    table.attrs["space"] = "MNI"
    return table


def atlas_of(bold, tmp_path, label_of_world):
    """An atlas on a finer grid of other axes, by a function of world coordinates."""
    affine = np.array([[0, 2.0, 0, -130], [2.0, 0, 0, -130], [0, 0, 2.0, -90], [0, 0, 0, 1]])
    shape = (130, 130, 90)
    points = nib.affines.apply_affine(affine, np.indices(shape).reshape(3, -1).T)
    labels = label_of_world(points).reshape(shape).astype(np.int16)
    path = tmp_path / "my atlas.nii.gz"
    nib.save(nib.Nifti1Image(labels, affine), path)
    return path


def test_a_parcel_is_the_mean_of_its_voxels_wherever_the_atlas_was_stored(bold, tmp_path):
    world = nib.affines.apply_affine(
        np.reshape(bold.attrs["affine"], (4, 4)), np.column_stack([bold[a].values for a in "ijk"])
    )
    middle = np.median(world[:, 0]) + 0.5
    path = atlas_of(bold, tmp_path, lambda p: np.where(p[:, 0] > middle, 7, 3))
    labels = labels_at(bold, path)
    np.testing.assert_array_equal(labels, np.where(world[:, 0] > middle, 7, 3))
    averaged = average_parcels(bold, labels)
    for label in (3, 7):
        expected = bold.values[:, labels == label].mean(axis=1)
        for column in averaged.values[:, averaged["parcel"].values == label].T:
            np.testing.assert_allclose(column, expected, rtol=1e-5)
    assert averaged.attrs["parcels"] == 2


def test_voxels_without_a_label_are_left_out(bold):
    labels = np.zeros(bold.sizes["voxel"], int)
    labels[[3, 5]] = 1
    averaged = average_parcels(bold, labels)
    assert averaged.sizes["voxel"] == 2
    np.testing.assert_array_equal(averaged["i"], bold["i"][[3, 5]])


def test_no_atlas_and_an_atlas_of_elsewhere_are_refused(bold, tmp_path):
    path = atlas_of(bold, tmp_path, lambda p: np.zeros(len(p)))
    with pytest.raises(InputError, match="none of its parcels"):
        labels_at(bold, path)
    nib.save(nib.Nifti1Image(np.random.default_rng(0).random((4, 4, 4)), np.eye(4)), path)
    with pytest.raises(InputError, match="whole numbers"):
        labels_at(bold, path)
