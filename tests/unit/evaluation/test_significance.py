import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.stats import kstest, ttest_1samp
from statsmodels.stats.multitest import multipletests

from stim2bold.evaluation.metrics import correlation
from stim2bold.evaluation.significance import (
    bootstrap_r,
    cross_spectrum,
    participants_p,
    phase_test,
    sign_flip_p,
)


def slow(shape, seed, a=0.9):
    rng = np.random.default_rng(seed)
    return lfilter([1.0], [1.0, -a], rng.standard_normal(shape), axis=0)


def test_correlations_are_pearsons_and_unrelated_series_give_uniform_p():
    truth, guess = slow((300, 400), 0), slow((300, 400), 1)
    found = phase_test(truth, guess, np.zeros(len(truth)), seed=0, n=500, at_once=130)
    np.testing.assert_allclose(found.r, correlation(truth, guess), atol=1e-10)
    assert kstest(found.p, "uniform").pvalue > 0.01
    # A test that takes rows for independent finds far too much in the same series.
    naive = np.abs(found.r) > 1.96 / np.sqrt(300)
    assert naive.mean() > 0.3
    assert found.p_max.min() > 0.05 and found.q.min() > 0.05


@pytest.mark.parametrize("n_rows", [300, 301])
def test_what_is_there_is_found(n_rows):
    truth = slow((n_rows, 60), 2)
    guess = slow((n_rows, 60), 3)
    guess[:, :20] += truth[:, :20]
    found = phase_test(truth, guess, np.zeros(len(truth)), seed=0, n=999)
    assert (found.p_max[:20] < 0.05).mean() > 0.8
    assert (found.q[20:] < 0.05).mean() < 0.1
    assert found.p_mean < 0.01
    # Where something is, a column's own p has no floor; elsewhere the correction only adds.
    assert found.p[:20].min() < 1e-4 and found.p_max.min() == 1 / 1000
    assert (found.p_max[20:] >= found.p[20:]).all()


def test_the_null_of_a_column_is_what_surrogates_by_inverse_transform_give():
    truth, guess = slow((200, 1), 4), slow((200, 1), 5)
    rng = np.random.default_rng(0)
    spectrum = np.fft.rfft(guess[:, 0] - guess[:, 0].mean())
    null = []
    for _ in range(4000):
        phases = np.exp(1j * rng.uniform(0, 2 * np.pi, len(spectrum)))
        surrogate = np.fft.irfft(spectrum * phases, n=200)
        null.append(np.corrcoef(surrogate, truth[:, 0])[0, 1])
    found = phase_test(truth, guess, np.zeros(len(truth)), seed=1, n=4000)
    assert found.p[0] == pytest.approx(np.mean(np.array(null) >= found.r[0]), abs=0.03)


def test_a_constant_prediction_has_no_score():
    truth, guess = slow((100, 3), 6), slow((100, 3), 7)
    whole = phase_test(truth[:, 1:], guess[:, 1:], np.zeros(100), seed=0, n=99)
    guess[:, 0] = 4.2
    found = phase_test(truth, guess, np.zeros(100), seed=0, n=99)
    for values in (found.r, found.p, found.q, found.p_max):
        np.testing.assert_array_equal(np.isnan(values), [True, False, False])
    # The others are judged as if it were not there.
    np.testing.assert_allclose(found.q[1:], whole.q)
    np.testing.assert_allclose(found.p_max[1:], whole.p_max)
    assert found.mean == pytest.approx(whole.mean) and found.p_mean == whole.p_mean
    nothing = phase_test(truth, np.ones((100, 3)), np.zeros(100), seed=0, n=99)
    assert np.isnan([nothing.mean, nothing.p_mean, *nothing.r, *nothing.q, *nothing.null]).all()
    drawn = {"blocks": np.arange(100) // 10, "seed": 0, "n": 50}
    interval, others = (
        bootstrap_r(truth[:, part], guess[:, part], **drawn)
        for part in (slice(None), slice(1, None))
    )
    np.testing.assert_array_equal(np.isnan(interval.low), [True, False, False])
    assert interval.mean_low == pytest.approx(others.mean_low)
    assert interval.mean_high == pytest.approx(others.mean_high)
    still = bootstrap_r(truth, np.ones((100, 3)), **drawn)
    assert np.isnan([still.mean_low, still.mean_high]).all()


def test_small_p_have_a_tail_that_is_valid_and_finds_small_regions():
    # 40 of 20,000 columns: with a floor of 1/1001 no rate below 0.05 could be had.
    rng = np.random.default_rng(11)
    truth, guess = rng.standard_normal((2, 300, 20_000))
    guess[:, :40] = 0.45 * truth[:, :40] + np.sqrt(1 - 0.45**2) * guess[:, :40]
    found = phase_test(truth, guess, np.repeat([0, 1, 2], 100), seed=0, n=200)
    assert (found.q[:40] < 0.05).mean() > 0.9
    assert (found.q[40:] < 0.05).sum() <= 6
    silent = found.p[40:]
    for level in (1e-2, 1e-3, 1e-4):
        n = level * len(silent)
        assert (silent < level).sum() <= n + 3 * np.sqrt(n)


def test_in_the_tail_p_is_what_very_many_surrogates_give():
    truth, guess = slow((240, 1), 12, a=0.5), slow((240, 1), 13, a=0.5)
    guess += 0.35 * truth
    a, b = (x[:, 0] - x.mean() for x in (truth, guess))
    rng = np.random.default_rng(0)
    terms = np.conj(np.fft.rfft(b)) * np.fft.rfft(a) * 2 / len(a)
    terms[-1] /= 2
    terms = terms[1:] / (np.linalg.norm(a) * np.linalg.norm(b))
    phases = rng.uniform(0, 2 * np.pi, (100_000, len(terms))).astype(np.float32)
    # The highest frequency has but a sign.
    phases[:, -1] = np.where(phases[:, -1] < np.pi, 0, np.pi)
    null = np.cos(phases) @ np.abs(terms)
    found = phase_test(truth, guess, np.zeros(240), seed=0, n=50)
    assert 1e-4 < found.p[0] < 2e-2
    # Never smaller than what they give, and not much larger.
    share = (null >= found.r[0]).mean()
    assert 0.8 * share <= found.p[0] <= 2 * share


def test_surrogates_are_the_same_whatever_the_length_of_other_folds():
    longer, shorter = (
        cross_spectrum(slow((n, 1), 3), slow((n, 1), 4), np.repeat([2, 5], [60, n - 60]))[1]
        for n in (130, 110)
    )
    first, second = (terms.phases(seed=7, n=9) for terms in (longer, shorter))
    assert (first[:, longer.fold == 2] == second[:, shorter.fold == 2]).all()
    # Of a fold that was cut short, the frequencies that are left keep their phases.
    here, there = longer.fold == 5, shorter.fold == 5
    n = there.sum() - 1
    np.testing.assert_array_equal(first[:, here][:, :n], second[:, there][:, :n])
    other = longer.phases(seed=8, n=9)
    assert (first != other).mean() > 0.9


def test_participants_p_is_students():
    values = np.random.default_rng(0).normal(0.5, 1, 9)
    expected = ttest_1samp(values, 0).pvalue / 2
    assert participants_p(values) == pytest.approx(expected)
    assert participants_p(-values) == pytest.approx(1 - expected)
    assert np.isnan(participants_p(values[:1]))


def test_false_discovery_rate_is_statsmodels():
    found = phase_test(slow((200, 50), 7), slow((200, 50), 8), np.zeros(200), seed=0, n=200)
    expected = multipletests(found.p, method="fdr_bh")[1]
    np.testing.assert_allclose(found.q, expected)


def test_bootstrap_intervals_have_their_coverage():
    # A common signal at known correlation, rows in blocks that are alike within.
    mean_inside, inside = 0, []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        common = np.repeat(rng.standard_normal((40, 5)), 5, axis=0)
        truth = common + 0.5 * np.repeat(rng.standard_normal((40, 5)), 5, axis=0)
        guess = common + 0.5 * np.repeat(rng.standard_normal((40, 5)), 5, axis=0)
        found = bootstrap_r(truth, guess, np.repeat(np.arange(40), 5), seed=seed, n=400, at_once=2)
        mean_inside += found.mean_low <= 0.8 <= found.mean_high
        inside += list((found.low <= 0.8) & (found.high >= 0.8))
    assert 48 <= mean_inside <= 60
    assert 0.85 < np.mean(inside) <= 1
    alone = bootstrap_r(truth, guess, np.repeat(np.arange(40), 5), seed=59, n=400, each=False)
    assert (alone.mean_low, alone.mean_high) == pytest.approx((found.mean_low, found.mean_high))
    # With rows for blocks it would be far too narrow.
    narrow = bootstrap_r(truth, guess, np.arange(200), seed=0, n=400)
    width = found.mean_high - found.mean_low
    assert narrow.mean_high - narrow.mean_low < 0.7 * width


def test_bootstrap_of_every_block_once_is_the_correlation():
    truth, guess = slow((60, 4), 9), slow((60, 4), 10)
    found = bootstrap_r(truth, guess, np.zeros(60, int), seed=0, n=3)
    np.testing.assert_allclose(found.low, correlation(truth, guess))
    np.testing.assert_allclose(found.low, found.high)
    mean = correlation(truth, guess).mean()
    assert [found.mean_low, found.mean_high] == pytest.approx([mean] * 2)


@pytest.mark.parametrize(("effect", "low", "high"), [(0.0, 0.3, 0.7), (1.0, 0.0, 0.01)])
def test_sign_flips_find_effects_and_nothing_else(effect, low, high):
    p = [
        sign_flip_p(np.random.default_rng(seed).standard_normal(30) + effect, seed=seed, n=999)
        for seed in range(30)
    ]
    assert low <= np.mean(p) <= high
    assert min(p) >= 1 / 1000


def test_sign_flips_of_few_pairs_equal_the_exact_test():
    differences = np.array([1.0, 2.0, 3.0])
    # Of the 8 ways to flip, only none reaches the observed mean.
    assert sign_flip_p(differences, seed=0, n=20000) == pytest.approx(1 / 8, abs=0.01)


def test_folds_have_phases_and_means_of_their_own():
    fold = np.repeat([0, 1, 2], [70, 71, 59])
    truth, guess = slow((200, 4), 9), slow((200, 4), 10)
    # Levels that differ between folds are neither scored nor judged.
    shifted = guess + 100 * fold[:, None]
    found = phase_test(truth, shifted, fold, seed=0, n=2000)
    by_fold = [np.flatnonzero(fold == number) for number in range(3)]
    a, b = (np.concatenate([x[h] - x[h].mean(axis=0) for h in by_fold]) for x in (truth, guess))
    np.testing.assert_allclose(found.r, correlation(a, b), atol=1e-10)
    rng = np.random.default_rng(0)
    null = []
    for _ in range(2000):
        surrogate = []
        for here in by_fold:
            spectrum = np.fft.rfft(guess[here, 0] - guess[here, 0].mean())
            turned = spectrum * np.exp(1j * rng.uniform(0, 2 * np.pi, len(spectrum)))
            surrogate.append(np.fft.irfft(turned, n=len(here)))
        null.append(np.concatenate(surrogate) @ a[:, 0])
    null = np.array(null) / (np.linalg.norm(a[:, 0]) * np.linalg.norm(b[:, 0]))
    assert found.p[0] == pytest.approx(np.mean(null >= found.r[0]), abs=0.04)
    wider = phase_test(truth, shifted, fold, seed=0, n=2000, spread=1.4)
    assert wider.p[0] == pytest.approx(np.mean(1.4 * null >= found.r[0]), abs=0.04)
