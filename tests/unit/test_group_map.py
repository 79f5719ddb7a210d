import nibabel as nib
import numpy as np
import pytest
from scipy.stats import permutation_test, ttest_1samp

from stim2bold.errors import InputError
from stim2bold.group_map import group_maps, group_test, read_maps


def test_t_is_students_and_p_is_scipys_exact():
    values = np.random.default_rng(0).normal(0.4, 1, (8, 6))
    test = group_test(values, seed=0, at_once=4)
    np.testing.assert_allclose(test.t, ttest_1samp(values, 0).statistic, atol=1e-10)
    expected = permutation_test(
        (values,),
        lambda x, axis: ttest_1samp(x, 0, axis=axis).statistic,
        permutation_type="samples",
        alternative="greater",
        n_resamples=np.inf,
    )
    np.testing.assert_allclose(test.p, expected.pvalue)
    assert test.n_flips == 2**8
    # The largest t of all is the only one whose corrected p need not be larger.
    assert (test.p_max >= test.p).all()


def test_the_largest_of_all_keeps_the_family_wise_error():
    rng = np.random.default_rng(1)
    found = [
        (group_test(rng.standard_normal((12, 300)), seed=s, n=500).p_max <= 0.05).any()
        for s in range(100)
    ]
    assert np.mean(found) <= 0.12


def test_what_is_there_is_found_where_all_have_a_voxel():
    rng = np.random.default_rng(2)
    volumes = rng.normal(0, 0.05, (12, 6, 5, 4)).astype(np.float32)
    volumes[:, 0] += 0.2
    volumes[3, 0, 0, 0] = 0
    maps, _ = group_maps(volumes, seed=0, n=999)
    assert maps["r"][0, 0, 0] == 0 and maps["q"][0, 0, 0] == maps["pmax"][0, 0, 0] == 1
    assert (maps["pmax"][0].ravel()[1:] < 0.05).mean() > 0.9
    assert (maps["q"][1:] < 0.05).mean() < 0.05
    np.testing.assert_allclose(maps["r"][2], volumes[:, 2].mean(axis=0), atol=1e-6)


def test_grids_that_differ_are_refused(tmp_path):
    paths = []
    for name, size in (("a", 4), ("b", 5)):
        paths.append(tmp_path / f"{name}.nii.gz")
        nib.save(nib.Nifti1Image(np.ones((4, 4, size), np.float32), np.eye(4)), paths[-1])
    with pytest.raises(InputError, match=r"b\.nii\.gz: lies on another grid"):
        read_maps(paths)
