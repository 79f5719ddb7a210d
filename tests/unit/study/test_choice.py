"""Which of several images, runs and tables is taken: by a stated rule, and said."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pathspec
import planted_study
import pytest

from stim2bold.study import bids
from stim2bold.study.bids_index import Choice, excluded
from stim2bold.study.bids_names import entities
from stim2bold.study.bidsignore import ignored
from stim2bold.study.fmriprep import index_derivatives
from stim2bold.study.onsets import unused
from stim2bold.study.t1w_choice import grid

FILM = ["task-film_bold.json", "task-film_events.tsv"]
FUNC, ANAT = "sub-1/func/sub-1_task-film", "sub-1/anat/sub-1"


@pytest.fixture
def study(tmp_path):
    """Return a function that makes a data set and returns (names of the runs, problems, runs)."""

    def make(names, *, exclude=(), texts=None, **selection):
        for name in ["dataset_description.json", *FILM, *names]:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                path.write_text('{"RepetitionTime": 1.0}' if name.endswith(".json") else "")
        for name, text in (texts or {}).items():
            (tmp_path / name).write_text(text)
        choice = Choice("all", excluded(exclude), selection)
        runs, problems = bids.index_study(tmp_path, choice)
        return [run.name for run in runs], [problem.message for problem in problems], runs

    return make


def head(path, shape, *, voxel=1.0):
    """Write an image of zeros, which takes no room when it is compressed."""
    planted_study.save_volume(path, np.zeros(shape, np.uint8), voxel=voxel)


HEAD, SLAB = (160, 170, 160), (200, 200, 20)


@pytest.mark.parametrize(
    ("images", "taken"),
    [
        ({"acq-hippoc1": (SLAB, 0.5), "acq-mprage": (HEAD, 1.0)}, "acq-mprage"),
        ({"acq-inplane": ((400, 400, 30), 1.0), "acq-mprage": (HEAD, 1.0)}, "acq-mprage"),
        ({"acq-cspine": ((300, 300, 60), 1.0), "rec-x": ((80, 85, 80), 2.0)}, "rec-x"),
        ({"acq-hires": ((200, 200, 200), 0.8), "acq-lores": (HEAD, 1.0)}, "acq-hires"),
        ({"rec-norm": (HEAD, 1.0), "": (HEAD, 1.0)}, ""),
        ({"run-2": (HEAD, 1.0), "run-1": (HEAD, 1.0)}, "run-1"),
    ],
)
def test_the_whole_head_is_taken_and_the_others_are_named(study, tmp_path, images, taken):
    for label, (shape, voxel) in images.items():
        head(tmp_path / f"{ANAT}{label and '_'}{label}_T1w.nii.gz", shape, voxel=voxel)
    _, problems, (run,) = study([f"{FUNC}_bold.nii.gz"])
    assert run.anat == "sub-1" + (taken and "_") + taken
    (said,) = [line for line in problems if "passed over" in line]
    assert all(f"{label}_T1w" in said for label in images if label != taken)


def test_a_T1w_image_can_be_chosen(study, tmp_path):
    for label, shape in (("acq-slab", SLAB), ("acq-whole", HEAD), ("run-02", SLAB)):
        head(tmp_path / f"{ANAT}_{label}_T1w.nii.gz", shape)
    names = [f"{FUNC}_bold.nii.gz", f"{ANAT}_acq-x_part-phase_T1w.nii.gz"]
    for wanted, taken in (
        ({"acquisition": "slab"}, "sub-1_acq-slab"),
        ({"acquisition": ""}, "sub-1_run-02"),
        ({"run": "2"}, "sub-1_run-02"),
        ({"run": "", "acquisition": ["whole", "none"]}, "sub-1_acq-whole"),
        (None, "sub-1_acq-whole"),
    ):
        _, _, (run,) = study(names, t1w=wanted)
        assert run.anat == taken
    found, problems, _ = study(names, t1w={"acquisition": "x"})
    assert found == [] and "correct selection.t1w" in problems[-1]


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
@pytest.mark.parametrize("order", ["<", ">"])
def test_the_grid_of_a_header(tmp_path, kind, order):
    header = kind.header_class(endianness=order)
    image = kind(np.zeros((4, 5, 6), np.int16), np.diag([3, 2, 1.5, 1]), header=header)
    for name in ("a.nii", "a.nii.gz"):
        image.to_filename(tmp_path / name)
        assert grid(tmp_path / name) == (9.0, 120)
    for name, content in (("b.nii", b""), ("b.nii.gz", b"x" * 500), ("c.nii.gz", b"\x1f\x8b\x08")):
        (tmp_path / name).write_bytes(content)
        assert grid(tmp_path / name) == (0.0, 0)
    assert grid(tmp_path / "none.nii") == (0.0, 0)


def test_numbers_compare_as_numbers(study):
    names = [f"{FUNC}_run-1_bold.nii.gz", f"{FUNC}_run-02_bold.nii.gz"]
    texts = {"task-film_run-01_events.tsv": "", f"{FUNC}_run-2_bold.json": "{}"}
    _, _, (second, first) = study(names, texts=texts)
    assert (first.name[-5:], second.name[-6:]) == ("run-1", "run-02")
    assert first.events.name == "task-film_run-01_events.tsv"
    assert second.events.name == "task-film_events.tsv"
    assert second.sidecar.name == "sub-1_task-film_run-2_bold.json"
    assert study(names, run="01")[0] == study(names, run=["1"])[0] == [first.name]
    assert unused([first.name], {"run-001": 0.0, "all": 0.0}) == []
    assert unused([first.name], {"run-2": 0.0, "sub-01": 1.0}) == ["run-2", "sub-01"]
    assert entities("sub-01_run-007_echo-02_part-mag") == {"sub": "01", "run": "7", "echo": "2"}


def test_one_run_under_two_names_or_two_tables_for_it_is_refused(study):
    _, problems, _ = study([f"{FUNC}_run-1_bold.nii.gz", f"{FUNC}_run-01_bold.nii.gz"])
    assert any("is there twice" in line for line in problems)


def test_two_tables_for_a_run_are_refused(study):
    tables = {f"{FUNC}_run-1_events.tsv": "", f"{FUNC}_run-01_events.tsv": ""}
    _, problems, _ = study([f"{FUNC}_run-1_bold.nii.gz"], texts=tables)
    assert any("both apply to sub-1_task-film_run-1" in line for line in problems)


def test_reconstructions_of_a_run_are_chosen_one_by_one(study):
    names = [f"{FUNC}_bold.nii.gz", f"{FUNC}_rec-moco_bold.nii.gz"]
    _, problems, _ = study(names)
    assert "in several reconstructions: without rec, rec-moco" in problems[0]
    assert study(names, reconstruction="")[0] == ["sub-1_task-film"]
    found, problems, _ = study(names, reconstruction="moco")
    assert found == ["sub-1_task-film_rec-moco"]
    assert "1 of 2 BOLD series are not chosen: sub-1_task-film_bold.nii.gz" in problems[0]
    _, problems, _ = study(names, reconstruction=["moco", "none"])
    assert any("no BOLD run of reconstruction none (there is: moco, none)" in p for p in problems)


def test_a_run_can_be_left_out(study):
    names = [f"{FUNC}_run-{run}_bold.nii.gz" for run in (1, 2)]
    names += [name.replace("sub-1", "sub-2") for name in names]
    for key in ("1_run-1", "sub-1_run-01", "1_task-film_run-1"):
        found, problems, _ = study(names, exclude={key: "broken off"})
        assert found == [f"sub-{s}_task-film_run-{r}" for s, r in ((1, 2), (2, 1), (2, 2))]
        assert any(
            "sub-1_task-film_run-1_bold.nii.gz is left out: broken off" in p for p in problems
        )
    assert study(names, exclude={"sub-2": "x"})[0] == study(names, exclude=["2"])[0]
    assert "names the run 1_run-3, which is not there" in study(names, exclude=["1_run-3"])[1][0]
    assert "write it as the data set does: '2'" in study(names, exclude=["02"])[1][0]


def test_phase_images_and_hidden_files_are_passed_over(study):
    names = [f"{FUNC}_part-{part}_bold.nii.gz" for part in ("mag", "phase")]
    names += [f"{Path(name).parent}/._{Path(name).name}" for name in [*names, *FILM]]
    names += ["sub-1/.git/func/sub-1_task-film_run-9_bold.nii.gz", "._task-film_events.tsv"]
    found, problems, (run,) = study(names)
    assert found == ["sub-1_task-film_part-mag"] and run.events.name == "task-film_events.tsv"
    assert [line for line in problems if "no magnitude images" in line and "part-phase" in line]


PATTERNS = """# a comment

*_run-2_*
/sub-03
sub-04/func/
extra_data/**
**/sub-05*T1w*
sub-06/**/x.nii
!sub-06/a/x.nii
sub-0[78]/*
sub-09/func/sub-09?task*
"""


def test_bidsignore_is_read_as_git_reads_such_files(tmp_path):
    (tmp_path / ".bidsignore").write_text(PATTERNS)
    theirs = pathspec.GitIgnoreSpec.from_lines(PATTERNS.splitlines())
    tell = ignored(tmp_path)
    paths = ["sub-01/func/sub-01_run-2_bold.nii", "a/extra_data/y", "extra_data/y/z"]
    paths += [f"sub-{n:02d}/{rest}" for n in range(1, 10) for rest in ("func/x.nii", "a/x.nii")]
    paths += ["sub-05_T1w.nii", "q/sub-05/anat/sub-05_T1w.nii", "sub-09/func/sub-09_task-x"]
    assert [tell(path) for path in paths] == [theirs.match_file(path) for path in paths]
    assert sum(map(tell, paths)) > 8


def test_what_bidsignore_lists_is_passed_over_and_said(study):
    names = [f"{FUNC}_run-{run}_bold.nii.gz" for run in (1, 2)]
    found, problems, _ = study(names, texts={".bidsignore": "sub-1/func/*run-1*\n"})
    assert found == ["sub-1_task-film_run-2"]
    (said,) = [line for line in problems if ".bidsignore: lists 1 image(s)" in line]
    assert "sub-1_task-film_run-1_bold.nii.gz" in said


def test_derivatives_heed_both_and_name_what_they_have_several_of(tmp_path):
    planted_study.write_study(tmp_path)
    spaces = ("MNI_cohort-1_res-2", "MNI_cohort-2_res-2", "MNI_cohort-2")
    folder = planted_study.write_derivatives(tmp_path, spaces=spaces)

    def index(**choice):
        options = {"space": None, "cohort": None, "res": None} | choice
        runs, problems, _ = index_derivatives(folder, tmp_path / "bids", Choice(), **options)
        return [run.bold.name for run in runs], [problem.message for problem in problems]

    assert "several preprocessing.cohort: 1, 2; choose one" in index()[1][0]
    assert "several preprocessing.res: none, 2; choose one" in index(cohort="2")[1][0]
    with_res, without = index(cohort="2", res="2")[0], index(cohort="2", res="")[0]
    assert all("_res-2_" in name for name in with_res) and len(with_res) == 2
    assert all("_res-" not in name for name in without) and len(without) == 2
    assert len(index(cohort="1")[0]) == 2
    (tmp_path / "bids" / ".bidsignore").write_text("sub-01/func/*_bold.nii.gz\n")
    (folder / ".bidsignore").write_text("sub-02/figures/\n*_timeseries.tsv\n")
    names, problems = index(cohort="1")
    assert [name[:6] for name in names] == ["sub-02"] and ".bidsignore: lists 1" in problems[0]


def test_a_run_of_the_simulation_can_be_left_out():
    exclude = excluded({"01_run-1": "x", "sub-03": "y"})
    runs = bids.simulated_study(3, Choice(exclude=exclude), "bids")
    assert [run.participant for run in runs] == ["02"]
