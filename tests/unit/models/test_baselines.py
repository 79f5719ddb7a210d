import dataclasses

import numpy as np
import pytest
import xarray as xr
from planted_problem import fold_content, problem
from scipy.linalg import lstsq
from shipped import shipped
from sklearn.linear_model import Ridge

from stim2bold.evaluation.metrics import voxel_r
from stim2bold.models.baselines import (
    film_problem,
    fit_baselines,
    predict_least_squares,
    predict_mean,
    wrong_moment,
)
from stim2bold.models.design_matrix import fit_design
from stim2bold.models.folds import read_folds, row_times
from stim2bold.models.ridge import RidgeSettings, predict_ridge


@pytest.fixture(scope="module")
def content():
    return fold_content()


@pytest.fixture(scope="module")
def planted(content):
    return problem(content)


def test_mean_is_the_training_mean(content, planted):
    task, _ = planted
    folds = read_folds(content)
    fitted = predict_mean(task, folds)
    for fold in folds:
        here = fitted.fold == fold.number
        np.testing.assert_array_equal(fitted.rows[here], fold.test)
        expected = task.target[fold.train].mean(axis=0)
        np.testing.assert_allclose(fitted.values[here], np.tile(expected, (here.sum(), 1)))
        np.testing.assert_array_equal(fitted.fitted[fold.number], fold.train)


def test_blocks_are_least_squares(content, planted):
    task, labels = planted
    folds = read_folds(content)
    fitted = predict_least_squares(task, folds, known=labels, filters=task.filters())
    fold = folds[1]
    delayed = task.filters().apply(labels)
    design = np.column_stack([np.ones(len(labels)), delayed])
    # Only approximately redundant with the intercept: drop one label.
    weights, *_ = lstsq(design[fold.train][:, :2], task.target[fold.train])
    expected = design[fold.test][:, :2] @ weights
    here = fitted.fold == 1
    r = [np.corrcoef(a, b)[0, 1] for a, b in zip(fitted.values[here].T, expected.T, strict=True)]
    assert np.median(r) > 0.99


def test_ridge_is_sklearns_with_one_penalty(content, planted):
    task, _ = planted
    folds = read_folds(content)
    fitted = predict_ridge(task, folds, shipped(RidgeSettings, components=10, alphas=(1.5, 1.5, 1)))
    fold = folds[2]
    design = fit_design(task.source, fold.train, filters=task.filters(), n_components=10)
    regressors = design.apply(task.source)
    target = task.target[fold.train]
    reference = Ridge(alpha=10**1.5, fit_intercept=False).fit(
        regressors[fold.train], (target - target.mean(axis=0)) / target.std(axis=0)
    )
    expected = reference.predict(regressors[fold.test]) * target.std(axis=0) + target.mean(axis=0)
    np.testing.assert_allclose(fitted.values[fitted.fold == 2], expected, rtol=1e-3, atol=1e-2)


def test_ridge_finds_what_was_planted_and_nothing_else(content, planted):
    task, labels = planted
    fits = dict(
        fit_baselines(
            task,
            read_folds(content),
            content=content,
            known={"blocks": film_table(content, labels, ["music", "speech"])},
            settings=shipped(RidgeSettings, components=20),
        )
    )
    assert set(fits) == {"mean", "elapsed", "blocks", "shuffled", "ridge", "banded"}
    for name in ("elapsed", "shuffled"):
        fitted = fits[name]
        np.testing.assert_array_equal(fitted.rows, fits["ridge"].rows)
        assert abs(voxel_r(task.target[fitted.rows], fitted.values, fitted.fold).mean()) < 0.08
    ridge = fits["ridge"]
    r = voxel_r(task.target[ridge.rows], ridge.values, ridge.fold)
    assert r[:20].mean() > 0.3
    assert abs(r[20:].mean()) < 0.08
    # The score inside training tells planted voxels from the others.
    assert ridge.strength.shape == (3, 40)
    assert ridge.strength[:, :20].mean() > ridge.strength[:, 20:].mean() + 0.05


def film_table(content, values, names):
    return xr.DataArray(
        values,
        dims=("time", "feature"),
        coords={
            "time": row_times(content["n_rows"], tr=content["TR"], film_onset=0.0),
            "feature": names,
        },
        name="table",
    )


def test_sound_is_not_predicted_from_descriptions_of_sound(content, planted):
    task, _ = planted
    names = ["video/luminance", "sound/envelope", "video/face", "sound/words"]
    values = np.random.default_rng(0).standard_normal((content["n_rows"], 4))
    table = film_table(content, values, names)
    assert film_problem(task, table, content).spaces == (4,)
    sound = task.target_array.rename(voxel="feature").drop_vars(list("ijk"), errors="ignore")
    heard = dataclasses.replace(task, target_array=sound)
    problem = film_problem(heard, table, content)
    assert not problem.past and not problem.future
    np.testing.assert_allclose(problem.source, values[:, [0, 2]].astype(np.float32))


def test_the_wrong_moment_keeps_neither_block_nor_its_opposite(content, planted):
    task, labels = planted
    moved = wrong_moment(dataclasses.replace(task, source=labels), content).source
    assert abs(np.corrcoef(moved[:, 0], labels[:, 0])[0, 1]) < 0.2
    np.testing.assert_array_equal(np.sort(moved[:, 0]), np.sort(labels[:, 0]))


def test_banded_ridge_turns_a_space_of_noise_down(content, planted):
    task, _ = planted
    folds = read_folds(content)
    noise = np.random.default_rng(5).standard_normal((len(task.source), 200)).astype(np.float32)
    both = dataclasses.replace(
        task, source=np.concatenate([task.source, noise], axis=1), spaces=(*task.spaces, 200)
    )
    settings = shipped(RidgeSettings, components=20)

    def planted_r(problem, **options):
        fitted = predict_ridge(problem, folds, settings, **options)
        return voxel_r(task.target[fitted.rows], fitted.values, fitted.fold)[:20].mean()

    alone, ridge, banded = planted_r(task), planted_r(both), planted_r(both, banded=True)
    assert banded > ridge + 0.01
    assert banded > alone - 0.05
    # One band is ridge.
    one = predict_ridge(task, folds, dataclasses.replace(settings, bands=()), banded=True)
    np.testing.assert_allclose(one.values, predict_ridge(task, folds, settings).values, rtol=1e-3)


def test_held_out_targets_change_nothing(content, planted):
    task, _ = planted
    fold = read_folds(content)[0]
    changed = task.target.copy()
    changed[np.concatenate([fold.test, fold.gap])] = 1e4
    other = type(task)(**{**task.__dict__, "target": changed})
    settings = shipped(RidgeSettings, components=10)
    one, two = (predict_ridge(p, [fold], settings) for p in (task, other))
    np.testing.assert_array_equal(one.values, two.values)
