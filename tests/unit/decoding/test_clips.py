import numpy as np
import pytest

from stim2bold.decoding.clips import by_chance, likeness, ranks, summary_of


def test_correlations_are_numpys():
    rng = np.random.default_rng(0)
    predicted, film = rng.standard_normal((2, 30, 4))
    found = likeness(predicted, film, np.array([0, 20]), 10)
    for clip, start in ((0, 5), (20, 20)):
        expected = np.corrcoef(
            predicted[clip : clip + 10].ravel(), film[start : start + 10].ravel()
        )[0, 1]
        assert found[[0, 20].index(clip), start] == pytest.approx(expected)
    # The end is followed by the beginning.
    around = np.concatenate([film[25:], film[:5]])
    expected = np.corrcoef(predicted[:10].ravel(), around.ravel())[0, 1]
    assert found[0, 25] == pytest.approx(expected)


def test_ranks_by_hand():
    correlations = np.array([[0.5, 0.9, 0.1, 0.5], [0.0, 0.0, 0.0, 0.0]])
    starts = np.array([0, 1, 3])
    assert ranks(correlations, starts, np.array([0, 1]), 0).tolist() == [2.5, 2.0]
    # Moved by one row the candidates start at 1, 2 and 0.
    assert ranks(correlations, starts, np.array([0, 1]), 1).tolist() == [1.0, 2.0]


def test_chance_is_what_random_ranks_give():
    rng = np.random.default_rng(0)
    n = np.array([6] * 20 + [9] * 4)
    drawn = np.floor(rng.random((20000, 24)) * n) + 1
    np.testing.assert_allclose(by_chance(n), summary_of(drawn).mean(axis=0), rtol=0.05)
