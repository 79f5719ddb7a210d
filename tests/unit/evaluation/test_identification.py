import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.stats import kstest

from stim2bold.evaluation.identification import (
    cut_segments,
    identification_of,
    judged,
    likeness,
    pairwise_identification,
    permuted,
    row_products,
    segment_correlations,
)
from stim2bold.evaluation.metrics import centred


def test_segments_stay_within_a_fold_and_a_stretch():
    rows = np.array([0, 1, 2, 3, 4, 10, 11, 12, 13])
    fold = np.array([0, 0, 0, 1, 1, 1, 1, 1, 1])
    segments = cut_segments(rows, fold, length=2)
    assert [part.tolist() for part in segments] == [[0, 1], [3, 4], [5, 6], [7, 8]]


def test_a_faithful_prediction_is_identified_and_noise_is_at_chance():
    rng = np.random.default_rng(0)
    rows = np.arange(400)
    truth = rng.standard_normal((400, 5))
    segments = cut_segments(rows, np.zeros(400), length=10)

    def identified(predicted):
        return pairwise_identification(segment_correlations(truth, predicted, segments))

    assert identified(truth) == 1.0
    assert identified(truth + 2 * rng.standard_normal(truth.shape)) > 0.95
    noise = [identified(rng.standard_normal(truth.shape)) for _ in range(20)]
    assert abs(np.mean(noise) - 0.5) < 0.03
    # What is the same for all segments identifies none.
    assert identified(np.zeros_like(truth)) == 0.5
    assert identified(-truth) == 0.0


def test_one_pair_by_hand():
    correlations = np.array([[0.5, 0.3], [0.6, 0.2]])
    assert pairwise_identification(correlations) == 0.0
    correlations = np.array([[0.5, 0.3], [0.3, 0.2]])
    assert pairwise_identification(correlations) == 1.0


def test_one_of_several_is_found_as_often_as_by_drawing():
    rng = np.random.default_rng(3)
    correlations = rng.standard_normal((12, 12)) + 1.5 * np.eye(12)
    drawn = []
    for _ in range(4000):
        i = rng.integers(12)
        others = rng.choice(np.delete(np.arange(12), i), 4, replace=False)
        drawn.append(correlations[i, i] > correlations[i, others].max())
    assert abs(identification_of(correlations, 5) - np.mean(drawn)) < 0.03
    assert identification_of(correlations, 1) == 1
    # All alike: chance.
    np.testing.assert_allclose(identification_of(np.ones((12, 12)), 5), 0.2)


def test_likeness_is_that_of_the_segments_and_of_the_stretch_turned_round():
    rng = np.random.default_rng(1)
    truth, guess = rng.standard_normal((2, 46, 3))
    rows, fold = np.arange(46), np.repeat([0, 1], [22, 24])
    found = likeness(row_products(truth, guess), rows=rows, parts=fold, length=5)
    segments = cut_segments(rows, fold, length=5)
    np.testing.assert_allclose(found.own, segment_correlations(truth, guess, segments), atol=1e-12)
    # The prediction of fold 1 turned by 7 rows, that of fold 0 as it is.
    turned = np.concatenate([guess[:22], np.roll(guess[22:], -7, axis=0)])
    expected = segment_correlations(truth, turned, segments)
    starts = np.where(found.part == 1, found.first + (found.start - 22 + 7) % 24, found.start)
    np.testing.assert_allclose(found.r[starts], expected, atol=1e-12)
    drawn = found.shifted(seed=0, n=300)
    assert np.isclose(drawn, found.own, atol=1e-12).all(axis=(1, 2)).mean() < 0.05
    np.testing.assert_array_equal(drawn, found.shifted(seed=0, n=300))


def test_kinds_bound_the_pairs_and_draws_are_scored_as_each_alone():
    rng = np.random.default_rng(4)
    r = rng.standard_normal((3, 7, 7))
    among = np.array([0, 1, 0, 1, 0, 1, 1])
    by_hand = [
        r[0, i, i] + r[0, j, j] > r[0, i, j] + r[0, j, i]
        for i in range(7)
        for j in range(i)
        if among[i] == among[j]
    ]
    found = pairwise_identification(r, among)
    assert found[0] == pytest.approx(np.mean(by_hand))
    for function in (pairwise_identification, lambda x: identification_of(x, 4)):
        np.testing.assert_allclose(function(r), [function(one) for one in r])


def knows_only(level, seed):
    """Return p of a predictor that knows each fold's training mean, or its blocks', and no more."""
    rng = np.random.default_rng(seed)
    fold, kind = np.repeat(np.arange(6), 40), np.tile(np.repeat([0, 1], 20), 6)
    truth = lfilter([1.0], [1, -0.6], rng.standard_normal((240, 8)), axis=0)
    truth += 2.0 * kind[:, None] * rng.standard_normal(8)
    # Its own variation, as that of a fit to noise, has nothing to do with the film.
    guess = 0.2 * lfilter([1.0], [1, -0.6], rng.standard_normal((240, 8)), axis=0)
    groups = kind if level == "block" else np.zeros(240, dtype=int)
    for number in range(6):
        for group in np.unique(groups):
            train = (fold != number) & (groups == group)
            guess[(fold == number) & (groups == group)] += truth[train].mean(axis=0)
    parts = fold * 2 + kind if level == "block" else fold
    pair = (centred(values, parts) for values in (truth, guess))
    found = likeness(row_products(*pair), rows=np.arange(240), parts=parts, length=5)
    among = found.part % 2 if level == "block" else None
    null = pairwise_identification(found.shifted(seed=seed, n=199), among)
    return judged(float(pairwise_identification(found.own, among)), null, n=48)


@pytest.mark.parametrize("level", ["mean", "block"])
def test_a_predictor_without_knowledge_is_at_its_null(level):
    found = [knows_only(level, seed) for seed in range(40)]
    assert kstest([one.p for one in found], "uniform").pvalue > 0.01
    assert np.mean([one.value for one in found]) == pytest.approx(0.5, abs=0.03)
    inside = [one.interval[0] <= one.value <= one.interval[1] for one in found]
    assert np.mean(inside) >= 0.85


def test_far_segments_are_judged_by_exchanging_them():
    rng = np.random.default_rng(5)
    noise = [permuted(rng.standard_normal((7, 7)), seed=s, n=199).p for s in range(60)]
    assert kstest(noise, "uniform").pvalue > 0.01
    clear = permuted(rng.standard_normal((7, 7)) + 3 * np.eye(7), seed=0)
    assert clear.p < 0.05 and clear.interval[1] < clear.value
    nothing = permuted(np.zeros((7, 7)), seed=0)
    assert np.isnan([nothing.value, nothing.p, *nothing.interval]).all()
