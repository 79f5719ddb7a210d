import dataclasses

import numpy as np
import pytest
from planted_problem import fold_content, problem
from shipped import shipped

from stim2bold.evaluation.metrics import voxel_r
from stim2bold.models.folds import read_folds
from stim2bold.models.leakage import check_prediction
from stim2bold.vae.reconstruction import reconstruct
from stim2bold.vae.settings import VAESettings
from stim2bold.vae.storage import read_model, write_model
from stim2bold.vae.training import fit


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    content = fold_content()
    task, _ = problem(content)
    settings = shipped(VAESettings, components=20, latents=20, rank=24, steps=0, seeds=2)
    found = fit(task, read_folds(content), settings)
    path = tmp_path_factory.mktemp("model") / "m.safetensors"
    write_model(path, found.tensors, found.record)
    return content, task, found, read_model(path)


def test_latents_that_see_the_target_hold_more_of_it_than_can_be_predicted(trained):
    content, task, found, model = trained
    again = reconstruct(task, read_folds(content), *model)
    np.testing.assert_array_equal(again["row"], np.sort(found.fitted.rows))
    order = np.argsort(found.fitted.rows)
    truth = task.target[again["row"].values]
    fold = again["fold"].values
    seen = voxel_r(truth, again.values, fold)
    predicted = voxel_r(truth, found.fitted.values[order], fold)
    # Only the planted half has anything that latents carry.
    assert seen[:20].mean() > predicted[:20].mean() + 0.1
    assert seen[:20].mean() > 0.5


def test_only_the_held_out_rows_own_target_changes_them(trained):
    content, task, _, model = trained
    folds = read_folds(content)
    again = reconstruct(task, folds, *model)
    changed = task.target.copy()
    changed[folds[0].train[50]] += 50.0
    other = reconstruct(dataclasses.replace(task, target=changed), folds, *model)
    first = again["fold"].values == folds[0].number
    far = np.abs(again["row"].values - folds[0].train[50]) > 40
    np.testing.assert_array_equal(again.values[first & far], other.values[first & far])


def test_it_says_what_it_was_fitted_on(trained):
    content, task, _, model = trained
    again = reconstruct(task, read_folds(content), *model)
    assert check_prediction(again.attrs, again, content, name="x") == []
