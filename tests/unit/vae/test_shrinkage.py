import numpy as np

from stim2bold.vae.shrinkage import WeightPrior, learn_prior


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
