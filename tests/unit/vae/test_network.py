import numpy as np
import pytest
import torch
from shipped import shipped
from torch.distributions import Normal, kl_divergence

from stim2bold.models.hrf import FilterBank, around, bold_to_film, film_to_bold
from stim2bold.vae.layers import LSTM, FrameEncoder
from stim2bold.vae.network import VAE, Objective, Sizes, gaussian_kl, gaussian_nll, losses
from stim2bold.vae.sequences import chunked, unchunked, with_neighbours
from stim2bold.vae.settings import VAESettings


def generators(n):
    return [torch.Generator().manual_seed(i) for i in range(n)]


def test_kl_and_likelihood_are_torchs():
    torch.manual_seed(0)
    mean, log_variance, mean0, log_variance0, x = torch.randn(5, 20, dtype=torch.float64)
    q = Normal(mean, torch.exp(0.5 * log_variance))
    p = Normal(mean0, torch.exp(0.5 * log_variance0))
    torch.testing.assert_close(
        gaussian_kl(mean, log_variance, mean0, log_variance0), kl_divergence(q, p)
    )
    torch.testing.assert_close(gaussian_nll(x, mean, log_variance), -q.log_prob(x))


def test_lstm_is_torchs_for_each_model():
    batch = LSTM(2, 3, 5)
    batch.draw(generators(2))
    x = torch.randn(2, 4, 7, 3)
    out = batch(x)
    for i in range(2):
        reference = torch.nn.LSTM(3, 5, batch_first=True)
        with torch.no_grad():
            reference.weight_ih_l0.copy_(batch.inward.weight[i].T)
            reference.weight_hh_l0.copy_(batch.recurrent[i].T)
            reference.bias_ih_l0.copy_(batch.inward.bias[i, 0])
            reference.bias_hh_l0.zero_()
        torch.testing.assert_close(out[i], reference(x[i])[0], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    "filters",
    [film_to_bold(1.5, reach=12.0), bold_to_film(1.5, reach=12.0, bins=3), around(1)],
    ids=["past", "future", "both"],
)
def test_units_of_frames_are_carried_as_regressors_are(filters):
    """Over all sequences, as the filter bank does with the whole series of each unit."""
    settings = shipped(VAESettings, chunk=8, context=4)
    encoder = FrameEncoder(1, 3, 5, filters)
    encoder.units.draw(generators(1))
    rng = np.random.default_rng(0)
    series = rng.standard_normal((37, 3)).astype(np.float32)
    seen = with_neighbours(series, np.arange(len(series)), around=filters.around)
    sequences = torch.from_numpy(chunked(seen, settings, around=filters.around))[None]
    found = unchunked(encoder(sequences), len(series), settings)[0].detach().numpy()
    weight = encoder.units.weight[0].detach().numpy()
    weights = np.asarray(filters.weights)
    weights = weights / np.linalg.norm(weights, axis=1, keepdims=True)
    scaled = FilterBank(filters.offsets, tuple(map(tuple, weights.tolist())))
    np.testing.assert_allclose(found, scaled.apply(np.maximum(series @ weight, 0)), atol=1e-5)


def drawn(models, *, linear, seeds=None):
    sizes = Sizes(
        models=models,
        regressors=4 if linear else 0,
        components=4,
        target=6,
        latents=3,
        units=7,
        hidden=5,
        linear=linear,
    )
    model = VAE(sizes, around(0))
    model.draw(seeds or list(range(models)))
    return model


@pytest.mark.parametrize("linear", [True, False])
def test_models_side_by_side_do_not_know_each_other(linear):
    pair, alone = drawn(2, linear=linear, seeds=[5, 9]), drawn(1, linear=linear, seeds=[9])
    torch.manual_seed(1)
    columns = pair.sizes.regressors + pair.sizes.components
    source, target = torch.randn(2, 3, 8, columns), torch.randn(2, 3, 8, 6)
    noise = tuple(torch.randn(2, 2, 3, 8, 3))
    mask = torch.ones(2, 3, 8)
    objective = Objective(prior=0.5)
    both = losses(pair, source, target, mask, noise=noise, objective=objective)
    one = losses(
        alone,
        source[1:],
        target[1:],
        mask[1:],
        noise=tuple(n[1:] for n in noise),
        objective=objective,
    )
    for name in both:
        torch.testing.assert_close(both[name][1:], one[name])


def test_hidden_rows_reach_nothing():
    model = drawn(1, linear=False)
    torch.manual_seed(1)
    source, target = torch.randn(1, 2, 8, 4), torch.randn(1, 2, 8, 6)
    noise = tuple(torch.randn(2, 1, 2, 8, 3))
    mask = torch.ones(1, 2, 8)
    mask[0, 0, 3:5] = 0
    changed = target.clone()
    changed[0, 0, 3:5] = 1e3
    one, two = (
        losses(model, source, t, mask, noise=noise, objective=Objective(prior=0.3))
        for t in (target, changed)
    )
    for name in one:
        torch.testing.assert_close(one[name], two[name])


def test_elbo_is_the_papers_objective():
    """Lambda E log p - beta KL, against torch.distributions on one model, mean over samples."""
    model = drawn(1, linear=False)
    torch.manual_seed(2)
    source, target = torch.randn(1, 1, 6, 4), torch.randn(1, 1, 6, 6)
    noise = torch.randn(1, 1, 6, 3)
    parts = losses(
        model,
        source,
        target,
        torch.ones(1, 1, 6),
        noise=(noise, noise),
        objective=Objective(reconstruction=0.7, beta=0.2),
    )
    q_f = [p[0, 0] for p in model.source_encoder(source)]
    q_a = [p[0, 0] for p in model.target_encoder(target)]
    posterior = Normal(q_a[0], torch.exp(q_a[1] / 2))
    prior = Normal(q_f[0], torch.exp(q_f[1] / 2))
    z = posterior.mean + posterior.stddev * noise[0, 0]
    likelihood = Normal(
        model.decoder(z[None, None])[0, 0], torch.exp(model.log_noise.flatten() / 2)
    )
    expected = 0.7 * likelihood.log_prob(target[0, 0]).sum(-1)
    expected = expected - 0.2 * kl_divergence(posterior, prior).sum(-1)
    torch.testing.assert_close(parts["total"], -expected.mean()[None])


def test_exact_posterior_of_a_linear_gaussian_model_is_recovered():
    """With the decoder and prior fixed, the best q(z|target) is known in closed form."""
    rng = np.random.default_rng(0)
    n, k, d = 4000, 2, 6
    # Orthogonal columns: the exact posterior is then diagonal, as the model's is.
    decoder, _ = np.linalg.qr(rng.standard_normal((d, k)))
    decoder = decoder * np.array([2.0, 0.8])
    noise = 0.5
    z = rng.standard_normal((n, k))
    y = z @ decoder.T + np.sqrt(noise) * rng.standard_normal((n, d))
    precision = np.eye(k) + decoder.T @ decoder / noise
    exact_map = np.linalg.inv(precision) @ decoder.T / noise
    exact_variance = np.diag(np.linalg.inv(precision))

    sizes = Sizes(
        models=1,
        regressors=1,
        components=0,
        target=d,
        latents=k,
        units=0,
        hidden=0,
        linear=True,
    )
    model = VAE(sizes, around(0))
    with torch.no_grad():
        model.decoder.linear.weight[0] = torch.tensor(decoder.T)
        model.log_noise.fill_(float(np.log(noise)))
    encoder = model.target_encoder
    target = torch.tensor(y, dtype=torch.float32)[None, None]
    source, mask = torch.zeros(1, 1, n, 1), torch.ones(1, 1, n)
    optimiser = torch.optim.Adam(encoder.parameters(), lr=0.03)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimiser, 0.995)
    generator = torch.Generator().manual_seed(0)
    for _ in range(1000):
        draws = torch.randn(1, 1, n, k, generator=generator)
        parts = losses(model, source, target, mask, noise=(draws, draws), objective=Objective())
        optimiser.zero_grad()
        parts["total"].sum().backward()
        optimiser.step()
        schedule.step()
    learned = encoder.linear.weight[0].detach().numpy().T
    np.testing.assert_allclose(learned, exact_map, atol=1e-2)
    np.testing.assert_allclose(
        torch.exp(encoder.log_variance).flatten().detach().numpy(), exact_variance, atol=1e-2
    )
