"""Maps on the surface: the right values at the right vertices of the right hemisphere."""

import nibabel as nib
import numpy as np
import pytest
from nilearn import datasets, surface
from scipy.ndimage import gaussian_filter, map_coordinates

from stim2bold.evaluation.surface_maps import (
    on_surface,
    surface_name,
    write_dscalar,
    write_gifti,
)

#: The field of view of MNI152 in voxels of 4 mm.
AFFINE = np.array([[4.0, 0, 0, -98], [0, 4, 0, -134], [0, 0, 4, -72], [0, 0, 0, 1]])
SHAPE = (50, 60, 50)


def points(side):
    """The points between white and pial surface, (10, n_vertices, 3) in mm."""
    mesh = datasets.fetch_surf_fsaverage("fsaverage5")
    white, pial = (
        np.asarray(surface.load_surf_mesh(mesh[f"{name}_{side}"]).coordinates)
        for name in ("white", "pial")
    )
    depth = np.linspace(0, 1, 10)[:, None, None]
    return pial + depth * (white - pial)


def volume(values):
    return nib.Nifti1Image(values.astype(np.float32), AFFINE)


def world():
    """The place of each voxel in mm, (3, x, y, z)."""
    return np.tensordot(AFFINE[:3, :3], np.indices(SHAPE), 1) + AFFINE[:3, 3][:, None, None, None]


@pytest.mark.parametrize(("hemisphere", "side"), [("L", "left"), ("R", "right")])
def test_a_linear_field_is_exact_and_the_sides_are_not_exchanged(hemisphere, side):
    slope = np.array([1.0, 0.3, -0.2])
    found = on_surface(volume(500 + np.tensordot(slope, world(), 1)), hemisphere)
    expected = 500 + (points(side) @ slope).mean(axis=0)
    assert found.shape == (10242,)
    np.testing.assert_allclose(found, expected, atol=0.01)
    # Left is where x is negative.
    x = points(side)[..., 0].mean()
    assert np.sign(x) == {"L": -1, "R": 1}[hemisphere]


def test_another_way_to_sample_agrees():
    rng = np.random.default_rng(1)
    values = 10 + gaussian_filter(rng.normal(size=SHAPE), 1.5)
    found = on_surface(volume(values), "L")
    voxels = (points("left") - AFFINE[:3, 3]) / 4
    expected = map_coordinates(values, np.moveaxis(voxels, -1, 0), order=1).mean(axis=0)
    assert np.corrcoef(found, expected)[0, 1] > 0.999


def test_what_has_no_value_does_not_lower_the_mean():
    # Grey matter alone has values, all the same: so have the vertices, wherever they have one.
    ijk = np.rint((points("right").reshape(-1, 3) - AFFINE[:3, 3]) / 4).astype(int)
    values = np.zeros(SHAPE)
    values[tuple(ijk.T)] = 0.3
    values[:, :30] = np.nan
    found = on_surface(volume(values), "R")
    there = np.isfinite(found)
    np.testing.assert_allclose(found[there], 0.3, rtol=1e-5)
    front = points("right")[..., 1].mean(axis=0) > -10
    assert there[front].mean() > 0.95
    assert not there[points("right")[..., 1].mean(axis=0) < -25].any()


def test_a_file_is_read_back_with_its_side_and_name(tmp_path):
    path = tmp_path / surface_name("sub-01", "vae-group_q-participants", "R")
    assert path.name == (
        "sub-01_hemi-R_space-fsaverage5_stat-qParticipants_desc-vaeGroup_statmap.func.gii"
    )
    values = np.linspace(-1, 1, 10242)
    values[7] = np.nan
    write_gifti(path, values, hemisphere="R", name="it's <r> & more")
    read = nib.load(path)
    assert read.meta["AnatomicalStructurePrimary"] == "CortexRight"
    (array,) = read.darrays
    assert array.meta["Name"] == "it's <r> & more"
    np.testing.assert_allclose(array.data, values, atol=1e-6)
    np.testing.assert_allclose(surface.load_surf_data(path), values, atol=1e-6)


def test_both_hemispheres_are_read_back_from_cifti_each_on_its_side(tmp_path):
    path = tmp_path / surface_name("group", "vae_r")
    assert path.name == "group_space-fsaverage5_stat-r_desc-vae_statmap.dscalar.nii"
    rng = np.random.default_rng(0)
    values = {side: rng.standard_normal(10242).astype(np.float32) for side in "LR"}
    values["L"][7] = np.nan
    write_dscalar(path, values, name="it's <r> & more")
    read = nib.load(path)
    assert isinstance(read, nib.Cifti2Image)
    assert read.nifti_header.get_intent()[0] == "ConnDenseScalar"
    scalars, models = (read.header.get_axis(number) for number in (0, 1))
    assert list(scalars.name) == ["it's <r> & more"]
    found = {
        name: (read.get_fdata()[0, part], model) for name, part, model in models.iter_structures()
    }
    for side, name in (("L", "CIFTI_STRUCTURE_CORTEX_LEFT"), ("R", "CIFTI_STRUCTURE_CORTEX_RIGHT")):
        data, model = found[name]
        np.testing.assert_allclose(data, values[side], atol=1e-6)
        np.testing.assert_array_equal(model.vertex, np.arange(10242))
        assert model.nvertices[name] == 10242
