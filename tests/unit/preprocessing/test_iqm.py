import sys

import nibabel as nib
import numpy as np
import pandas as pd
import planted_study
import pytest
from processes import succeed
from shipped import shipped

from stim2bold.io.files import read_json
from stim2bold.preprocessing import iqm
from stim2bold.preprocessing.iqm import QualitySettings
from stim2bold.report import quality_pictures


def measured(shift=0, without=()):
    """A cube whose brightness is its grey matter, moved by some voxels."""
    grey = np.zeros((12, 12, 12))
    grey[3:9, 3:9, 3:9] = np.linspace(0, 1, 6)
    mean = np.roll(100 + 50 * grey, shift, axis=2)
    mask = np.roll(grey > -1, shift, axis=2) & (np.indices(grey.shape)[2] >= shift)
    confounds = pd.DataFrame(
        {
            "framewise_displacement": [np.nan, 0.2, 0.6, 0.4],
            "std_dvars": [np.nan, 1.0, 1.4, 1.2],
            "motion_outlier_00": [0, 0, 1, 0],
        }
    )
    series = nib.Nifti1Image(np.repeat(mean[..., None], 4, axis=3), np.eye(4))
    return iqm.measure(
        series,
        mask,
        confounds.drop(columns=list(without)),
        np.full(mask.shape, 40.0),
        template=np.ones(mask.shape, bool),
        tissues={"GM": grey},
    )


def test_series_have_a_value_a_volume_and_none_where_there_is_none():
    confounds = pd.DataFrame(
        {"framewise_displacement": [np.nan, 0.25], "std_dvars": [np.nan, np.inf]}
    )
    assert iqm.series_of(confounds) == {"fd": [None, 0.25], "std_dvars": [None, None]}
    assert iqm.series_of(confounds[["std_dvars"]])["fd"] == [None, None]


def test_what_derivatives_do_not_tell_is_not_measured():
    found = measured(without=["framewise_displacement", "std_dvars", "motion_outlier_00"])
    assert found["mean_fd"] is found["max_fd"] is found["mean_dvars"] is None
    assert found["outliers"] == 0 and found["tsnr"] == 40
    assert iqm.flags(found, shipped(QualitySettings)) == []


def test_measures_of_a_run_that_lies_on_the_template():
    found = measured()
    assert set(found) == set(iqm.MEASURES)
    assert found["mean_fd"] == pytest.approx(0.4) and found["max_fd"] == 0.6
    assert found["outliers"] == 0.25 and found["mean_dvars"] == pytest.approx(1.2)
    assert found["tsnr"] == 40 and found["volumes"] == 4
    assert found["dice"] == 1 and found["tissue_r"] == pytest.approx(1)


def test_a_run_that_is_cut_and_off_the_template_shows_it():
    found = measured(shift=3)
    assert found["dice"] == pytest.approx(2 * 0.75 / 1.75)
    assert found["tissue_r"] < 0.8


def test_flags_name_the_bounds_that_are_passed():
    settings = shipped(QualitySettings, mean_fd=0.3, outliers=0.3, dice=0.9)
    assert iqm.flags(measured(), settings) == ["mean FD above 0.3 mm"]
    assert "off the template" in iqm.flags(measured(shift=3), settings)[-1]
    assert iqm.flags(measured(), shipped(QualitySettings, outliers=0.2))[0].startswith("above 20%")
    assert iqm.flags(measured(), shipped(QualitySettings, outliers=0.25)) == []


def test_pictures_take_turns_with_their_partner(tmp_path):
    from PIL import Image

    figures = tmp_path / "derivatives" / "sub-01" / "ses-1" / "figures"
    figures.mkdir(parents=True)
    for name in (
        *("sub-01_task-film_desc-carpet_bold", "sub-01_task-film_desc-coregistration_bold"),
        *("sub-01_task-film_desc-coregistration_T1w", "sub-01_desc-tissues_T1w"),
        *("sub-01_task-rest_desc-carpet_bold", "sub-01_space-MNI152NLin2009aSym_T1w"),
    ):
        Image.new("RGB", (30, 20)).save(figures / f"{name}.png")
    found = quality_pictures.pictures_of("sub-01_task-film", tmp_path / "derivatives", tmp_path)
    assert [bool(one["other"]) for one in found] == [False, True, False, False]
    assert found[0]["words"].startswith("Every voxel") and found[0]["width"] == 30
    for one in found:
        assert (tmp_path / one["address"]).is_file()
    assert "rest" not in str(found)


def test_derivatives_are_measured_as_they_are_analysed(tmp_path):
    folder = planted_study.write_derivatives(tmp_path, participants=1) / "sub-01" / "func"
    series = next(folder.glob("*MNI*preproc_bold.nii.gz"))
    mask, table = next(folder.glob("*brain_mask.nii.gz")), next(folder.glob("*confounds*.tsv"))
    image, brain = nib.load(series), nib.load(mask)
    values, inside = image.get_fdata(dtype=np.float32), np.ones(brain.shape, np.float32)
    # An axis of one behind the third, a voxel that is no number, a mask of probabilities, a blank.
    values[4, 4, 4] = np.nan
    inside[:2] = 0.3
    nib.save(nib.Nifti1Image(values[:, :, :, None], image.affine), series)
    nib.save(nib.Nifti1Image(inside[..., None], brain.affine), mask)
    table.write_text(table.read_text().replace("std_dvars", "std_dvars ", 1))
    script = planted_study.PROJECT / "workflow" / "scripts" / "measure_quality.py"
    files = ("--series", series, "--mask", mask, "--confounds", table)
    succeed([sys.executable, script, *files, "--quality", tmp_path / "q.json"], seconds=120)
    found = read_json(tmp_path / "q.json")
    assert found["volumes"] == 108 and found["mean_dvars"] is not None
    # Of the template's 125 voxels, all in its brain, 75 are in the mask and 74 are numbers.
    assert found["dice"] == pytest.approx(2 * 74 / (74 + 125))
    assert found["tsnr"] == pytest.approx(9, abs=1) and 0 <= found["tissue_r"] <= 1
