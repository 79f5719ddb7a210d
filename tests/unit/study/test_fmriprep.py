"""Derivatives of fMRIPrep: which are taken, and what is said of those that cannot be."""

import json
import shutil

import nibabel as nib
import numpy as np
import planted_study
import pytest

from stim2bold.preprocessing.film_rows import gather_runs
from stim2bold.study import study, validate
from stim2bold.study.fmriprep import needed_columns

ONE = "MNI152NLin2009cAsym_res-2"


@pytest.fixture(scope="module")
def healthy(tmp_path_factory):
    root = tmp_path_factory.mktemp("healthy")
    planted_study.write_study(root)
    planted_study.write_derivatives(root)
    # The raw images are not needed.
    for path in (root / "bids").rglob("*.nii.gz"):
        path.unlink()
    return root


class Patient:
    """A copy of the healthy study."""

    def __init__(self, healthy, root):
        shutil.copytree(healthy, root)
        self.root = root
        self.folder = root / "fmriprep"
        self.func = self.folder / "sub-02" / "func"
        self.name = "sub-02_task-film_run-1"
        self.config = planted_study.configuration(
            bids_dir=str(root / "bids"),
            film=str(root / "film.mkv"),
            preprocessing={"derivatives": str(self.folder)},
        )

    def remove(self, end):
        (self.func / f"{self.name}_{end}").unlink()

    def set(self, **settings):
        self.config["preprocessing"] |= settings

    def confounds(self, change):
        path = self.func / f"{self.name}_desc-confounds_timeseries.tsv"
        path.write_text(change(path.read_text()))


@pytest.fixture
def patient(healthy, tmp_path):
    return Patient(healthy, tmp_path / "it's $(a) tsv space-x study")


def test_single_echoes_beside_the_combined_series_are_passed_over(patient):
    series = next(patient.func.glob("*space-MNI*_desc-preproc_bold.nii.gz"))
    echo = series.with_name(series.name.replace("_space-", "_echo-2_space-"))
    shutil.copy(series, echo)
    found = validate.examine(patient.config)
    assert {run.name for run in found.runs} >= {patient.name}
    told = [problem for problem in found.problems if "single echoes" in problem.what]
    assert [problem.severity for problem in told] == ["note"] and echo.name in told[0].what
    for path in patient.folder.glob("sub-*/func/*_desc-preproc_bold.nii.gz"):
        if "_echo-" not in path.name:
            path.unlink()
    told = validate.examine(patient.config).problems
    assert any("single echoes only" in problem.what for problem in told)


def test_healthy_derivatives_raise_nothing(patient):
    findings = validate.examine(patient.config)
    assert findings.problems == []
    assert findings.space == "MNI152NLin2009cAsym" and findings.TR == 1.0
    first, second = findings.runs
    assert second.name == patient.name and second.folder == "sub-02"
    assert second.bold.name == f"{patient.name}_space-{ONE}_desc-preproc_bold.nii.gz"
    assert second.confounds.name == f"{patient.name}_desc-confounds_timeseries.tsv"
    assert second.events == patient.root / "bids/sub-02/func" / f"{patient.name}_events.tsv"
    assert second.t1w is None


FAULTS = {
    "no such space": (
        lambda p: p.set(space="MNI152NLin6Asym"),
        "no series (*_desc-preproc_bold.nii.gz) of space MNI152NLin6Asym "
        "(there is: MNI152NLin2009cAsym)",
    ),
    "no such resolution": (lambda p: p.set(res="1"), "of res 1 (there is: 2)"),
    "no template space": (
        lambda p: [path.unlink() for path in p.folder.rglob("*_space-MNI*")],
        "of space MNI... (there is: none)",
    ),
    "no mask": (lambda p: p.remove(f"space-{ONE}_desc-brain_mask.nii.gz"), "has no brain mask"),
    "no confounds": (lambda p: p.remove("desc-confounds_timeseries.tsv"), "has no confounds"),
    "missing columns": (
        lambda p: p.confounds(lambda text: text.replace("rot_y\t", "x\t").replace("csf", "y")),
        "lacks the columns rot_y, csf",
    ),
    "columns of another strategy": (
        lambda p: p.config["preprocessing"]["cleaning"].update(motion="derivatives"),
        "lacks the columns trans_x_derivative1",
    ),
    "no components": (
        lambda p: p.config["preprocessing"]["cleaning"].update(strategy="compcor"),
        "lacks the columns a_comp_cor_*",
    ),
    "too few rows": (
        lambda p: p.confounds(lambda text: "\n".join(text.splitlines()[:-3])),
        "has 105 rows where the series has 108 volumes",
    ),
    "a mask of another grid": (
        lambda p: planted_study.save_volume(
            p.func / f"{p.name}_space-{ONE}_desc-brain_mask.nii.gz",
            planted_study.np.ones((6, 5, 5)),
            voxel=4.0,
        ),
        "lies on another grid",
    ),
    "a truncated series": (
        lambda p: [
            path.write_bytes(path.read_bytes()[:-99])
            for path in p.func.glob(f"*{ONE}_desc-preproc_bold.nii.gz")
        ],
        "truncated",
    ),
    "a raw data set": (
        lambda p: p.set(derivatives=str(p.root / "bids")),
        "of space MNI... (there is: none)",
    ),
    "no description": (
        lambda p: (p.folder / "dataset_description.json").unlink(),
        "no dataset_description.json",
    ),
    "no events": (
        lambda p: (p.root / "bids/sub-02/func" / f"{p.name}_events.tsv").unlink(),
        "no events.tsv applies",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_by_name(patient, fault):
    plant, words = FAULTS[fault]
    plant(patient)
    found = validate.examine(patient.config).problems
    assert any(words in problem.what for problem in found), found


def test_one_of_several_spaces_is_chosen(tmp_path):
    config = planted_study.write_study(tmp_path)
    spaces = (ONE, "MNI152NLin6Asym_res-2", "MNI152NLin6Asym_res-1")
    folder = planted_study.write_derivatives(tmp_path, spaces=spaces)
    config["preprocessing"]["derivatives"] = str(folder)
    _, (problem,), _ = study.index(config)
    assert "several preprocessing.space: MNI152NLin2009cAsym, MNI152NLin6Asym" in problem.what
    config["preprocessing"] |= {"space": "MNI152NLin6Asym"}
    _, (problem,), _ = study.index(config)
    assert "several preprocessing.res: 1, 2" in problem.what
    config["preprocessing"] |= {"res": "1"}
    runs, problems, space = study.index(config)
    assert space == "MNI152NLin6Asym" and not problems
    assert all("_space-MNI152NLin6Asym_res-1_" in run.bold.name for run in runs)


@pytest.mark.parametrize("strategy", ["simple", "scrubbing"])
@pytest.mark.parametrize("motion", ["basic", "derivatives", "power2", "full"])
def test_the_columns_that_are_asked_for_are_those_that_nilearn_reads(tmp_path, strategy, motion):
    from stim2bold.preprocessing.cleaning import choose_confounds
    from stim2bold.runtime.errors import InputError

    folder = planted_study.write_derivatives(tmp_path, participants=1) / "sub-01" / "func"
    series = next(folder.glob(f"*{ONE}_desc-preproc_bold.nii.gz"))
    table = folder / "sub-01_task-film_run-1_desc-confounds_timeseries.tsv"
    columns = needed_columns(strategy, motion)
    rng = planted_study.np.random.default_rng(0)

    def write(names):
        rows = ["\t".join(f"{v:.4f}" for v in rng.normal(0, 0.01, len(names))) for _ in range(108)]
        table.write_text("\n".join(["\t".join(names), *rows]) + "\n")

    write([*columns, "cosine00"])
    confounds = choose_confounds(series, strategy, motion=motion).table
    used = {name for name in confounds if not name.startswith("motion_outlier")}
    assert used == set(columns) - {"framewise_displacement", "std_dvars"}
    for name in columns:
        write([other for other in columns if other != name])
        with pytest.raises(InputError, match="cannot be used"):
            choose_confounds(series, strategy, motion=motion)


def say(folder, label, **fields):
    """Write the sidecar of a participant's series in the template's space."""
    func = folder / f"sub-{label}" / "func"
    path = next(func.glob(f"*{ONE}_desc-preproc_bold.nii.gz")).with_suffix("").with_suffix(".json")
    path.write_text(json.dumps({"RepetitionTime": 1.0} | fields))


@pytest.mark.parametrize(
    ("fields", "instant"),
    [
        ({}, 0.5),
        ({"SliceTimingCorrected": True, "StartTime": 0}, 0.0),
        ({"SliceTimingCorrected": True, "StartTime": 0.488}, 0.488),
        ({"SliceTimingCorrected": False, "StartTime": 0}, 0.5),
    ],
)
def test_rows_stand_where_the_slices_of_derivatives_were_shifted_to(patient, fields, instant):
    folder, config = patient.folder, patient.config
    for label in ("01", "02"):
        say(folder, label, **fields)
    runs, _, _ = study.index(config)
    onsets = dict.fromkeys([run.name for run in runs], 6.0)
    own = study.row_onsets(onsets, study.volume_references(runs, config, TR=1.0), TR=1.0)
    zero = study.first_row_onset(runs, own)
    volumes = np.arange(108) + instant - 6.0
    series = nib.Nifti1Image(np.tile(np.sin(volumes / 9), (5, 5, 5, 1)).astype("f4"), np.eye(4))
    bold = gather_runs(
        [series],
        [np.ones((5, 5, 5), bool)],
        TR=1.0,
        film_onset=zero,
        onsets=[own[runs[1].name]],
        space="MNI",
        source="x",
    )
    np.testing.assert_allclose(bold["time"], volumes, atol=1e-9)
    np.testing.assert_allclose(bold[:, 0], np.sin(volumes / 9), atol=1e-6)


def test_participants_whose_slices_were_shifted_elsewhere_share_rows(patient):
    folder, config = patient.folder, patient.config
    say(folder, "01", StartTime=0.0)
    say(folder, "02", StartTime=0.75)
    runs, _, _ = study.index(config)
    onsets = dict.fromkeys([run.name for run in runs], 0.0)
    own = study.row_onsets(onsets, study.volume_references(runs, config, TR=1.0), TR=1.0)
    mask = np.ones((2, 2, 2), bool)
    for run, start in zip(runs, (0.0, 0.75), strict=True):
        volumes = np.arange(108) + start
        series = nib.Nifti1Image(np.tile(np.sin(volumes / 9), (2, 2, 2, 1)).astype("f4"), np.eye(4))
        bold = gather_runs(
            [series],
            [mask],
            TR=1.0,
            film_onset=study.first_row_onset(runs, own),
            onsets=[own[run.name]],
            space="MNI",
            source="x",
        )
        times = bold["time"].values
        np.testing.assert_allclose(times, np.round(times), atol=1e-9)
        np.testing.assert_allclose(bold[:, 0], np.sin(times / 9), atol=1e-4)


def test_the_check_says_what_is_odd_about_an_instant(patient):
    folder, config = patient.folder, patient.config
    say(folder, "01", SliceTimingCorrected=True)
    say(folder, "02", StartTime=975)
    found = {p.file.split("/")[-1][:6]: p for p in validate.examine(config).problems}
    assert found["sub-01"].severity == "warning" and "not to which instant" in found["sub-01"].what
    assert found["sub-02"].severity == "error" and "StartTime is 975" in found["sub-02"].what


@pytest.mark.parametrize(
    ("value", "severity", "words"),
    [
        (np.nan, "warning", "no numbers (1 of 125, the first at (1, 2, 3))"),
        (np.inf, "warning", "no numbers (1 of 125"),
        (None, "error", "no voxel of this mask is above 0.5"),
    ],
)
def test_a_mask_of_no_numbers_is_counted_and_an_empty_one_refused(patient, value, severity, words):
    mask = np.ones((5, 5, 5)) if value is not None else np.zeros((5, 5, 5))
    mask[1, 2, 3] = value if value is not None else 0
    path = patient.func / f"{patient.name}_space-{ONE}_desc-brain_mask.nii.gz"
    planted_study.save_volume(path, mask, voxel=4.0)
    (said,) = validate.examine(patient.config).problems
    assert said.severity == severity and words in said.what and said.file == str(path)
