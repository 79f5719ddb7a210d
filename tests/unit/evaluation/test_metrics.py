import numpy as np
import pytest
from himalaya.scoring import correlation_score
from himalaya.scoring import r2_score as himalaya_r2
from scipy.stats import pearsonr
from sklearn.metrics import r2_score

from stim2bold.evaluation.metrics import correlation, explained, voxel_r, without

RNG = np.random.default_rng(0)


def test_correlation_is_scipys():
    a, b = RNG.standard_normal((2, 30, 5))
    expected = [pearsonr(x, y).statistic for x, y in zip(a.T, b.T, strict=True)]
    np.testing.assert_allclose(correlation(a, b), expected, atol=1e-12)


def test_a_constant_has_no_correlation():
    a = RNG.standard_normal((30, 2))
    b = a.copy()
    b[:, 1] = 0.1
    r = correlation(a, b)
    assert r[0] == pytest.approx(1)
    assert np.isnan(r[1])


def test_correlation_and_explained_are_himalayas():
    truth, guess = RNG.standard_normal((2, 40, 3))
    guess += truth
    np.testing.assert_allclose(correlation(truth, guess), correlation_score(truth, guess))
    own = explained(truth, guess, mean=truth.mean(axis=0))
    np.testing.assert_allclose(own, himalaya_r2(truth, guess), atol=1e-12)


def test_explained_is_sklearns_when_the_mean_is():
    truth, guess = RNG.standard_normal((2, 40, 3))
    expected = r2_score(truth, guess, multioutput="raw_values")
    np.testing.assert_allclose(explained(truth, guess, mean=truth.mean(axis=0)), expected)
    np.testing.assert_allclose(explained(truth, truth, mean=truth.mean(axis=0)), 1)


def test_no_skill_scores_zero_over_folds():
    # Least squares of noise on a slow regressor, over many columns: the score over all held-out
    # rows must have mean zero. Plain correlation of the concatenated folds has not.
    n, folds = 300, np.repeat(np.arange(3), 100)
    x = np.sin(np.arange(n) / 8.0)[:, None]
    y = RNG.standard_normal((n, 4000))
    guess = np.empty_like(y)
    for number in range(3):
        train, test = folds != number, folds == number
        weights = x[train].T @ (y[train] - y[train].mean(axis=0)) / (x[train] ** 2).sum()
        guess[test] = x[test] @ weights + y[train].mean(axis=0)
    error = 3 / np.sqrt(4000 * 300)
    assert abs(voxel_r(y, guess, folds).mean()) < error
    assert correlation(y, guess).mean() < -3 * error


@pytest.mark.parametrize("n_copies", [1, 40], ids=["few courses", "more courses than rows"])
def test_without_is_the_residual_of_least_squares_in_each_fold(n_copies):
    fold = np.repeat([0, 1], 30)
    course, values = RNG.standard_normal((60, 2)), RNG.standard_normal((60, 4))
    values += course @ RNG.standard_normal((2, 4))
    values[:30] -= values[:30].mean(axis=0)
    values[30:] -= values[30:].mean(axis=0)
    # Further courses that say the same again change nothing.
    further = course @ RNG.standard_normal((2, n_copies))
    out = without(values, np.column_stack([course, further]), fold)
    for number in (0, 1):
        here = fold == number
        design = np.column_stack([np.ones(30), course[here]])
        expected = values[here] - design @ np.linalg.lstsq(design, values[here], rcond=None)[0]
        np.testing.assert_allclose(out[here], expected, atol=1e-12)
    assert (without(course[:, :1] - course[:30, :1].mean(), course, fold)[:30] == 0).all()
