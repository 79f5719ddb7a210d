import numpy as np
import pytest

from stim2bold.evaluation.metrics import voxel_r
from stim2bold.evaluation.moments import contributions, extreme_windows


@pytest.fixture
def course():
    """Measured and predicted, of no relation but at rows 20 to 29 and 70 to 79 of 120."""
    rng = np.random.default_rng(0)
    truth, predicted = 0.3 * rng.standard_normal((2, 120))
    truth[20:30] = truth[70:80] = predicted[20:30] = 2 * np.sin(np.arange(10))
    predicted[70:80] = -truth[70:80]
    return truth, predicted, np.arange(120) // 60


def test_the_mean_of_the_contributions_is_r(course):
    truth, predicted, fold = course
    # Folds may differ in level and, of predictions, in size.
    shifted = predicted * (1 + 3 * fold) - 2 * fold
    found = contributions(truth, shifted, fold)
    assert found.mean() == pytest.approx(voxel_r(truth[:, None], shifted[:, None], fold)[0])
    np.testing.assert_allclose(found, contributions(5 * truth + fold, shifted, fold))


def test_the_planted_moments_are_best_and_worst(course):
    truth, predicted, fold = course
    scores = contributions(truth, predicted, fold)
    best, worst = extreme_windows(scores, np.arange(120), fold, length=10, n=3)
    assert best[0][0] == pytest.approx(20, abs=1) and worst[0][0] == pytest.approx(70, abs=1)
    assert best[0][1] > 3 and worst[0][1] < -3
    assert [score for _, score in best] == sorted((score for _, score in best), reverse=True)
    assert [score for _, score in worst] == sorted(score for _, score in worst)
    for start, score in best + worst:
        assert score == pytest.approx(scores[start : start + 10].mean())
    starts = sorted(start for start, _ in best + worst)
    assert len(starts) == 6 and min(np.diff(starts)) >= 10


def test_no_window_crosses_a_fold_or_a_gap():
    # High at a fold's edge (row 30) and on both sides of what was not scanned (rows 60 to 69).
    rows = np.concatenate([np.arange(60), np.arange(70, 100)])
    values = np.zeros(90)
    values[26:34] = values[56:64] = 1
    fold = (rows >= 30).astype(int)
    best, worst = extreme_windows(values, rows, fold, length=8, n=20)
    for start, _ in best + worst:
        own = slice(start, start + 8)
        assert np.ptp(rows[own]) == 7 and np.ptp(fold[own]) == 0
    assert max(score for _, score in best) == 0.5


def test_a_prediction_that_does_not_vary_has_no_moments(course):
    truth, _, fold = course
    scores = contributions(truth, np.full(120, 0.7) + fold, fold)
    assert np.isnan(scores).all()
    assert extreme_windows(scores, np.arange(120), fold, length=10, n=3) == ([], [])


def test_a_film_too_short_for_a_window_has_none():
    assert extreme_windows(np.ones(5), np.arange(5), np.zeros(5), length=8, n=3) == ([], [])
    best, worst = extreme_windows(np.ones(8), np.arange(8), np.zeros(8), length=8, n=3)
    assert best == [(0, 1.0)] and worst == []
