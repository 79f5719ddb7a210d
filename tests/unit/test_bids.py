import json
import shutil
from pathlib import Path

import pytest

from stim2bold import bids
from stim2bold.errors import InputError
from stim2bold.sidecars import read_sidecars


def make_dataset(root: Path, names: list[str]) -> Path:
    """Make a data set of empty files; JSON files get a TR."""
    for name in ["dataset_description.json", *names]:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('{"RepetitionTime": 0.608}' if name.endswith(".json") else "")
    return root


def test_real_dataset_has_its_thirty_participants(real_input, tmp_path):
    root = tmp_path / "ds003688"
    shutil.copytree(real_input("ds003688/bids"), root)
    manifest = real_input("ds003688/nifti_manifest.tsv").read_text().splitlines()[1:]
    for line in manifest:
        path = root / line.split("\t")[0]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    runs = bids.find_runs(root, "all", task="film")
    expected = "04 07 08 09 11 13 14 15 16 18 22 24 27 28 29 31 35 41 43 44 45 46 47 51 52 53 55 56"
    assert [run.participant for run in runs] == [*expected.split(), "60", "62"]
    for run in runs:
        assert run.bold.is_file() and run.t1w.is_file() and run.events.is_file()
        assert bids.repetition_time(run) == 0.608
        assert run.folder == f"sub-{run.participant}/ses-mri3t"


def test_simulated_runs_are_named_as_an_index_of_them_would(tmp_path):
    simulated = bids.simulated_runs(tmp_path, n_participants=2)
    names = [
        str(path.relative_to(tmp_path))
        for run in simulated
        for path in (run.bold, run.events, run.t1w, *run.sidecars)
    ]
    make_dataset(tmp_path, names)
    assert bids.find_runs(tmp_path, "all") == simulated


def test_sidecars_are_inherited_and_the_nearest_wins(tmp_path):
    func = "sub-1/func"
    make_dataset(
        tmp_path,
        [
            "task-film_bold.json",
            "task-rest_bold.json",
            "task-film_events.tsv",
            f"{func}/sub-1_task-film_bold.json",
            f"{func}/sub-1_task-film_run-02_bold.nii",
            f"{func}/sub-1_task-film_run-2_bold.json",
        ],
    )
    (tmp_path / "task-film_bold.json").write_text('{"RepetitionTime": 2.0, "EchoTime": 0.03}')
    (run,) = bids.find_runs(tmp_path, "all", task="film")
    assert [path.name for path in run.sidecars] == [
        "task-film_bold.json",
        "sub-1_task-film_bold.json",
    ]
    assert read_sidecars(run.sidecars) == {"RepetitionTime": 0.608, "EchoTime": 0.03}
    run.sidecar.write_text("{")
    with pytest.raises(InputError, match="not a JSON object"):
        read_sidecars(run.sidecars)
    assert run.events == tmp_path / "task-film_events.tsv"
    assert run.anat is None and run.t1w is None


def test_the_t1w_of_the_same_session_is_preferred(tmp_path):
    make_dataset(
        tmp_path,
        [
            "task-film_bold.json",
            "task-film_events.tsv",
            "sub-1/ses-a/anat/sub-1_ses-a_T1w.nii.gz",
            "sub-1/ses-b/anat/sub-1_ses-b_T1w.nii.gz",
            "sub-1/ses-b/func/sub-1_ses-b_task-film_bold.nii.gz",
            "sub-1/ses-c/func/sub-1_ses-c_task-film_bold.nii.gz",
        ],
    )
    own, other = bids.find_runs(tmp_path, ["1"])
    assert (own.anat_folder, own.anat) == ("sub-1/ses-b", "sub-1_ses-b")
    assert (other.anat_folder, other.anat) == ("sub-1/ses-a", "sub-1_ses-a")


@pytest.mark.parametrize(
    ("remove", "message"),
    [
        ("dataset_description.json", "not a BIDS data set"),
        ("sub-1_task-film_bold.nii.gz", "no BOLD run"),
        ("task-film_bold.json", "no JSON sidecar"),
        ("task-film_events.tsv", "no events.tsv"),
    ],
)
def test_what_is_missing_is_named(tmp_path, remove, message):
    make_dataset(
        tmp_path,
        ["task-film_bold.json", "task-film_events.tsv", "sub-1/func/sub-1_task-film_bold.nii.gz"],
    )
    next(tmp_path.rglob(remove)).unlink()
    with pytest.raises(InputError, match=message):
        bids.find_runs(tmp_path, "all")


def test_absent_participants_are_named(tmp_path):
    make_dataset(
        tmp_path,
        ["task-film_bold.json", "task-film_events.tsv", "sub-1/func/sub-1_task-film_bold.nii.gz"],
    )
    with pytest.raises(InputError, match="participant 7, 8"):
        bids.find_runs(tmp_path, ["1", "8", "7"])
    with pytest.raises(InputError, match="participant 04"):
        bids.study_runs(bids_dir="x", participants=["04"], selection={}, n_simulated=3)


@pytest.mark.parametrize("TR", ["0.608", None, 0, 608, float("nan")])
def test_an_unusable_TR_is_refused(tmp_path, TR):
    run = bids.simulated_runs(tmp_path, n_participants=1)[0]
    run.sidecar.parent.mkdir(parents=True)
    run.sidecar.write_text(json.dumps({"RepetitionTime": TR}))
    with pytest.raises(InputError, match="RepetitionTime"):
        bids.repetition_time(run)


def test_a_film_is_asked_for_where_there_is_a_data_set():
    with pytest.raises(InputError, match="film is not"):
        bids.film_path(None, "ds003688")
    with pytest.raises(InputError, match="not there"):
        bids.film_path("no such film.mp4", None)
