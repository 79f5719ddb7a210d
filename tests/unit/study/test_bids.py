import json
import shutil
import time
from pathlib import Path

import pytest

from stim2bold.runtime.errors import InputError
from stim2bold.runtime.issues import refuse
from stim2bold.study import bids, stimulus_files
from stim2bold.study.bids_index import Choice, excluded
from stim2bold.study.sidecars import read_sidecars


def find_runs(root, participants="all", **selection):
    """Return the runs of a data set, or raise the first problem."""
    runs, problems = bids.index_study(root, Choice(participants, {}, selection))
    refuse(problems)
    return runs


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
    runs = find_runs(root, "all", task="film")
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
    assert find_runs(tmp_path, "all") == simulated


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
    (run,) = find_runs(tmp_path, "all", task="film")
    assert [path.name for path in run.sidecars] == [
        "task-film_bold.json",
        "sub-1_task-film_bold.json",
        # A run is a number: 2 is 02.
        "sub-1_task-film_run-2_bold.json",
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
    own, other = find_runs(tmp_path, ["1"])
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
        find_runs(tmp_path, "all")


def test_absent_participants_are_named(tmp_path):
    make_dataset(
        tmp_path,
        ["task-film_bold.json", "task-film_events.tsv", "sub-1/func/sub-1_task-film_bold.nii.gz"],
    )
    with pytest.raises(InputError, match="participant 7, 8"):
        find_runs(tmp_path, ["1", "8", "7"])
    with pytest.raises(InputError, match="participant 04"):
        bids.simulated_study(3, Choice(["04"]), "x")
    with pytest.raises(InputError, match="nobody"):
        bids.simulated_study(2, Choice(exclude={"01": "", "02": ""}), "x")


@pytest.mark.parametrize("TR", ["0.608", None, 0, 608, float("nan")])
def test_an_unusable_TR_is_refused(tmp_path, TR):
    run = bids.simulated_runs(tmp_path, n_participants=1)[0]
    run.sidecar.parent.mkdir(parents=True)
    run.sidecar.write_text(json.dumps({"RepetitionTime": TR}))
    with pytest.raises(InputError, match="RepetitionTime"):
        bids.repetition_time(run)


def test_a_film_is_the_users_the_drawn_one_or_none():
    assert stimulus_files.film_path(None, drawn=False) is None
    assert stimulus_files.film_path(None, drawn=True) == Path("results/simulated/film.mp4")
    with pytest.raises(InputError, match="not there"):
        stimulus_files.film_path("no such film.mp4", drawn=True)


FILM = ["task-film_bold.json", "task-film_events.tsv"]


def test_sessions_tasks_runs_and_more_are_chosen(tmp_path):
    series = [
        f"sub-{sub}/ses-{ses}/func/sub-{sub}_ses-{ses}_task-film_acq-{acq}_run-{run}_bold.nii.gz"
        for sub in ("a1", "B2")
        for ses in ("pre", "post")
        for acq in ("fast", "slow")
        for run in ("01", "02", "10")
    ]
    make_dataset(tmp_path, [*FILM, *series, series[0].replace("film", "rest")])
    assert len(find_runs(tmp_path, task="film")) == 24
    assert len(find_runs(tmp_path, task=["film", "none"])) == 24
    (run,) = find_runs(tmp_path, ["B2"], task="film", session="post", acquisition=["slow"], run="2")
    assert run.name == "sub-B2_ses-post_task-film_acq-slow_run-02"
    assert run.folder == "sub-B2/ses-post"
    assert len(find_runs(tmp_path, task="film", run=["1", "10"], acquisition="fast")) == 8


def test_compressed_or_not_and_unequal_numbers_of_runs(tmp_path):
    make_dataset(
        tmp_path,
        [
            *FILM,
            "sub-1/func/sub-1_task-film_run-1_bold.nii",
            "sub-1/func/sub-1_task-film_run-2_bold.nii.gz",
            "sub-2/func/sub-2_task-film_run-1_bold.nii.gz",
        ],
    )
    assert [run.name[-5:] for run in find_runs(tmp_path)] == ["run-1", "run-2", "run-1"]


def test_odd_but_legal_entities_and_other_images(tmp_path):
    name = (
        "sub-x9/func/sub-x9_task-film_acq-MB4_ce-gad_rec-moco_dir-AP_run-007_part-mag_bold.nii.gz"
    )
    make_dataset(
        tmp_path,
        [
            *FILM,
            name,
            name.replace("mag", "phase"),
            name.replace("_part-mag_bold", "_sbref"),
            "sub-x9/fmap/sub-x9_dir-AP_epi.nii.gz",
            "sub-x9/dwi/sub-x9_dwi.nii.gz",
            "derivatives/fmriprep/sub-x9/func/sub-x9_task-film_desc-preproc_bold.nii.gz",
            "sourcedata/sub-x9/func/sub-x9_task-film_bold.nii.gz",
        ],
    )
    (run,) = find_runs(tmp_path, direction="AP", reconstruction="moco")
    assert run.bold == tmp_path / name


def test_several_echoes_are_one_run(tmp_path):
    folder = "sub-1/func/sub-1_task-film"
    # By number: 10 follows 2. Zeros do not matter.
    names = [f"{folder}_echo-{echo}_bold" for echo in ("01", "2", "10")]
    files = [*(f"{name}.nii.gz" for name in names), f"{names[1]}.json"]
    make_dataset(tmp_path, [*FILM, *files, "sub-2/func/sub-2_task-film_bold.nii.gz"])
    run, single = find_runs(tmp_path)
    assert run.name == "sub-1_task-film" and run.bold == tmp_path / f"{names[0]}.nii.gz"
    assert [echo.bold for echo in run.echoes] == [tmp_path / f"{name}.nii.gz" for name in names]
    assert [len(echo.sidecars) for echo in run.echoes] == [1, 2, 1]
    assert tmp_path / f"{names[1]}.json" in run.files
    assert single.echoes == ()


def test_echoes_beside_a_single_series_are_refused_and_bidsignore_chooses(tmp_path):
    folder = "sub-1/func/sub-1_task-film"
    names = [f"{folder}{echo}_bold.nii.gz" for echo in ("", "_echo-1", "_echo-2")]
    make_dataset(tmp_path, [*FILM, *names])
    with pytest.raises(InputError, match="as one series and as echoes.*bidsignore"):
        find_runs(tmp_path)
    (tmp_path / ".bidsignore").write_text("*_echo-*\n")
    (run,) = find_runs(tmp_path)
    assert run.bold.name == "sub-1_task-film_bold.nii.gz" and not run.echoes


def test_a_single_echo_is_used_alone_and_said(tmp_path):
    make_dataset(tmp_path, [*FILM, "sub-1/func/sub-1_task-film_echo-2_bold.nii.gz"])
    runs, problems = bids.index_study(tmp_path, Choice("all", {}, {}))
    assert [(run.name, run.echoes) for run in runs] == [("sub-1_task-film", ())]
    assert any("only echo of its run" in problem.message for problem in problems)


@pytest.mark.parametrize(
    "name", ["ds003688-1.0.7", "my [film] study", "it's $(a) *?;", "été", ".hidden", "a\nb"]
)
def test_whatever_the_folder_is_called(tmp_path, name):
    root = tmp_path / name
    make_dataset(root, [*FILM, "sub-1/func/sub-1_task-film_bold.nii.gz"])
    (run,) = find_runs(root)
    assert run.bold.is_file() and run.events == root / "task-film_events.tsv"


def test_links_are_followed_and_those_without_content_named(tmp_path):
    store = make_dataset(tmp_path / "store", ["image.nii.gz"]) / "image.nii.gz"
    root = make_dataset(tmp_path / "data", [*FILM, "sub-1/func/x"])
    link = root / "sub-1/func/sub-1_task-film_bold.nii.gz"
    link.symlink_to(store)
    assert find_runs(root)[0].bold == link
    link.unlink()
    link.symlink_to("../../.git/annex/objects/a/b/MD5E-s1--x.nii.gz/MD5E-s1--x.nii.gz")
    with pytest.raises(InputError, match="its content is absent.*datalad get"):
        find_runs(root)
    link.unlink()
    link.symlink_to("nowhere.nii.gz")
    with pytest.raises(InputError, match="is a link to nowhere.nii.gz"):
        find_runs(root)


def test_excluded_participants_are_left_out(tmp_path):
    names = [f"sub-{sub}/func/sub-{sub}_task-film_bold.nii.gz" for sub in "123"]
    make_dataset(tmp_path, [*FILM, *names])
    runs, problems = bids.index_study(tmp_path, Choice(exclude=excluded(["2"])))
    assert [run.participant for run in runs] == ["1", "3"] and not problems


def test_a_thousand_participants_are_indexed_in_seconds(tmp_path):
    names = [
        f"sub-{sub:04d}/func/sub-{sub:04d}_task-film_{end}"
        for sub in range(1000)
        for end in ("bold.nii.gz", "bold.json", "events.tsv")
    ]
    make_dataset(
        tmp_path, [*names, *(f"sub-{sub:04d}/anat/sub-{sub:04d}_T1w.nii" for sub in range(1000))]
    )
    began = time.process_time()
    runs = find_runs(tmp_path)
    assert len(runs) == 1000 and all(run.t1w for run in runs)
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"RepetitionTime": 2, "RepetitionTime": 2.5}', "RepetitionTime is given twice, 2 and"),
        (b'[["RepetitionTime", 2]]', "it is a list"),
        (b"null", "not a JSON object"),
        (b"", "not a JSON object"),
        (b'{"TaskName": "caf\xe9"}', "probably Latin-1"),
        ('{"RepetitionTime": 2}'.encode("utf-16"), "is UTF-16"),
    ],
)
def test_a_sidecar_that_cannot_be_trusted_is_refused(tmp_path, content, said):
    path = tmp_path / "bold.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said):
        read_sidecars([path])
    path.write_bytes(b'\xef\xbb\xbf{"RepetitionTime": 2, "RepetitionTime": 2}\r\n')
    assert read_sidecars([path]) == {"RepetitionTime": 2}
