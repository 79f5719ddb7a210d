"""One participant's bad data does not sink the study."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import planted_head
import planted_study
import pytest

from stim2bold.evaluation.summary import participants_table

TARGET = "results/preprocessed/sub-{0}/func/sub-{0}_task-film_run-1_desc-hmc_boldref.nii.gz"


@pytest.fixture
def study(tmp_path):
    """Three participants with heads; the series of the second breaks off into NaN."""
    root = tmp_path / "it's a study"
    config = planted_study.write_study(root, participants=3)
    for number in (1, 2, 3):
        head = planted_head.planted_head(number, voxel=4.0)
        run = planted_head.planted_run(head, number, n_volumes=24)
        data = np.asarray(run.bold.dataobj, dtype=np.float32)
        if number == 2:
            data[..., 20] = np.nan
        image = nib.Nifti1Image(data, run.bold.affine)
        image.set_sform(run.bold.affine, 1)
        image.header.set_zooms((*run.bold.header.get_zooms()[:3], planted_study.TR))
        image.header.set_xyzt_units("mm", "sec")
        name = f"sub-{number:02d}_task-film_run-1_bold.nii.gz"
        nib.save(image, Path(config["bids_dir"]) / f"sub-{number:02d}" / "func" / name)
        anat = Path(config["bids_dir"]) / f"sub-{number:02d}" / "anat"
        nib.save(head.t1w, anat / f"sub-{number:02d}_T1w.nii.gz")
    return [f"{key}= {json.dumps(config[key])} " for key in ("bids_dir", "film")]


def test_the_others_are_finished_and_the_group_says_who_is_missing(snakemake, study, tmp_path):
    targets = [TARGET.format(label) for label in ("01", "02", "03")]
    run = snakemake("--keep-going", "--config", *study, "--", *targets, timeout=400)
    said = run.stdout + run.stderr
    assert run.returncode != 0
    assert [(tmp_path / target).exists() for target in targets] == [True, False, True], said[-4000:]
    assert "failed=leave_out" in said
    failures = json.loads((tmp_path / "results/failures.json").read_text())
    assert set(failures) == {"02"}
    assert failures["02"].startswith("preprocess_reference failed: ")
    assert "volume 20 holds NaN" in failures["02"]

    run = snakemake("-n", "-p", "--config", *study)
    assert "sub-02_task-film_run-1" in run.stdout + run.stderr
    without = [*study, "failed=leave_out"]
    run = snakemake("-n", "-p", "--config", *without)
    assert run.returncode == 0
    for product in ("bold/sub-02.nc", "preprocessed/sub-02", "scores/film2bold/sub-02.tsv"):
        assert f"results/{product}" not in run.stdout
    # What the group's map is made of.
    predictions = "results/predictions/film2bold/sub-{0}/vae.nc"
    assert f"{predictions.format('01')} {predictions.format('03')}" in run.stdout
    run = snakemake("--config", *without, "--", "results/inputs.json")
    assert run.returncode == 0, run.stdout + run.stderr
    inputs = json.loads((tmp_path / "results/inputs.json").read_text())
    (missing,) = inputs["missing"]
    assert missing["participant"] == "sub-02" and "volume 20 holds NaN" in missing["reason"]
    table = participants_table(inputs)
    assert list(table["included"]) == ["yes", "no", "yes"]
