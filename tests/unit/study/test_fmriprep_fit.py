"""What fMRIPrep fitted and did not apply: which is taken, and what is said of what cannot be."""

import shutil

import numpy as np
import planted_study
import pytest
from itk_files import write_affines, write_composite

from stim2bold.study import study, validate
from stim2bold.study.settings_checks import check_consistency

SPACE = "MNI152NLin2009cAsym"
MOTION = "from-orig_to-boldref_mode-image_desc-hmc_xfm.txt"
COREGISTRATION = "from-boldref_to-T1w_mode-image_desc-coreg_xfm.txt"


@pytest.fixture(scope="module")
def healthy(tmp_path_factory):
    root = tmp_path_factory.mktemp("healthy")
    planted_study.write_study(root)
    planted_study.write_fits(root)
    # The raw T1w images are not needed.
    for path in (root / "bids").rglob("*_T1w.nii.gz"):
        path.unlink()
    return root


class Patient:
    """A copy of the healthy study."""

    def __init__(self, healthy, root):
        shutil.copytree(healthy, root)
        self.folder, self.name = root / "fmriprep", "sub-02_task-film_run-1"
        self.config = planted_study.configuration(
            bids_dir=str(root / "bids"),
            film=str(root / "film.mkv"),
            preprocessing={"derivatives": str(self.folder)},
        )

    def func(self, end):
        return self.folder / "sub-02" / "func" / f"{self.name}_{end}"

    def anat(self, end):
        return self.folder / "sub-02" / "anat" / f"sub-02_{end}"

    def set(self, **settings):
        self.config["preprocessing"] |= settings


@pytest.fixture
def patient(healthy, tmp_path):
    return Patient(healthy, tmp_path / "it's $(a) minimal study")


def test_raw_series_are_taken_with_what_was_fitted_to_them(patient):
    findings = validate.examine(patient.config)
    assert findings.problems == []
    assert findings.space == SPACE and findings.TR == 1.0
    run = findings.runs[1]
    assert run.bold.parts[-4:] == ("bids", "sub-02", "func", f"{patient.name}_bold.nii.gz")
    assert run.confounds is None and run.mask is None
    assert run.t1w == patient.anat("desc-preproc_T1w.nii.gz")
    assert (run.anat_folder, run.anat) == ("sub-02", "sub-02")
    assert run.fit.motion == patient.func(MOTION)
    assert run.fit.normalisation == patient.anat(f"from-T1w_to-{SPACE}_mode-image_xfm.h5")
    assert all(path.is_file() for path in run.fit) and set(run.fit) < set(run.files)


FAULTS = {
    **{
        f"no {end}": (
            lambda p, place=place, end=end: getattr(p, place)(end).unlink(),
            f"{end}: the file is not there",
        )
        for place, ends in {
            "func": (
                *(MOTION, COREGISTRATION, "desc-hmc_boldref.nii.gz"),
                *("desc-coreg_boldref.nii.gz", "desc-brain_mask.nii.gz"),
            ),
            "anat": (
                *("desc-brain_mask.nii.gz", "dseg.nii.gz", "label-GM_probseg.nii.gz"),
                f"from-T1w_to-{SPACE}_mode-image_xfm.h5",
            ),
        }.items()
        for end in ends
    },
    "no T1w image": (
        lambda p: p.anat("desc-preproc_T1w.nii.gz").unlink(),
        "has no *_desc-preproc_T1w.nii.gz of participant 02",
    ),
    "a fieldmap": (
        lambda p: p.func("from-boldref_to-auto00000_mode-image_desc-fmap_xfm.txt").touch(),
        "a fieldmap was fitted to this run",
    ),
    "a named fieldmap of fMRIPrep 23.2": (
        lambda p: p.func("from-boldref_to-TOPUP_mode-image_xfm.txt").touch(),
        "a fieldmap was fitted to this run",
    ),
    "no such template": (
        lambda p: p.set(space="MNI152NLin6Asym"),
        f"has no transform to MNI152NLin6Asym (*_from-T1w_to-MNI152NLin6Asym_mode-image_xfm.h5; "
        f"there is: {SPACE})",
    ),
    "several templates": (
        lambda p: p.anat("from-T1w_to-MNI152NLin6Asym_mode-image_xfm.h5").touch(),
        f"has transforms to several templates: {SPACE}, MNI152NLin6Asym",
    ),
    "a template of another size": (
        lambda p: [
            path.rename(path.with_name(path.name.replace(SPACE, "MNIPediatricAsym+2")))
            for path in p.folder.rglob("*_xfm.h5")
        ],
        "has no transform to MNI152... (*_from-T1w_to-MNI152..._mode-image_xfm.h5; there is: none)",
    ),
    "no raw data set": (
        lambda p: p.config.update(bids_dir=None),
        "holds transforms and no series in a template space, so the raw series are needed",
    ),
    "a volume without motion": (
        lambda p: write_affines(p.func(MOTION), np.stack([np.eye(4)] * 107)),
        "holds 107 transforms where 108 are needed",
    ),
    "a table for transforms": (
        lambda p: p.func(COREGISTRATION).write_text("trans_x\ttrans_y\n0\t0\n"),
        "holds no affine transforms of ITK",
    ),
    "a rigid transform": (
        lambda p: p.func(COREGISTRATION).write_text(
            "#Insight Transform File V1.0\nTransform: Euler3DTransform_double_3_3\n"
            "Parameters: 0 0 0 1 2 3\nFixedParameters: 0 0 0\n"
        ),
        "holds no affine transforms of ITK",
    ),
    "a normalisation of another kind": (
        lambda p: p.anat(f"from-T1w_to-{SPACE}_mode-image_xfm.h5").write_text("affine"),
        "is no HDF5 file of ITK",
    ),
    "an empty mask": (
        lambda p: planted_study.save_volume(
            p.func("desc-brain_mask.nii.gz"), np.zeros((5, 5, 5)), voxel=4.0
        ),
        "no voxel of this mask is above 0.5",
    ),
    "another series": (
        lambda p: planted_study.save_volume(
            p.func("desc-hmc_boldref.nii.gz"), np.ones((6, 5, 5)), voxel=4.0
        ),
        "lies elsewhere than sub-02_task-film_run-1_bold.nii.gz",
    ),
    "a strategy without its regressors": (
        lambda p: p.config["preprocessing"]["cleaning"].update(strategy="ica_aroma"),
        "ica_aroma, whose regressors our own preprocessing does not make",
    ),
    "a resolution of series that are not there": (
        lambda p: p.set(res="2"),
        "preprocessing.res chooses among series",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_by_name(patient, fault):
    plant, words = FAULTS[fault]
    plant(patient)
    problems = validate.examine(patient.config).problems
    problems += check_consistency(patient.config)
    found = [problem.message for problem in problems]
    assert sum(words in message for message in found) == 1, found


def test_one_of_several_templates_is_chosen(patient):
    for label in ("sub-01", "sub-02"):
        path = (
            patient.folder
            / label
            / "anat"
            / f"{label}_from-T1w_to-MNI152NLin6Asym_mode-image_xfm.h5"
        )
        write_composite(path, np.eye(4), np.zeros((4, 4, 4, 3)), np.diag([9.0, 9, 9, 1]))
    patient.set(space="MNI152NLin6Asym")
    runs, problems, space = study.index(patient.config)
    assert space == "MNI152NLin6Asym" and problems == []
    assert all("to-MNI152NLin6Asym" in run.fit.normalisation.name for run in runs)


def test_a_fieldmap_of_another_run_and_a_numbers_zeros_do_not_matter(patient):
    other = patient.func("x").with_name(
        "sub-02_task-rest_run-1_from-boldref_to-auto00000_mode-image_desc-fmap_xfm.txt"
    )
    other.touch()
    assert study.index(patient.config)[1] == []
    same = other.with_name(other.name.replace("rest_run-1", "film_run-01"))
    other.rename(same)
    runs, problems, _ = study.index(patient.config)
    assert [run.participant for run in runs] == ["01"]
    assert [problem.file for problem in problems] == [str(same)]


def test_series_in_a_template_are_taken_before_transforms(patient):
    full = planted_study.write_derivatives(patient.folder.parent / "full")
    for path in sorted(full.rglob("*_desc-*")):
        (patient.folder / path.relative_to(full)).write_bytes(path.read_bytes())
    runs, _, _ = study.index(patient.config)
    assert [run.fit for run in runs] == [None, None]
    assert all(run.confounds for run in runs)
