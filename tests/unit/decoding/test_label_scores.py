import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import average_precision_score

from stim2bold.decoding.label_scores import (
    average_precision,
    calibration_error,
    over_folds,
    reliability,
    shifted_gains,
)


@pytest.mark.parametrize("digits", [1, 8])
def test_average_precision_is_that_of_sklearn_with_ties_and_without(digits):
    rng = np.random.default_rng(0)
    score = rng.random(60).round(digits)
    present = (rng.random((20, 60)) < 0.3).astype(float)
    expected = [average_precision_score(row, score) for row in present]
    np.testing.assert_allclose(average_precision(present, score), expected)


def test_a_constant_ranking_has_the_base_rate_and_no_positive_has_none():
    found = average_precision(np.array([[1.0, 0, 0, 1], [0, 0, 0, 0]]), np.ones(4))
    assert found[0] == 0.5 and np.isnan(found[1])


def test_folds_count_by_their_positives_and_only_with_both_kinds():
    fold = np.repeat([0, 1, 2, 3], 4)
    score = np.tile([4.0, 3, 2, 1], 4)
    present = np.array([[1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1.0]])
    found, base = over_folds(present, score, fold)
    second = average_precision_score(present[0, 4:8], score[4:8])
    assert found[0] == pytest.approx((1 * 1.0 + 2 * second) / 3)
    assert base[0] == pytest.approx((1 * 0.25 + 2 * 0.5) / 3)
    found, _ = over_folds(np.zeros((1, 16)), score, fold)
    assert np.isnan(found[0])


def test_reliability_is_sklearns_curve():
    rng = np.random.default_rng(1)
    probability = rng.random(500)
    present = (rng.random(500) < probability**2).astype(float)
    observed, mean = calibration_curve(present, probability, n_bins=10, strategy="quantile")
    table = reliability(probability, present)
    np.testing.assert_allclose(table["observed"], observed, atol=0.02)
    np.testing.assert_allclose(table["probability"], mean, atol=0.02)
    expected = np.abs(probability**2 - probability).mean()
    assert calibration_error(probability, present) == pytest.approx(expected, abs=0.03)


def test_shifts_keep_the_number_of_positives_and_lose_the_match():
    rng = np.random.default_rng(2)
    score = np.repeat(rng.random(100), 4)
    present = (score > 0.7).astype(float)
    fold = np.repeat([0, 1, 2, 3], 100)
    gain = shifted_gains(present, score, fold, tr=0.6, period=60.0)
    found, base = over_folds(present[None], score, fold)
    assert found[0] == 1.0
    assert gain.max() < found[0] - base[0]
    assert abs(gain.mean()) < 0.1
