import numpy as np
from scipy.signal import lfilter

from stim2bold.vae.shrinkage import (
    WeightPrior,
    autocorrelation,
    fit_weights,
    learn_prior,
    prewhiten,
)


def test_isotropic_prior_is_ridge():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((50, 4)), rng.standard_normal((50, 3))
    gram = x.T @ x
    weights = WeightPrior(np.eye(4) * 0.5, 2.0).shrinker(gram) @ x.T @ y
    np.testing.assert_allclose(weights, np.linalg.solve(gram + 4 * np.eye(4), x.T @ y))


def test_prior_that_made_the_weights_is_found():
    rng = np.random.default_rng(1)
    n, p, d = 300, 4, 20_000
    root = np.diag([1.0, 0.5, 0.2, 0.0]) @ np.linalg.qr(rng.standard_normal((p, p)))[0]
    covariance = root.T @ root
    x = rng.standard_normal((n, p))
    y = x @ root.T @ rng.standard_normal((p, d)) + np.sqrt(3) * rng.standard_normal((n, d))
    cross = x.T @ y
    prior = learn_prior(
        x.T @ x, cross @ cross.T / d, power=(y**2).sum() / d, n_rows=n, iterations=500
    )
    np.testing.assert_allclose(prior.covariance, covariance, atol=0.03)
    assert abs(prior.noise - 3) < 0.03


def test_nothing_to_learn_shrinks_to_nothing():
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((200, 10)), rng.standard_normal((200, 5000))
    cross = x.T @ y
    prior = learn_prior(x.T @ x, cross @ cross.T / 5000, power=(y**2).sum() / 5000, n_rows=200)
    fitted = x @ prior.shrinker(x.T @ x) @ cross
    assert (fitted**2).mean() < 1e-3


def autoregressive(shape, rho, rng):
    noise = rng.standard_normal(shape)
    return lfilter([np.sqrt(1 - rho**2)], [1, -rho], noise, axis=0)


def test_whitening_restores_independence_and_knows_gaps():
    rng = np.random.default_rng(3)
    rows = np.concatenate([np.arange(0, 200), np.arange(260, 400)])
    series = autoregressive((400, 500), 0.6, rng)[rows]
    rho = autocorrelation(series, rows)
    assert abs(rho - 0.6) < 0.02
    white = prewhiten(series, rows, rho)
    assert abs(autocorrelation(white, rows)) < 0.02
    np.testing.assert_allclose(white.var(), 1 - 0.36, atol=0.03)
    # The row after the gap does not know the row before it.
    np.testing.assert_array_equal(white[200], series[200] * np.sqrt(1 - rho**2))


def test_participants_that_agree_help_each_other():
    rng = np.random.default_rng(4)
    rows = np.arange(300)
    x = autoregressive((300, 15), 0.9, rng)
    common = rng.standard_normal((15, 80))
    own = rng.standard_normal((6, 15, 80))
    truth = np.concatenate([np.sqrt(0.7) * common + np.sqrt(0.3) * w for w in own], axis=1)
    y = x @ truth + 12 * autoregressive((300, 480), 0.4, rng)
    y /= y.std(axis=0)

    def error(weights):
        r = [np.corrcoef(a, b)[0, 1] for a, b in zip(weights.T, truth.T, strict=True)]
        return np.mean(r)

    alone = np.concatenate(
        [fit_weights(x, part, rows=rows).weights for part in np.split(y, 6, axis=1)], axis=1
    )
    together = fit_weights(x, y, rows=rows, participants=6)
    assert error(together.weights) > error(alone) + 0.03
    # Residuals of what was fitted: a little less dependent than the noise was.
    assert 0.3 < together.rho < 0.42
