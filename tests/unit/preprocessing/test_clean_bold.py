"""The step that first reads a derivative: what it takes, leaves out and says of it."""

import json
import sys

import nibabel as nib
import numpy as np
import planted_study
import pytest
from shipped import configuration

import clean_bold
from stim2bold.runtime.errors import InputError

N, TR = 216, 2.0


@pytest.fixture
def derivative(tmp_path, monkeypatch):
    """A derivative with a header without TR, and the step as a function of changes to its data."""
    monkeypatch.setattr(planted_study, "N_VOLUMES", N)
    folder = planted_study.write_derivatives(tmp_path, participants=1) / "sub-01" / "func"
    path = next(folder.glob("*MNI*preproc_bold.nii.gz"))
    mask = next(folder.glob("*brain_mask.nii.gz"))
    table = next(folder.glob("*confounds_timeseries.tsv"))
    seconds = np.arange(N) * TR
    drift, signal = np.sin(2 * np.pi * seconds / 432), np.sin(2 * np.pi * seconds / 24)
    noise = np.random.default_rng(1).normal(1000, 2, (5, 5, 5, N))
    data = noise + 50 * drift + 20 * signal

    def clean():
        image = nib.Nifti1Image(data.astype("float32"), np.diag([4.0, 4, 4, 1]))
        image.set_sform(image.affine, 4)
        image.header["pixdim"][4] = 0
        image.to_filename(path)
        root = tmp_path / "cleaned"
        out = root / "sub-01" / "func" / "sub-01_desc-cleaned_bold.nii.gz"
        kept = out.with_name("sub-01_desc-cleaned_mask.nii.gz")
        cleaning = {**configuration()["preprocessing"]["cleaning"], "mask": "brain"}
        settings = {"cleaning": cleaning, "TR": TR, "reference": 0.0}
        arguments = {
            "--series": path,
            "--mask": mask,
            "--cleaned": out,
            "--cleaned-mask": kept,
            "--derivatives": root,
            "--settings": json.dumps(settings),
        }
        words = [str(word) for pair in arguments.items() for word in pair]
        monkeypatch.setattr(sys, "argv", ["clean_bold.py", *words])
        clean_bold.main()
        said = json.loads(out.with_name("sub-01_desc-cleaned_bold.json").read_text())
        return nib.load(out), np.asarray(nib.load(kept).dataobj) > 0, said

    return data, table, signal, drift, clean


def test_a_derivative_with_many_faults_is_cleaned_and_each_is_told(derivative):
    data, table, signal, drift, clean = derivative
    data[:, :, 4] = 0
    data[1, 1, 1, 50] = np.nan
    data[2, 2, 2, 200:] = 0
    lines = table.read_text().splitlines()
    cells = lines[31].split("\t")
    cells[0] = "n/a"
    table.write_text("\n".join([*lines[:31], "\t".join(cells), *lines[32:]]) + "\n")
    image, kept, said = clean()
    expected = np.ones((5, 5, 5), bool)
    expected[:, :, 4] = expected[1, 1, 1] = expected[2, 2, 2] = False
    np.testing.assert_array_equal(kept, expected)
    assert said["VoxelsLeftOut"] == {
        "constant": 25,
        "not_numbers": 1,
        "not_covered": 1,
        "not_positive": 0,
    }
    assert said["ConfoundsFilledIn"] == {planted_study.CONFOUNDS[0]: [30]}
    assert planted_study.CONFOUNDS[0] in said["Confounds"] and said["ConfoundsLeftOut"] == []
    assert said["RepetitionTime"] == TR and said["StartTime"] == 0.0
    assert image.header.get_zooms()[3] == TR
    mean = np.asarray(image.dataobj)[kept].mean(axis=0)
    assert np.isfinite(mean).all()
    # The drift of 5 % is slower than 1/128 Hz, the signal of 2 % is faster.
    assert abs(2 * mean @ drift / N) < 0.05
    assert 2 * mean @ signal / N == pytest.approx(2, abs=0.15)


def test_a_volume_of_no_numbers_ends_it_with_its_name(derivative):
    data, *_, clean = derivative
    data[..., 40] = np.nan
    with pytest.raises(InputError, match="volume 40 holds no signal in 125 of 125 voxels"):
        clean()
