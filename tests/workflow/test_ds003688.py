"""ds003688 from an archive to the plan: its real text files, with images of the true shape."""

import csv
import gzip
import hashlib
import json
import re
import shutil
import sys
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import processes
import pytest
import xarray as xr
from s3_server import make_bucket, s3_server

from stim2bold.study.ds003688 import BUCKET, PARTICIPANTS, PREFIX, check_facts

PROJECT = Path(__file__).parents[2]
MANIFEST = PROJECT / "workflow" / "datasets" / "ds003688.tsv"
N_VOLUMES = 24


def make_image(path: str, seed: int) -> bytes:
    """Return a compressed image of a T1w or, of few volumes, of a run."""
    rng = np.random.default_rng(seed)
    if path.endswith("_T1w.nii.gz"):
        image = nib.Nifti1Image(
            rng.integers(0, 9, (24, 24, 24)).astype("int16"), np.diag([8.0] * 3 + [1])
        )
    else:
        data = rng.integers(0, 4, (40, 64, 64, N_VOLUMES)).astype("int16")
        image = nib.Nifti1Image(data, np.diag([4.0, 4, 4, 1]))
        image.header.set_zooms((4, 4, 4, 0.608))
        image.header.set_xyzt_units("mm", "sec")
    image.set_sform(image.affine, 1)
    return gzip.compress(image.to_bytes(), compresslevel=1)


def read_rows(path: Path) -> list[dict]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """The address of an archive with the data set in it, and the manifest that fits it."""
    skeleton = PROJECT.parent / "shared" / "ds003688" / "bids"
    if not skeleton.is_dir():
        pytest.skip("the text files of ds003688 are not on this machine")
    with s3_server() as address:
        bucket = make_bucket(BUCKET, *address)
        lines = ["path\tbytes\tmd5"]
        for seed, row in enumerate(read_rows(MANIFEST)):
            path = row["path"]
            image = path.endswith(".nii.gz")
            content = make_image(path, seed) if image else (skeleton / path).read_bytes()
            bucket.put(PREFIX + path, content)
            lines.append(f"{path}\t{len(content)}\t{hashlib.md5(content).hexdigest()}")
        manifest = tmp_path_factory.mktemp("manifest") / "manifest.tsv"
        manifest.write_text("\n".join(lines) + "\n")
        yield bucket.way, manifest
        bucket.way.stop()


def fetch(folder, archive):
    way, manifest = archive
    return processes.run(
        [
            *(sys.executable, str(PROJECT / "workflow/scripts/fetch_ds003688.py")),
            *("--manifest", str(manifest), "--folder", str(folder)),
            *("--record", str(folder.parent / "record.json"), "--n-volumes", str(N_VOLUMES)),
            *("--settings", json.dumps({"workers": 8, "endpoint": way.address})),
        ],
        seconds=300,
    )


@pytest.fixture(scope="module")
def fetched(archive, tmp_path_factory):
    """The data set, fetched over a network that breaks off."""
    folder = tmp_path_factory.mktemp("data") / "ds003688-1.0.7; it's $(here)"
    archive[0].faults = {"sub-62_ses-mri3t_task-film_run-1_bold.nii.gz": ["slow", "cut"]}
    run = fetch(folder, archive)
    assert run.returncode == 0, run.stderr[-3000:]
    record = json.loads((folder.parent / "record.json").read_text())
    assert record["files"] == 394 and record["participants"] == list(PARTICIPANTS)
    return folder


def test_the_manifest_is_the_data_sets_own(real_input):
    rows = {row["path"]: (row["bytes"], row["md5"]) for row in read_rows(MANIFEST)}
    images = {
        row["path"]: (row["bytes"], row["md5"])
        for row in read_rows(real_input("ds003688/nifti_manifest.tsv"))
    }
    assert len(images) == 60
    skeleton = real_input("ds003688/bids")
    texts = {
        path.relative_to(skeleton).as_posix(): (
            str(path.stat().st_size),
            hashlib.md5(path.read_bytes()).hexdigest(),
        )
        for path in skeleton.rglob("*")
        if path.is_file()
    }
    assert rows == images | texts
    assert sum(int(n_bytes) for n_bytes, _ in images.values()) == pytest.approx(3.66e9, rel=0.01)


def test_what_was_fetched_is_the_data_set(fetched, archive, real_input):
    assert check_facts(fetched, n_volumes=N_VOLUMES) == []
    asked = [wanted for path, wanted in archive[0].asked if "sub-62" in path and "bold.nii" in path]
    assert len(asked) == 3 and asked[:2] == [None, None] and asked[2].startswith("bytes=")
    (problem, *_) = check_facts(fetched)
    assert "not 163840 voxels by 641 volumes" in problem.what


def test_a_missing_participant_is_named(fetched, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(fetched, folder, copy_function=lambda a, b: Path(b).symlink_to(a))
    shutil.rmtree(folder / "sub-31")
    (folder / "stimuli/annotations/sound/sound_annotation_words.tsv").unlink()
    said = " ".join(problem.what for problem in check_facts(folder, n_volumes=N_VOLUMES))
    assert "31 lacks one" in said and "12 annotations where there should be 13" in said


def test_wrong_content_ends_with_its_name_and_without_a_record(archive, tmp_path):
    way, manifest = archive
    wrong = tmp_path / "manifest.tsv"
    rows = [line for line in manifest.read_text().splitlines() if ".nii.gz" not in line]
    wrong.write_text("\n".join(rows).replace(rows[-1].split("\t")[2], "0" * 32) + "\n")
    run = fetch(tmp_path / "data", (way, wrong))
    assert run.returncode == 1
    assert "Traceback" not in run.stderr and rows[-1].split("\t")[0] in run.stderr
    assert not (tmp_path / "record.json").exists()
    assert not (tmp_path / "data" / rows[-1].split("\t")[0]).exists()


def as_settings(**settings):
    return [f"{key}= {json.dumps(str(value))} " for key, value in settings.items()]


def test_the_whole_experiment_is_planned_for_thirty(snakemake, fetched, real_input):
    settings = as_settings(bids_dir=fetched, film=real_input("real/film.mp4"))
    run = snakemake("-n", "-p", "--config", *settings)
    text = run.stdout + run.stderr
    assert run.returncode == 0, text[-3000:]
    jobs = {name: int(n) for name, n in re.findall(r"^(\w+) +(\d+)$", text, re.MULTILINE)}
    each = ("anatomy", "tissues", "normalise", "reference", "motion", "coregister", "resample")
    each += ("confounds", "figures", "anatomy_figures")
    assert {name: jobs[f"preprocess_{name}"] for name in each} == dict.fromkeys(each, 30)
    assert jobs["clean_bold"] == jobs["extract_bold"] == jobs["measure_quality"] == 30
    # Everybody's, and the group's.
    assert jobs["draw_maps"] == 31
    # Two directions with a brain in them, and the film once.
    for name in ("fit_baselines", "train_vae", "stack_predictions", "score_predictions"):
        assert jobs[name] == 61, name
    once = ("validate_inputs", "probe_film", "extract_i3d", "make_folds", "estimate_ceiling")
    assert all(jobs[name] == 1 for name in once)
    planned = set(re.findall(r"results/bold/sub-(\w+)\.nc", text))
    assert planned == set(PARTICIPANTS)
    assert not any(name.startswith("simulate") for name in jobs)


def test_all_annotations_reach_the_feature_table(snakemake, fetched, real_input, tmp_path):
    settings = as_settings(bids_dir=fetched, film=real_input("real/film.mp4"))
    targets = ("results/features/annotations.nc", "results/inputs.json", "results/folds.json")
    run = snakemake("--config", *settings, "--", *targets, timeout=400)
    assert run.returncode == 0, (run.stdout + run.stderr)[-3000:]
    table = xr.open_dataset(tmp_path / targets[0], engine="h5netcdf")["features"]
    names = set(table["feature"].values.astype(str))
    tables = [
        (path.parent.name, path) for path in (fetched / "stimuli" / "annotations").rglob("*.tsv")
    ]
    assert len(tables) == 148
    assert names == {
        f"{kind}/{path.stem.removeprefix(f'{kind}_annotation_')}" for kind, path in tables
    }
    silent = [name for name in names if not table.sel(feature=name).values.any()]
    empty = [path.stem for _, path in tables if len(path.read_text().splitlines()) < 2]
    assert len(silent) == len(empty), silent
    inputs = json.loads((tmp_path / targets[1]).read_text())
    assert inputs["participants"] == list(PARTICIPANTS) and inputs["TR"] == 0.608
    severities = {problem["severity"] for problem in inputs["problems"]}
    # Of a few volumes only: that is said, and nothing else.
    assert severities == {"warning"} and len(inputs["problems"]) == 30
    folds = json.loads((tmp_path / targets[2]).read_text())
    assert len(folds["folds"]) == 6


def test_the_validation_takes_seconds_for_thirty(fetched, real_input):
    command = [
        *(sys.executable, str(PROJECT / "workflow/scripts/validate_inputs.py")),
        *("--configfile", str(PROJECT / "config.yaml")),
        *("--schema", str(PROJECT / "workflow/config.schema.yaml"), "--config"),
        *as_settings(bids_dir=fetched, film=real_input("real/film.mp4")),
    ]
    began = time.perf_counter()
    run = processes.run(command, seconds=120)
    assert run.returncode == 0, run.stdout + run.stderr
    assert time.perf_counter() - began < 30


def test_without_the_film_what_the_annotations_can_do_is_planned(snakemake, fetched):
    run = snakemake("-n", "-p", "--config", *as_settings(bids_dir=fetched))
    text = run.stdout + run.stderr
    assert run.returncode == 0, text[-3000:]
    jobs = {name: int(n) for name, n in re.findall(r"^(\w+) +(\d+)$", text, re.MULTILINE)}
    assert jobs["time_film"] == jobs["tabulate_words"] == jobs["render_report"] == 1
    # The brain from the words, and labels and clips from the brain; nothing of frames or sound.
    assert jobs["train_vae"] == jobs["retrieve_clips"] == 30
    assert "--source results/features/words.nc" in text
    gone = ("probe_film", "draw_stimulus", "draw_stills", "invert_mel", "resample_features")
    assert not [name for name in jobs if name.startswith("extract_") and name != "extract_bold"]
    assert not set(gone) & set(jobs)
