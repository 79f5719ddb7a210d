import dataclasses

import numpy as np
import pytest
from planted_problem import TR, fold_content, problem
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


def test_blocks_that_come_again_are_no_chance():
    # Source and targets have the period of the blocks and little else: what is learned of one fold
    # holds in the others, whatever a target's phase.
    content = fold_content(n_blocks=13, seconds=30.0)
    task, _ = problem(content, n_voxels=100)
    rng = np.random.default_rng(0)
    turn = 2 * np.pi * np.arange(len(task.source)) * TR / 60.0
    source, target = (
        np.cos(turn[:, None] + rng.uniform(0, 2 * np.pi, n))
        + 0.2 * rng.standard_normal((len(turn), n))
        for n in (20, 100)
    )
    task = dataclasses.replace(
        task,
        source=source.astype(np.float32),
        target=target[: len(task.target)].astype(np.float32),
    )
    assert 1.1 < chance_spread(task, read_folds(content), SETTINGS, n=400) < 1.55


def test_random_phases_keep_the_spectrum_and_what_frames_share():
    values = np.random.default_rng(0).standard_normal((100, 3, 5)).cumsum(axis=0)
    fold = np.repeat([0, 1], [60, 40])
    turned = random_phases(values, fold, seed=1)
    for number in (0, 1):
        before, after = values[fold == number], turned[fold == number]
        a, b = (np.abs(np.fft.rfft(x - x.mean(axis=0), axis=0))[:-1] for x in (before, after))
        np.testing.assert_allclose(a, b, atol=1e-8)
        for column in range(5):
            np.testing.assert_allclose(
                *(np.corrcoef(x[:, :, column].T) for x in (before, after)), atol=0.02
            )
        assert abs(np.corrcoef(before[:, 0, 0], after[:, 0, 0])[0, 1]) < 0.9
