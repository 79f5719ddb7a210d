import numpy as np
import pytest
from nilearn.glm.first_level import spm_hrf

from stim2bold.hrf import around, bold_to_film, canonical_hrf, film_to_bold


def test_canonical_response_is_nilearns():
    reference = spm_hrf(1.0, oversampling=20, time_length=32.0)
    # nilearn's response begins one sample late, and rounds 1/6 to 0.167.
    times = np.linspace(0, 32, len(reference)) - 1 / 20
    mine = canonical_hrf(times)
    np.testing.assert_allclose(mine / mine.sum(), reference / reference.sum(), atol=1e-5)


def test_filtering_is_a_causal_convolution():
    rng = np.random.default_rng(0)
    series = rng.standard_normal((100, 3))
    bank = film_to_bold(0.608, reach=12.0)
    kernel = np.array(bank.weights[0])
    expected = np.stack([np.convolve(column, kernel)[:100] for column in series.T], axis=1)
    np.testing.assert_allclose(bank.apply(series), expected, atol=1e-12)
    # No volume looks further back than the reach.
    assert -min(bank.offsets) * 0.608 <= 12.0
    assert max(bank.offsets) == 0


def test_peak_lies_where_the_response_peaks():
    impulse = np.zeros((60, 1))
    impulse[10] = 1
    out = film_to_bold(0.608, reach=12.0, derivative=True).apply(impulse)
    assert (out[:, 0].argmax() - 10) * 0.608 == pytest.approx(5.0, abs=0.4)
    # The derivative peaks before the response and crosses zero at its peak.
    assert out[:, 1].argmax() < out[:, 0].argmax()


@pytest.mark.parametrize("bins", [1, 4, 5, 50])
def test_bins_average_what_follows(bins):
    rng = np.random.default_rng(1)
    series = rng.standard_normal((80, 2))
    bank = bold_to_film(0.608, reach=12.0, bins=bins)
    out = bank.apply(series).reshape(80, -1, 2)
    assert max(bank.offsets) * 0.608 <= 12.0
    n = len(bank.offsets)
    parts = np.split(np.arange(n), np.round(np.linspace(0, n, min(bins, n) + 1)).astype(int)[1:-1])
    for b, part in enumerate(parts):
        np.testing.assert_allclose(out[20, b], series[20 + part].mean(axis=0), atol=1e-12)
    # Past the end there is nothing: the last row sees itself alone.
    np.testing.assert_allclose(out[-1, 0] * len(parts[0]), series[-1], atol=1e-12)


def test_around_shifts():
    series = np.arange(5.0)[:, None]
    np.testing.assert_array_equal(
        around(1).apply(series), [[0, 0, 1], [0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 0]]
    )
