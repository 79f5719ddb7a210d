import numpy as np
import pytest
from nilearn.glm.first_level import spm_hrf
from scipy.signal import fftconvolve, lfilter
from scipy.stats import gamma

from stim2bold.models.hrf import (
    around,
    bold_to_film,
    canonical_hrf,
    film_to_bold,
    stretches_before,
)


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
    out = film_to_bold(0.608, reach=12.0).apply(impulse)
    assert (out[:, 0].argmax() - 10) * 0.608 == pytest.approx(5.0, abs=0.4)


@pytest.mark.parametrize("tr", [0.4, 0.608, 2.0, 3.0])
def test_stretches_of_the_past_see_each_row_once_and_those_of_the_response(tr):
    bank = stretches_before(tr, reach=12.0, bins=8)
    seen = (np.array(bank.weights) != 0).sum(axis=0)
    assert (seen == 1).all() and len(bank.weights) <= 8
    assert set(bank.offsets) == set(film_to_bold(tr, reach=12.0).offsets)
    rows = np.random.default_rng(0).standard_normal((40, 2))
    out = bank.apply(rows).reshape(40, len(bank.weights), 2)
    first = [offset for offset, w in zip(bank.offsets, bank.weights[0], strict=True) if w]
    np.testing.assert_allclose(out[39, 0], rows[[39 + offset for offset in first]].mean(axis=0))


def response_within(reach, step):
    """The response written out, in the middles of steps, nothing of it beyond the reach."""
    times = (np.arange(round(reach / step)) + 0.5) * step
    return (gamma.pdf(times, 6) - gamma.pdf(times, 16) / 6) * step


def bold_of(stimulus, *, step, tr, reach):
    """BOLD of a stimulus on a fine grid: at the middle of each TR, and at each step about it."""
    whole = fftconvolve(stimulus, response_within(reach, step))[: len(stimulus)]
    middle = np.arange(round(tr / step / 2), len(stimulus) + 1, round(tr / step)) - 1
    return whole, middle


@pytest.mark.parametrize("tr", [0.4, 0.608, 0.8, 1.5, 2.0, 3.0])
def test_rows_that_hold_through_their_tr_give_the_convolution_itself(tr):
    rows = np.random.default_rng(2).standard_normal(300)
    bank = film_to_bold(tr, reach=12.0)
    steps = 64
    cut = min(12.0, (len(bank.offsets) - 0.5) * tr)
    whole, middle = bold_of(np.repeat(rows, steps), step=tr / steps, tr=tr, reach=cut)
    mine = bank.apply(rows[:, None])[:, 0]
    gain = whole[middle] @ mine / (mine @ mine)
    np.testing.assert_allclose(gain * mine, whole[middle], atol=2e-3)


@pytest.mark.parametrize("scale", [1.0, 2.0, 5.0])
@pytest.mark.parametrize("tr", [0.4, 0.608, 1.5, 2.0, 3.0])
def test_filtered_rows_come_neither_early_nor_late(tr, scale):
    """Of a stimulus that changes within its TR, with time scales of films."""
    steps = 16
    step = tr / steps
    n_rows = round(12000 / tr)
    drawn = np.random.default_rng(3).standard_normal(n_rows * steps)
    stimulus = lfilter([1], [1, -np.exp(-step / scale)], drawn)
    whole, middle = bold_of(stimulus, step=step, tr=tr, reach=12.0)
    rows = stimulus.reshape(n_rows, steps).mean(axis=1)
    mine = film_to_bold(tr, reach=12.0).apply(rows[:, None])[100:-100, 0]
    moved = np.arange(-8, 9)
    r = [np.corrcoef(mine, whole[middle[100:-100] + by])[0, 1] for by in moved]
    best = int(np.argmax(r))
    curve = np.polyfit(moved[best - 1 : best + 2], r[best - 1 : best + 2], 2)
    assert abs(-curve[1] / 2 / curve[0] * step) <= 0.02


def test_no_row_begins_further_back_than_the_reach():
    for tr in (0.4, 0.608, 2.0, 3.0, 5.0):
        lags = -np.array(film_to_bold(tr, reach=12.0).offsets)
        assert lags.max() * tr <= 12.0 < (lags.max() + 1) * tr


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
