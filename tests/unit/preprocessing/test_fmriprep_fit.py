"""Raw series through transforms as fMRIPrep writes them, against ITK's own resampling."""

import json
import sys

import ants
import nibabel as nib
import numpy as np
import planted_head
import pytest
from itk_files import write_affines, write_composite
from scipy import ndimage

import preprocess_resample
from stim2bold.preprocessing import itk_affines, registration
from stim2bold.runtime.errors import InputError

TR, SPACE = 2.0, "MNI152NLin2009cAsym"
CENTRE = (3.0, -20.0, 11.0)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """A planted head's raw run, and planted transforms of each kind in fMRIPrep's files."""
    root = tmp_path_factory.mktemp("fitted")
    head = planted_head.planted_head(7, voxel=4.0)
    run = planted_head.planted_run(head, 3, n_volumes=21, shape=(42, 50, 34), voxel=4.5, tr=TR)
    func, anat = root / "sub-01" / "func", root / "sub-01" / "anat"
    func.mkdir(parents=True)
    bold = planted_head.stored(run.bold, ("L", "A", "S"), sform=True, qform=True)
    bold.header.set_zooms((*bold.header.get_zooms()[:3], TR))
    bold.to_filename(func / "sub-01_task-film_bold.nii.gz")
    (func / "sub-01_task-film_bold.json").write_text(json.dumps({"RepetitionTime": TR}))
    write_affines(func / "hmc_xfm.txt", run.moved)
    write_affines(func / "coreg_xfm.txt", np.linalg.inv(run.to_t1w), centre=CENTRE)
    rng = np.random.default_rng(5)
    field = np.stack([ndimage.gaussian_filter(rng.normal(size=(40, 46, 40)), 4) for _ in "xyz"], -1)
    affine = np.diag([5.0, 5, 5, 1])
    affine[:3, 3] = (-98, -134, -72)
    linear = planted_head.rigid((3, -4, 5), (4, -3, 2)) @ np.diag([1.05, 0.96, 1.02, 1])
    write_composite(anat / "xfm.h5", linear, 5 * field / field.std(), affine)
    mask = nib.Nifti1Image(head.brain.astype(np.uint8), head.t1w.affine)
    mask.to_filename(anat / "sub-01_desc-brain_mask.nii.gz")
    return root


def resampled(root, out, monkeypatch, *, coregistration="coreg_xfm.txt", sidecar=None):
    """Run the step as its rule does; return series, mask and sidecar."""
    func, anat = root / "sub-01" / "func", root / "sub-01" / "anat"
    made = out / "sub-01" / "func" / f"sub-01_task-film_space-{SPACE}"
    arguments = {
        "--bold": func / "sub-01_task-film_bold.nii.gz",
        "--sidecars": sidecar or func / "sub-01_task-film_bold.json",
        "--motion": func / "hmc_xfm.txt",
        "--coregistration": func / coregistration,
        "--normalisation": anat / "xfm.h5",
        "--brain": anat / "sub-01_desc-brain_mask.nii.gz",
        "--space": SPACE,
        "--series": f"{made}_desc-preproc_bold.nii.gz",
        "--mask": f"{made}_desc-brain_mask.nii.gz",
        "--reference": f"{made}_boldref.nii.gz",
        "--derivatives": out,
        "--settings": json.dumps({"resolution": "native", "echo_times": []}),
    }
    words = [str(word) for pair in arguments.items() for word in pair]
    monkeypatch.setattr(sys, "argv", ["preprocess_resample.py", *words])
    preprocess_resample.main()
    series = nib.load(arguments["--series"])
    mask = np.asarray(nib.load(arguments["--mask"]).dataobj) > 0
    return series, mask, json.loads(open(f"{made}_desc-preproc_bold.json").read())


def by_itk(root, grid, volume, tmp_path):
    """Bring one volume to a grid through the same files by ITK, with its cubic B-splines."""
    func, anat = root / "sub-01" / "func", root / "sub-01" / "anat"
    lines = (func / "hmc_xfm.txt").read_text().splitlines()
    one = tmp_path / "one.txt"
    one.write_text("\n".join([lines[0], *lines[1 + 4 * volume : 5 + 4 * volume]]) + "\n")
    raw = nib.load(func / "sub-01_task-film_bold.nii.gz")
    moving = nib.Nifti1Image(np.asarray(raw.dataobj[..., volume]), raw.affine)
    files = [str(path) for path in (anat / "xfm.h5", func / "coreg_xfm.txt", one)]
    found = ants.apply_transforms(
        registration.to_ants(grid), registration.to_ants(moving), files, interpolator="bSpline"
    )
    return found.numpy()


def test_a_raw_series_lies_where_itk_puts_it(fitted, tmp_path, monkeypatch):
    series, mask, said = resampled(fitted, tmp_path, monkeypatch)
    assert mask.sum() * np.prod(series.header.get_zooms()[:3]) > 0.9e6
    assert said["NonSteadyStateVolumes"] == 0 and said["RepetitionTime"] == TR
    grid = nib.Nifti1Image(np.zeros(series.shape[:3], np.uint8), series.affine)
    data = np.asarray(series.dataobj)
    for volume in (0, 7, 20):
        expected = by_itk(fitted, grid, volume, tmp_path)
        assert np.corrcoef(data[mask][:, volume], expected[mask])[0, 1] >= 0.999
    # And nowhere else: a transform in the wrong direction is told apart.
    write_affines(
        fitted / "sub-01" / "func" / "inverse_xfm.txt",
        np.linalg.inv(itk_affines.read_matrices(fitted / "sub-01" / "func" / "coreg_xfm.txt")[0]),
    )
    wrong, _, _ = resampled(
        fitted, tmp_path / "wrong", monkeypatch, coregistration="inverse_xfm.txt"
    )
    both = mask & np.asarray(wrong.dataobj).any(-1)
    assert np.corrcoef(np.asarray(wrong.dataobj)[both][:, 20], expected[both])[0, 1] < 0.95


def test_an_affine_turns_about_its_centre(tmp_path):
    matrix = planted_head.rigid((1, 2, -3), (10, -5, 7), (30, 20, 10)) @ np.diag([1.1, 0.9, 1, 1])
    write_affines(tmp_path / "xfm.txt", matrix, centre=CENTRE)
    np.testing.assert_allclose(itk_affines.read_matrices(tmp_path / "xfm.txt")[0], matrix)
    itk = registration.matrix_of(ants.read_transform(str(tmp_path / "xfm.txt")))
    np.testing.assert_allclose(itk, matrix, atol=1e-6)


@pytest.mark.parametrize("text", ["", "Parameters: 0 0 0 1 2 3\nFixedParameters: 0 0 0\n", "é"])
def test_what_holds_no_affine_is_refused(tmp_path, text):
    path = tmp_path / "xfm.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="no affine transforms of ITK"):
        itk_affines.read_matrices(path)


def test_non_steady_volumes_are_counted_in_the_raw_series(fitted, tmp_path, monkeypatch):
    path = fitted / "sub-01" / "func" / "sub-01_task-film_bold.nii.gz"
    raw = nib.load(path)
    whole = np.asarray(raw.dataobj).copy()
    bright = whole.copy()
    bright[..., :2] *= 1.4
    nib.Nifti1Image(bright, raw.affine, raw.header).to_filename(path)
    try:
        _, _, said = resampled(fitted, tmp_path, monkeypatch)
    finally:
        nib.Nifti1Image(whole, raw.affine, raw.header).to_filename(path)
    assert said["NonSteadyStateVolumes"] == 2
