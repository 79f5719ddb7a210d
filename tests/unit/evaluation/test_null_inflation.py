import dataclasses

import numpy as np
import pytest
from planted_problem import fold_content, problem
from scipy.signal import lfilter
from scipy.stats import kstest
from shipped import shipped

from stim2bold.evaluation.metrics import comparable
from stim2bold.evaluation.null_inflation import chance_spread, random_phases
from stim2bold.evaluation.significance import phase_test
from stim2bold.models.folds import read_folds
from stim2bold.models.ridge import RidgeSettings, predict_ridge

SETTINGS = shipped(RidgeSettings, components=20)


@pytest.fixture(scope="module")
def null():
    """Ridge, fitted fold by fold to slow noise."""
    content = fold_content(n_blocks=13, seconds=30.0)
    task, _ = problem(content, n_voxels=400)
    noise = np.random.default_rng(1).standard_normal(task.target.shape)
    noise = lfilter([1.0], [1, -0.45], noise, axis=0).astype(np.float32)
    task = dataclasses.replace(task, target=noise)
    folds = read_folds(content)
    fitted = predict_ridge(task, folds, SETTINGS)
    pair = comparable(task.target[fitted.rows], fitted.values, fitted.fold)
    return task, folds, pair, fitted.fold


def test_folds_that_learn_from_each_other_widen_chance(null):
    task, folds, pair, fold = null
    spread = chance_spread(task, folds, SETTINGS, n=400)
    # The bound for linear models is sqrt(2); the estimate has an error of its own.
    assert 1.1 < spread < 1.55
    plain = phase_test(*pair, fold, seed=0, n=999)
    right = phase_test(*pair, fold, seed=0, n=999, spread=spread)
    # Random phases alone call too much significant; with the spread p has the level it claims.
    assert (plain.p < 0.05).mean() > 0.07
    assert abs((right.p < 0.05).mean() - 0.05) < 0.03
    assert kstest(right.p, "uniform").statistic < kstest(plain.p, "uniform").statistic


def test_random_phases_keep_the_spectrum_and_what_frames_share():
    values = np.random.default_rng(0).standard_normal((100, 3, 5)).cumsum(axis=0)
    values -= values.mean(axis=0)
    turned = random_phases(values, seed=1)
    a, b = (np.abs(np.fft.rfft(x, axis=0))[1:-1] for x in (values, turned))
    np.testing.assert_allclose(a, b, atol=1e-8)
    for column in range(5):
        np.testing.assert_allclose(
            np.corrcoef(values[:, :, column].T), np.corrcoef(turned[:, :, column].T), atol=0.02
        )
    assert abs(np.corrcoef(values[:, 0, 0], turned[:, 0, 0])[0, 1]) < 0.9
