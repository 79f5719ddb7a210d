import nibabel as nib
import numpy as np
import pytest
from planted_problem import fold_content, tables

from stim2bold.evaluation.maps import predicted_bold, statistic_map
from stim2bold.runtime.errors import InputError


def test_voxels_return_to_their_place(tmp_path):
    _, bold, _ = tables(fold_content())
    r = np.linspace(-1, 1, bold.sizes["voxel"])
    r[3] = np.nan
    nib.save(statistic_map(r, bold, name="r"), tmp_path / "r.nii.gz")
    image = nib.load(tmp_path / "r.nii.gz")
    expected = np.array([[-4.0, 0, 0, 90], [0, 4, 0, -126], [0, 0, 4, -72], [0, 0, 0, 1]])
    np.testing.assert_allclose(image.affine, expected)
    data = image.get_fdata()
    for v in (0, 17, 39):
        assert data[tuple(int(bold[a][v]) for a in "ijk")] == pytest.approx(r[v])
    assert data[tuple(int(bold[a][3]) for a in "ijk")] == 0
    assert np.count_nonzero(data) == 39
    q = statistic_map(np.zeros(40), bold, name="q", fill=1.0).get_fdata()
    assert (q == 0).sum() == 40 and (q == 1).sum() == q.size - 40


def test_predicted_series(tmp_path):
    _, bold, _ = tables(fold_content())
    rows = np.arange(10, 30)
    part = bold.isel(time=rows).assign_coords(row=("time", rows))
    nib.save(predicted_bold(part, bold, tr=0.608), tmp_path / "bold.nii.gz")
    image = nib.load(tmp_path / "bold.nii.gz")
    assert image.shape == (4, 4, 4, 20)
    np.testing.assert_allclose(image.header.get_zooms(), [4, 4, 4, 0.608], rtol=1e-6)
    voxel = tuple(int(bold[a][7]) for a in "ijk")
    np.testing.assert_allclose(image.dataobj[voxel], bold.values[10:30, 7])


def test_a_table_without_its_grid_is_refused():
    _, bold, _ = tables(fold_content())
    bold.attrs = {}
    with pytest.raises(InputError, match="affine"):
        statistic_map(np.zeros(40), bold, name="r")
