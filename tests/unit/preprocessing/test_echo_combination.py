"""Echoes combined by T2*, against planted decays and a slow, obvious loop."""

import json
import sys

import nibabel as nib
import numpy as np
import pytest

import preprocess_resample
from stim2bold.preprocessing.echo_combination import combine_echoes, fit_T2star, usable_echoes
from stim2bold.preprocessing.itk_affines import write_matrices

TIMES = np.array([0.013, 0.029, 0.045])
SHAPE = (6, 5, 4)


def decaying(rng, *, T2star, noise, n_volumes=80):
    """Return echoes of voxels whose T2* follows a planted course, and that course."""
    S0 = rng.uniform(800, 1200, T2star.shape)[..., None]
    course = np.sin(2 * np.pi * np.arange(n_volumes) / 16)
    rate = 1 / T2star[..., None] * (1 - 0.03 * course)
    echoes = np.stack([S0 * np.exp(-time * rate) for time in TIMES])
    echoes += rng.normal(0, noise, echoes.shape)
    return np.maximum(echoes, 0).astype(np.float32), course


def test_planted_T2star_is_found():
    rng = np.random.default_rng(1)
    planted = rng.uniform(0.02, 0.06, 500)
    echoes, _ = decaying(rng, T2star=planted, noise=1)
    found = fit_T2star(echoes, TIMES, np.full(500, 3))
    np.testing.assert_allclose(found, planted, rtol=0.02)


def test_the_combination_shows_a_course_better_than_every_echo_and_their_mean():
    rng = np.random.default_rng(2)
    echoes, course = decaying(rng, T2star=rng.uniform(0.015, 0.06, SHAPE), noise=12)
    series, _ = combine_echoes(echoes, TIMES, np.ones(SHAPE, bool))

    def clarity(data):
        return np.mean([np.corrcoef(voxel, course)[0, 1] for voxel in data.reshape(-1, 80)])

    assert clarity(series) > max(clarity(data) for data in echoes) + 0.05
    assert clarity(series) > clarity(echoes.mean(axis=0)) + 0.005


def test_it_equals_a_loop_over_voxels():
    rng = np.random.default_rng(3)
    T2star = rng.uniform(0.02, 0.06, SHAPE)
    echoes, _ = decaying(rng, T2star=T2star, noise=5)
    # Signal that is lost after the second echo, as near the sinuses.
    echoes[2, :2] = rng.uniform(1, 5, echoes[2, :2].shape)
    series, fitted = combine_echoes(echoes, TIMES, np.ones(SHAPE, bool))
    for voxel in np.ndindex(SHAPE):
        n = 2 if voxel[0] < 2 else 3
        own = echoes[(slice(n), *voxel)].astype(float)
        x, y = np.repeat(TIMES[:n], own.shape[1]), np.log(own.ravel() + 1)
        T2 = -1 / np.polyfit(x, y, 1)[0]
        weights = TIMES[:n] * np.exp(-TIMES[:n] / T2)
        assert fitted[voxel] == pytest.approx(T2, rel=1e-3)
        np.testing.assert_allclose(series[voxel], np.average(own, axis=0, weights=weights), 1e-4)


def test_voxels_outside_the_brain_do_not_set_what_counts_as_signal():
    rng = np.random.default_rng(4)
    echoes, _ = decaying(rng, T2star=np.full(300, 0.03), noise=2)
    brain = np.arange(300) < 100
    echoes[:, ~brain] *= 0.001
    assert set(usable_echoes(echoes, brain)[brain]) == {3}
    assert set(usable_echoes(echoes, brain)[~brain]) == {2}


def test_signal_that_does_not_decay_or_is_absent_stays_finite():
    echoes = np.ones((3, 4, 10), np.float32) * np.array([100, 100, 0, 50])[:, None]
    echoes[1:, 1] = 200
    echoes[1, 3] = 1e-6
    series, T2star = combine_echoes(echoes.reshape(3, 4, 1, 1, 10), TIMES, np.ones((4, 1, 1), bool))
    assert np.isfinite(series).all() and (T2star > 0).all()
    assert (series[2] == 0).all() and series[0].ravel() == pytest.approx(100)


def test_the_step_resamples_every_echo_and_combines_them(tmp_path, monkeypatch):
    rng = np.random.default_rng(5)
    shape = (8, 8, 8)
    echoes, _ = decaying(rng, T2star=rng.uniform(0.02, 0.05, shape), noise=2, n_volumes=24)
    affine = np.diag([3.0, 3, 3, 1])
    root = tmp_path / "raw" / "sub-1" / "func"
    out = tmp_path / "out" / "sub-1" / "func" / "sub-1_space-T1w_desc-preproc_bold.nii.gz"
    for folder in (root, out.parent):
        folder.mkdir(parents=True)
    files = []
    for number, data in enumerate(echoes, 1):
        image = nib.Nifti1Image(data, affine)
        image.header.set_zooms((3, 3, 3, 1))
        image.header.set_xyzt_units("mm", "sec")
        files.append(root / f"sub-1_task-film_echo-{number}_bold.nii.gz")
        image.to_filename(files[-1])
    sidecar, motion, brain = (out.parent / name for name in ("a.json", "m.txt", "brain.nii.gz"))
    sidecar.write_text(json.dumps({"RepetitionTime": 1.0, "EchoTime": 0.013}))
    write_matrices(motion, np.stack([np.eye(4)] * 24))
    nib.Nifti1Image(np.ones(shape, np.uint8), affine).to_filename(brain)
    arguments = {
        "--bold": files,
        "--sidecars": [sidecar],
        "--motion": [motion],
        "--coregistration": [],
        "--normalisation": [],
        "--brain": [brain],
        "--space": ["T1w"],
        "--series": [out],
        "--mask": [out.with_name("mask.nii.gz")],
        "--reference": [out.with_name("reference.nii.gz")],
        "--derivatives": [tmp_path / "out"],
        "--settings": [json.dumps({"resolution": "native", "echo_times": list(TIMES)})],
    }
    words = [str(word) for key, values in arguments.items() for word in (key, *values)]
    monkeypatch.setattr(sys, "argv", ["preprocess_resample.py", *words])
    preprocess_resample.main()
    expected, _ = combine_echoes(echoes, TIMES, np.ones(shape, bool))
    # Nothing moves: where the grid's voxels are those of the series, so are their values.
    found = nib.load(out)
    assert found.shape == (*shape, 24)
    np.testing.assert_allclose(found.get_fdata(), expected, rtol=2e-3)
    said = json.loads(out.with_suffix("").with_suffix(".json").read_text())
    assert said["EchoTimes"] == list(TIMES) and len(said["Sources"]) == 4
