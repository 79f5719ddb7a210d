"""A real head as the simulation borrows it: its brain lies where the template's does."""

import nibabel as nib
import numpy as np
import pytest
from nibabel.processing import resample_to_output
from nilearn.datasets import load_mni152_brain_mask
from scipy.ndimage import map_coordinates

from stim2bold.simulation.brain.user_head import extract_brain, read_head, register


def test_the_brain_of_a_real_head_covers_the_templates(real_input):
    t1w = read_head(real_input("real/head_T1w.nii.gz"))
    assert t1w.get_data_dtype() == np.int16
    coarse = resample_to_output(t1w, (3.0,) * 3, order=1)
    mask = extract_brain(coarse)
    inside = np.asarray(mask.dataobj) > 0
    assert 1.1 < inside.sum() * 27e-6 < 1.7
    brain = np.asarray(coarse.dataobj, np.float32) * inside
    to_head = register(brain, coarse.affine, seed=1)
    assert np.linalg.svd(to_head[:3, :3])[1] == pytest.approx(0.9, abs=0.15)
    template = load_mni152_brain_mask(resolution=3)
    points = nib.affines.apply_affine(template.affine, np.indices(template.shape).reshape(3, -1).T)
    index = nib.affines.apply_affine(
        np.linalg.inv(coarse.affine), nib.affines.apply_affine(to_head, points)
    )
    np.testing.assert_array_equal(register(brain, coarse.affine, seed=1), to_head)
    carried = map_coordinates(inside.astype(float), index.T, order=1) > 0.5
    expected = template.get_fdata().ravel() > 0
    # The surface lies outside of the fluid that the template's mask leaves out.
    assert (carried & expected).sum() / expected.sum() > 0.97
    assert 2 * (carried & expected).sum() / (carried.sum() + expected.sum()) > 0.87
