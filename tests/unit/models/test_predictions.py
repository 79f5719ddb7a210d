import numpy as np
import pytest

from stim2bold.models.predictions import stacked

RNG = np.random.default_rng(5)
FOLDS = np.repeat([0, 1], [30, 20])


def r(one, other):
    return np.corrcoef(one.ravel(), other.ravel())[0, 1]


@pytest.mark.parametrize("shape", [(50, 4), (50, 3, 2)])
def test_models_count_alike_however_loud_they_are(shape):
    first, second = RNG.standard_normal((2, *shape))
    quiet, loud = stacked([first, second], FOLDS), stacked([first, 100 * second + 7], FOLDS)
    np.testing.assert_allclose(quiet, loud, atol=1e-12)
    for number in (0, 1):
        here = number == FOLDS
        np.testing.assert_allclose(quiet[here].mean(axis=0), first[here].mean(axis=0), atol=1e-12)
        mean = quiet[here].mean(axis=0)
        assert r(quiet[here] - mean, first[here] - first[here].mean(axis=0)) == pytest.approx(
            r(quiet[here] - mean, second[here] - second[here].mean(axis=0)), abs=1e-12
        )


def test_a_model_stacked_with_itself_or_with_nothing_is_itself_or_half():
    values = RNG.standard_normal((50, 4)).astype(np.float32)
    again = stacked([values, 3 * values], FOLDS)
    assert again.dtype == np.float32
    np.testing.assert_allclose(again, values, atol=1e-6)
    half = stacked([values, np.full_like(values, 3.0)], FOLDS)
    for number in (0, 1):
        here = number == FOLDS
        mean = values[here].mean(axis=0)
        np.testing.assert_allclose(half[here], mean + (values[here] - mean) / 2, atol=1e-6)
