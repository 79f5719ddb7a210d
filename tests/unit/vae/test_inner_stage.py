from dataclasses import replace

import numpy as np
import pytest
from planted_problem import fold_content, problem
from shipped import shipped

from stim2bold.models.folds import read_folds
from stim2bold.models.predictions import inner_folds
from stim2bold.vae.initialisation import inner_task, prepare
from stim2bold.vae.inner_stage import SMALLEST_SLOPE, least_error, safe_slope
from stim2bold.vae.settings import VAESettings
from stim2bold.vae.training import fit

SMALL = shipped(VAESettings, components=15, latents=8, hidden=0, units=0, seeds=1, steps=0, rank=60)


@pytest.fixture(scope="module")
def content():
    return fold_content(n_blocks=13, inner=3)


@pytest.mark.parametrize(
    ("products", "powers", "slope"),
    [
        ([6.0, 3.0, 9.0], [10.0, 5.0, 15.0], 0.6),
        ([12.0, 6.0], [10.0, 5.0], 1.0),
        ([-1.0, -2.0], [1.0, 2.0], SMALLEST_SLOPE),
        ([0.0, 0.0], [0.0, 0.0], SMALLEST_SLOPE),
        ([4.0], [10.0], 0.4),
        # Two parts of equal size: the mean of 0.2 and 0.8, less the standard error of that mean.
        ([2.0, 8.0], [10.0, 10.0], 0.5 - 0.3),
    ],
)
def test_slope(products, powers, slope):
    assert safe_slope(np.array(products), np.array(powers)) == pytest.approx(slope)


@pytest.mark.parametrize(
    ("errors", "clearly", "any_gain"),
    [
        # Three inner folds alike gain, most at the third step.
        ([[1, 1, 1], [0.9, 0.9, 0.8], [0.7, 0.8, 0.7], [0.8, 0.8, 0.9]], 2, 2),
        # One gains and the others lose: less on average, and no more than chance.
        ([[1, 1, 1], [0.7, 1.02, 1.01]], 0, 1),
        # The least is unsure, another is not.
        ([[1, 1, 1], [0.95, 0.95, 0.96], [0.5, 1.1, 1.1]], 1, 2),
        ([[1, 1, 1], [1.1, 1.2, 1.1]], 0, 0),
        # All gain, next to nothing and unevenly.
        ([[1, 1, 1], [0.999, 0.9999, 0.99]], 0, 1),
        # A step is sure; a later one gains more in all, and unevenly.
        ([[1, 1, 1], [0.95, 0.95, 0.96], [0.4, 0.9, 0.94]], 2, 2),
        # One inner fold knows of no chance.
        ([[1.0], [0.9]], 1, 1),
    ],
)
def test_a_network_takes_steps_where_inner_folds_are_sure_of_them(errors, clearly, any_gain):
    assert least_error(np.array(errors), clearly=True) == clearly
    assert least_error(np.array(errors), clearly=False) == any_gain


def squared_errors(planted, trained, folds):
    """Return squared errors on held-out rows: of predictions, of those not calibrated, of means."""
    found = np.zeros(3)
    for fold, record in zip(folds, trained.record["folds"], strict=True):
        mean, scale = (trained.tensors[f"target_{key}/{fold.number}"] for key in ("mean", "scale"))
        truth = (planted.target[fold.test - planted.rows[0]] - mean) / scale
        guess = (trained.fitted.values[trained.fitted.fold == fold.number] - mean) / scale
        for i, part in enumerate((guess, guess / record["slope"], 0)):
            found[i] += ((truth - part) ** 2).sum()
    return found


def test_what_is_not_known_is_predicted_small_and_what_is_known_is_not(content):
    """Of half of the targets a little can be predicted; then of none anything; then of all most."""
    folds = read_folds(content)
    half, _ = problem(content, noise=4.0)
    rng = np.random.default_rng(8)
    none = replace(half, target=rng.permutation(half.target).astype(np.float32))
    clean, _ = problem(content, noise=0.02)
    clean = replace(clean, target=clean.target[:, :20])
    slopes = {}
    for name, planted in (("half", half), ("none", none), ("all", clean)):
        trained = fit(planted, folds, SMALL)
        slopes[name] = np.mean([record["slope"] for record in trained.record["folds"]])
        calibrated, plain, mean = squared_errors(planted, trained, folds)
        if name != "all":
            assert calibrated < plain
        assert calibrated < 1.005 * mean
    assert slopes["none"] < slopes["half"] < slopes["all"]
    assert slopes["all"] > 0.9


def test_noise_is_that_about_the_prediction(content):
    """Intervals are as wide as held-out errors tell, target by target."""
    folds = read_folds(content)
    planted, _ = problem(content)
    trained = fit(planted, folds, SMALL)
    expected = np.zeros(planted.target.shape[1])
    for fold in folds:
        mean, scale = (trained.tensors[f"target_{key}/{fold.number}"] for key in ("mean", "scale"))
        guess = trained.fitted.values[trained.fitted.fold == fold.number]
        error = (planted.target[fold.test - planted.rows[0]] - guess) / scale
        expected += (error**2).mean(axis=0) / len(folds)
    noise = np.mean([trained.tensors[f"target_noise/{fold.number}"] for fold in folds], axis=0)
    assert np.corrcoef(noise, expected)[0, 1] > 0.7
    assert noise.mean() == pytest.approx(expected.mean(), rel=0.05)


def test_rows_held_out_by_an_inner_fold_do_not_shape_its_task(content):
    planted, _ = problem(content)
    fold = read_folds(content)[0]
    split = inner_folds(planted, fold)[0]
    changed = planted.source.copy()
    changed[split.test - planted.first_row] += 5
    target = planted.target.copy()
    target[split.test - planted.rows[0]] += 5
    other = replace(planted, source=changed, target=target)
    of_fold = [prepare(one, fold, SMALL) for one in (planted, other)]
    of_inner = [
        inner_task(task, one, split, SMALL)
        for task, one in zip(of_fold, (planted, other), strict=True)
    ]
    assert np.abs(of_fold[0].design.mean - of_fold[1].design.mean).max() > 0.1
    assert np.abs(of_fold[0].mean - of_fold[1].mean).min() > 0.1
    np.testing.assert_array_equal(of_inner[0].mean, of_inner[1].mean)
    np.testing.assert_array_equal(of_inner[0].design.mean, of_inner[1].design.mean)
    np.testing.assert_array_equal(of_inner[0].design.loadings, of_inner[1].design.loadings)


def test_a_space_that_an_inner_fold_does_not_see_vary(content):
    """As words of a film in which one block alone has any: the models are trained all the same."""
    planted, _ = problem(content)
    fold = read_folds(content)[0]
    split = inner_folds(planted, fold)[0]
    source = planted.source.copy()
    n_first = source.shape[1] // 2
    source[split.train - planted.first_row, n_first:] = 0
    silent = replace(planted, source=source, spaces=(n_first, source.shape[1] - n_first))
    task = prepare(silent, fold, SMALL)
    assert inner_task(task, silent, split, SMALL).design is task.design
    assert np.isfinite(fit(silent, [fold], SMALL).fitted.values).all()
