"""Confounds against nipype, and as nilearn reads them."""

import nibabel as nib
import numpy as np
import pytest
from nilearn.interfaces.fmriprep import load_confounds, load_confounds_strategy
from nipype.algorithms.confounds import FramewiseDisplacement, compute_dvars
from shipped import shipped
from statsmodels.regression.linear_model import yule_walker

from stim2bold.io.files import write_json, write_table
from stim2bold.preprocessing import confounds
from stim2bold.preprocessing.cleaning import choose_confounds
from stim2bold.preprocessing.head_motion import rigid_matrix

SHAPE, N, TR = (10, 11, 12), 240, 0.608


@pytest.fixture(scope="module")
def run():
    rng = np.random.default_rng(3)
    brain = np.zeros(SHAPE, bool)
    brain[1:-1, 1:-1, 1:-1] = True
    data = 500 + 50 * rng.random((*SHAPE, 1)) + 5 * rng.standard_normal((*SHAPE, N))
    data[..., :2] *= 1.5
    data[..., 100] += 60 * rng.standard_normal(SHAPE)
    data *= brain[..., None]
    tissues = {name: np.zeros(SHAPE) for name in ("GM", "WM", "CSF")}
    tissues["WM"][2:5] = 1
    tissues["CSF"][7:10] = 1
    tissues["GM"][5:7] = 1
    parameters = np.cumsum(rng.normal(0, [0.02] * 3 + [2e-4] * 3, (N, 6)), axis=0)
    parameters[100:] += [0.8, 0, 0, 0, 0, 0]
    return (
        nib.Nifti1Image(data.astype(np.float32), np.diag([4, 4, 4, 1.0])),
        brain,
        tissues,
        (parameters),
    )


def make(run, **settings):
    series, brain, tissues, parameters = run
    centre = np.array([20.0, 20, 20])
    return confounds.make_confounds(
        series,
        brain,
        tissues,
        motion=np.stack([rigid_matrix(row, centre) for row in parameters]),
        centre=centre,
        non_steady=2,
        TR=TR,
        settings=shipped(confounds.ConfoundSettings, **settings),
    )


def test_framewise_displacement_equals_nipypes(run, tmp_path):
    parameters = run[3]
    path = tmp_path / "motion.txt"
    # FSL's order: rotations first.
    np.savetxt(path, parameters[:, [3, 4, 5, 0, 1, 2]])
    node = FramewiseDisplacement(
        in_file=str(path),
        parameter_source="FSL",
        radius=50,
        out_file=str(tmp_path / "fd.txt"),
        save_plot=False,
    )
    node.run(cwd=str(tmp_path))
    expected = np.loadtxt(tmp_path / "fd.txt", skiprows=1)
    found = confounds.framewise_displacement(parameters, 50)
    assert np.isnan(found[0])
    np.testing.assert_allclose(found[1:], expected, atol=1e-6)


def test_dvars_equals_nipypes(run, tmp_path, monkeypatch):
    # nipype takes the lag-1 coefficient from nitime, which is not installed; statsmodels' is the
    # same Yule-Walker estimate.
    monkeypatch.setattr(
        "nipype.algorithms.confounds._AR_est_YW",
        lambda x, order: yule_walker(np.asarray(x, float), order, method="mle")[0],
    )
    series, brain, _, _ = run
    nib.save(series, tmp_path / "bold.nii.gz")
    nib.save(nib.Nifti1Image(brain.astype(np.uint8), series.affine), tmp_path / "mask.nii.gz")
    standardised, plain, _ = compute_dvars(
        str(tmp_path / "bold.nii.gz"), str(tmp_path / "mask.nii.gz"), remove_zerovariance=True
    )
    found_plain, found_standardised = confounds.dvars(np.asarray(series.dataobj)[brain])
    np.testing.assert_allclose(found_plain[1:], plain, rtol=1e-6)
    np.testing.assert_allclose(found_standardised[1:], standardised, rtol=1e-6)


def test_columns_are_those_of_fmriprep(run):
    table, metadata = make(run)
    for name in (*confounds.MOTION, "csf", "white_matter", "global_signal"):
        for suffix in ("", "_derivative1", "_power2", "_derivative1_power2"):
            assert f"{name}{suffix}" in table
    assert {"framewise_displacement", "dvars", "std_dvars", "cosine00"} <= set(table)
    assert {"non_steady_state_outlier00", "non_steady_state_outlier01"} <= set(table)
    spikes = table.filter(like="motion_outlier").to_numpy()
    assert (spikes.sum(axis=0) == 1).all()
    assert spikes[100].sum() == 1
    for prefix, mask in (("a", "combined"), ("c", "CSF"), ("w", "WM")):
        said = metadata[f"{prefix}_comp_cor_00"]
        assert said["Mask"] == mask
        assert said["Method"] == "aCompCor"
        assert said["Retained"] is True
    assert metadata["t_comp_cor_00"]["Method"] == "tCompCor"
    kept = [name for name in table if name.startswith("a_comp_cor")]
    last = metadata[kept[-1]]["CumulativeVarianceExplained"]
    before = metadata[kept[-2]]["CumulativeVarianceExplained"]
    assert before < 0.5 <= last


def test_components_are_zero_before_the_steady_state_and_free_of_drift(run):
    table, _ = make(run)
    component = table["a_comp_cor_00"].to_numpy()
    assert (component[:2] == 0).all()
    cosines = table.filter(like="cosine").to_numpy()
    np.testing.assert_allclose(cosines.T @ component, 0, atol=1e-5)


def test_tissue_signal_is_the_mean_of_its_eroded_mask(run):
    series, brain, tissues, _ = run
    table, _ = make(run)
    # White matter touches grey in its last layer, which is left out.
    inner = brain.copy()
    inner[:2] = inner[4:] = False
    expected = np.asarray(series.dataobj)[inner].mean(axis=0)
    np.testing.assert_allclose(table["white_matter"], expected, rtol=1e-5)


def test_a_tissue_that_is_absent_is_said_and_survived(run, caplog):
    series, brain, tissues, parameters = run
    bare = {**tissues, "CSF": np.zeros(SHAPE)}
    table, metadata = make((series, brain, bare, parameters))
    assert "no voxels in mask CSF" in caplog.text
    assert not any(name.startswith("c_comp_cor") for name in metadata)
    assert (table["csf"] == 0).all()


@pytest.fixture(scope="module")
def folder(run, tmp_path_factory):
    func = tmp_path_factory.mktemp("preprocessed") / "sub-01" / "func"
    stem = "sub-01_task-film_run-1"
    table, metadata = make(run)
    write_table(func / f"{stem}_desc-confounds_timeseries.tsv", table)
    write_json(func / f"{stem}_desc-confounds_timeseries.json", metadata)
    series = func / f"{stem}_space-MNI152NLin2009aSym_desc-preproc_bold.nii.gz"
    nib.save(run[0], series)
    return series


@pytest.mark.parametrize("strategy", ["simple", "scrubbing", "compcor"])
def test_nilearn_reads_the_folder_as_if_it_were_fmripreps(folder, strategy):
    found, kept = load_confounds_strategy(str(folder), denoise_strategy=strategy)
    assert len(found) == N
    assert found.notna().all().all()
    assert not {0, 1} & set(kept.tolist()), "the unsteady start is left out"
    if strategy == "scrubbing":
        assert 100 not in kept
    if strategy == "compcor":
        assert any(name.startswith("a_comp_cor") for name in found)


@pytest.mark.parametrize(("motion", "n"), [("basic", 6), ("derivatives", 12), ("full", 24)])
def test_cleaning_takes_as_many_motion_regressors_as_it_is_told(folder, motion, n):
    found = choose_confounds(folder, "simple", motion=motion).table
    assert sum(name.startswith(("trans_", "rot_")) for name in found) == n
    assert not any(name.startswith("cosine") for name in found)


def test_nilearn_reads_every_kind_of_confound(folder):
    found, _ = load_confounds(
        str(folder),
        strategy=("motion", "high_pass", "wm_csf", "global_signal", "compcor"),
        motion="full",
        wm_csf="full",
        global_signal="full",
        compcor="temporal_anat_separated",
        n_compcor=2,
    )
    for name in ("t_comp_cor_00", "c_comp_cor_00", "w_comp_cor_00"):
        assert name in found, "nilearn's separated CompCor"
    assert "global_signal_derivative1_power2" in found
