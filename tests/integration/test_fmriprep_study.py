"""The tiny study again, from its own preprocessed images under fMRIPrep's names."""

import os
import shutil

import nibabel as nib
import numpy as np
import pytest
import xarray as xr
import yaml
from fmriprep_names import keep_fits, rename_as_fmriprep

from stim2bold.io.files import read_json, read_table


@pytest.fixture(scope="session")
def derived_study(tiny_study, new_study, tmp_path_factory):
    """A study of fMRIPrep derivatives, with the film's features taken over."""
    study = new_study(tmp_path_factory.mktemp("derived") / "derivatives; of $(fMRIPrep)")
    folder = rename_as_fmriprep(tiny_study.results / "preprocessed", study.root / "it's fMRIPrep")
    simulated = tiny_study.results / "simulated"
    bids = study.root / "raw data"
    shutil.copytree(simulated / "bids", bids, ignore=shutil.ignore_patterns("*.nii.gz"))
    film = shutil.copy(simulated / "film.mp4", study.root / "film.mp4")
    for name in ("stimulus", "features", "weights"):
        shutil.copytree(tiny_study.results / name, study.results / name)
    # One time for all: nothing of the film is older than what it was made from.
    now = os.stat(film).st_mtime + 1
    for path in study.results.rglob("*"):
        os.utime(path, (now, now))
    (study.root / "mine.yaml").write_text(
        yaml.safe_dump(
            {
                "bids_dir": str(bids),
                "film": str(film),
                "preprocessing": {"derivatives": str(folder)},
                "group": {"train": False},
            }
        )
    )
    target = "results/scores/film2bold/sub-01.tsv"
    run = study.snakemake(
        *("--configfile", "config.yaml", "tests/integration/tiny.yaml", "mine.yaml"),
        *("--rerun-triggers", "mtime", "--", target),
    )
    assert run.returncode == 0, (run.stdout + run.stderr)[-6000:]
    ran = {path.stem for path in (study.results / "logs").iterdir()}
    assert not [name for name in ran if name.startswith("preprocess_")]
    return study


def test_derivatives_give_the_same_series_and_the_same_scores(tiny_study, derived_study):
    ours, theirs = (
        xr.open_dataset(study.results / "bold" / "sub-01.nc", engine="h5netcdf")["bold"]
        for study in (tiny_study, derived_study)
    )
    xr.testing.assert_equal(ours, theirs)
    assert theirs.attrs["space"] == "MNI152NLin2009cAsym"
    raw, derived = (
        read_table(study.results / "scores" / "film2bold" / "sub-01.tsv")
        for study in (tiny_study, derived_study)
    )
    assert set(derived["model"]) >= {"vae", "ridge", "banded", "blocks"}
    raw = raw[raw["model"].isin(set(derived["model"]))].reset_index(drop=True)
    assert raw.equals(derived)


def test_nothing_was_found_wrong_with_them(derived_study):
    assert read_json(derived_study.results / "inputs.json")["problems"] == []


def test_without_the_film_a_table_of_ones_own_stands_for_it(
    tiny_study, derived_study, new_study, tmp_path
):
    study = new_study(tmp_path / "no film")
    table = shutil.copy(tiny_study.results / "stimulus" / "i3d_rgb.nc", study.root / "own table.nc")
    settings = yaml.safe_load((derived_study.root / "mine.yaml").read_text())
    own = {"mine": {"file": str(table), "label": "features of ours"}}
    settings |= {"film": None, "own_features": own, "sources": {"film": ["mine", "words"]}}
    (study.root / "mine.yaml").write_text(yaml.safe_dump(settings))
    targets = ("results/features/mine.nc", "results/predictions/film2bold/sub-01/ridge.nc")
    run = study.snakemake(
        *("--configfile", "config.yaml", "tests/integration/tiny.yaml", "mine.yaml"),
        *("--", *targets, "results/inputs.json"),
    )
    text = run.stdout + run.stderr
    assert run.returncode == 0, text[-6000:]
    ran = {path.stem for path in (study.results / "logs").iterdir()}
    assert "time_film" in ran and "probe_film" not in ran
    assert {name for name in ran if name.startswith("extract_")} == {"extract_bold"}
    ours, theirs = (
        xr.open_dataset(path, engine="h5netcdf")["features"]
        for path in (tiny_study.results / "features" / "i3d_rgb.nc", study.root / targets[0])
    )
    # The blocks, which tell how long the film is, end with the scan: a volume less than the film.
    assert len(ours) - 1 <= len(theirs) <= len(ours)
    ours = ours[: len(theirs)]
    np.testing.assert_allclose(theirs.values, ours.values, atol=1e-5)
    np.testing.assert_allclose(theirs["time"], ours["time"], atol=1e-6)
    said = " ".join(p["message"] for p in read_json(study.results / "inputs.json")["problems"])
    assert "there is no film file" in said and "direction video2audio is left out" in said
    predicted = xr.open_dataset(study.root / targets[1], engine="h5netcdf")["prediction"]
    assert predicted.attrs["source"] == "mine.nc + words.nc -> sub-01.nc"


def test_raw_series_through_fmripreps_transforms_are_as_through_ours(
    tiny_study, new_study, tmp_path
):
    study = new_study(tmp_path / "what it's fitted")
    ours = tiny_study.results / "preprocessed"
    folder = keep_fits(ours, study.root / "minimal fMRIPrep")
    bids, simulated = study.root / "raw data", tiny_study.results / "simulated"
    shutil.copytree(simulated / "bids", bids, ignore=shutil.ignore_patterns("*_T1w.nii.gz"))
    film = shutil.copy(simulated / "film.mp4", study.root / "film.mp4")
    settings = {"bids_dir": str(bids), "film": str(film)}
    settings |= {"preprocessing": {"derivatives": str(folder)}}
    settings |= {"participants": ["01"], "group": {"train": False}}
    (study.root / "mine.yaml").write_text(yaml.safe_dump(settings))
    place = "sub-01/ses-mri3t/func/sub-01_ses-mri3t_task-film_run-1"
    end = "desc-confounds_timeseries.tsv"
    cleaned = f"results/cleaned/{place}_space-MNI152NLin2009cAsym_desc-cleaned_bold.nii.gz"
    figure = f"results/preprocessed/{place}_desc-carpet_bold.png".replace("/func/", "/figures/")
    run = study.snakemake(
        *("--configfile", "config.yaml", "tests/integration/tiny.yaml", "mine.yaml"),
        *("--", cleaned, figure, f"results/quality/{place}.json".replace("/func/", "/")),
    )
    assert run.returncode == 0, (run.stdout + run.stderr)[-6000:]
    ran = {path.stem for path in (study.results / "logs").iterdir()}
    steps = {name for name in ran if name.startswith("preprocess_")}
    assert steps == {"preprocess_resample", "preprocess_confounds", "preprocess_figures"}
    theirs = study.results / "preprocessed"
    for part in ("desc-preproc_bold", "desc-brain_mask"):
        one, other = (
            nib.load(f"{root / place}_space-{space}_{part}.nii.gz")
            for root, space in ((ours, "MNI152NLin2009aSym"), (theirs, "MNI152NLin2009cAsym"))
        )
        np.testing.assert_array_equal(one.affine, other.affine)
        np.testing.assert_array_equal(np.asarray(one.dataobj), np.asarray(other.dataobj))
    assert (ours / f"{place}_{end}").read_text() == (theirs / f"{place}_{end}").read_text()
    assert read_json(study.results / "inputs.json")["problems"] == []
