import numpy as np

from stim2bold.identification import (
    cut_segments,
    identification_of,
    pairwise_identification,
    segment_correlations,
)


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
