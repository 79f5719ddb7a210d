"""The variational autoencoder: one class for every direction, many models side by side.

A model has a source encoder q(z|source), which serves as the prior of z, a target encoder
q(z|target) and a decoder p(target|z) with Gaussian noise. Every parameter has a leading dimension:
the model. So all folds and seeds of a unit train as one batch of matrix products.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Sizes:
    """Sizes of a batch of models.

    Parameters
    ----------
    models : int
        Number of models side by side.
    source, target : int
        Columns of the source and of the target.
    latents : int
        Latent dimensions per time step.
    hidden : int
        Units of each recurrent network; 0 for none.
    linear : bool
        Whether encoders and decoder have a linear path beside the network.
    """

    models: int
    source: int
    target: int
    latents: int
    hidden: int
    linear: bool


class Linear(nn.Module):
    """One affine map for each model."""

    def __init__(self, models: int, n_in: int, n_out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(models, n_in, n_out))
        self.bias = nn.Parameter(torch.zeros(models, 1, n_out))

    def forward(self, x: Tensor) -> Tensor:
        """Map (models, ..., n_in) to (models, ..., n_out)."""
        flat = x.reshape(x.shape[0], -1, x.shape[-1])
        return torch.baddbmm(self.bias, flat, self.weight).reshape(*x.shape[:-1], -1)

    def draw(self, generators: list[torch.Generator], *, gain: float = 1.0) -> None:
        """Draw weights as `torch.nn.Linear` does, each model from its own generator."""
        bound = gain / self.weight.shape[1] ** 0.5
        with torch.no_grad():
            for i, generator in enumerate(generators):
                self.weight[i].uniform_(-bound, bound, generator=generator)


class LSTM(nn.Module):
    """One long short-term memory for each model, with the gates of `torch.nn.LSTM`.

    Written out because `torch.nn.LSTM` cannot be batched over its parameters.
    """

    def __init__(self, models: int, n_in: int, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.inward = Linear(models, n_in, 4 * hidden)
        self.recurrent = nn.Parameter(torch.zeros(models, hidden, 4 * hidden))

    def forward(self, x: Tensor, within: Tensor | None = None) -> Tensor:
        """Map (models, sequences, steps, n_in) to (models, sequences, steps, hidden).

        Where `within`, (models, sequences, steps), is 0 the network forgets all that it saw: what
        comes after a stretch of zeros knows nothing of what came before it, nor of the stretch.
        """
        driven = self.inward(x)
        state = x.new_zeros(*x.shape[:2], self.hidden)
        cell, out = state, []
        for step in range(x.shape[2]):
            gates = torch.baddbmm(driven[:, :, step], state, self.recurrent)
            enter, forget, new, leave = gates.chunk(4, dim=-1)
            cell = torch.sigmoid(forget) * cell + torch.sigmoid(enter) * torch.tanh(new)
            state = torch.sigmoid(leave) * torch.tanh(cell)
            if within is not None:
                kept = within[:, :, step, None]
                cell, state = cell * kept, state * kept
            out.append(state)
        return torch.stack(out, dim=2)

    def draw(self, generators: list[torch.Generator]) -> None:
        """Draw weights as `torch.nn.LSTM` does, each model from its own generator."""
        bound = 1 / self.hidden**0.5
        with torch.no_grad():
            for i, generator in enumerate(generators):
                for weight in (self.inward.weight[i], self.recurrent[i], self.inward.bias[i]):
                    weight.uniform_(-bound, bound, generator=generator)


class Encoder(nn.Module):
    """Mean and log variance of a Gaussian over the latents at each step."""

    def __init__(self, sizes: Sizes, n_in: int) -> None:
        super().__init__()
        self.linear = Linear(sizes.models, n_in, sizes.latents) if sizes.linear else None
        self.lstm = None
        if sizes.hidden:
            # The network of a linear path sees what that path sees, and only adds to it.
            n_lstm = sizes.latents if sizes.linear else n_in
            self.lstm = LSTM(sizes.models, n_lstm, sizes.hidden)
            self.mean = Linear(sizes.models, sizes.hidden, sizes.latents)
            self.spread = Linear(sizes.models, sizes.hidden, sizes.latents)
        self.log_variance = nn.Parameter(torch.zeros(sizes.models, 1, 1, sizes.latents))

    def forward(self, x: Tensor, within: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return mean and log variance, each (models, sequences, steps, latents).

        The network looks at rows within which it may alone, see `LSTM`.
        """
        mean = self.linear(x) if self.linear is not None else 0.0
        log_variance = self.log_variance
        if self.lstm is not None:
            state = self.lstm(mean if self.linear is not None else x, within)
            mean = mean + self.mean(state)
            log_variance = log_variance + self.spread(state)
        return mean, log_variance.expand_as(mean)


class Decoder(nn.Module):
    """Mean of the target at each step: linear in the latents, a network beside or instead."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.linear = Linear(sizes.models, sizes.latents, sizes.target) if sizes.linear else None
        self.inner = self.outer = None
        if not sizes.linear:
            self.inner = Linear(sizes.models, sizes.latents, max(sizes.hidden, 1))
            self.outer = Linear(sizes.models, max(sizes.hidden, 1), sizes.target)

    def forward(self, z: Tensor) -> Tensor:
        """Map (models, sequences, steps, latents) to (models, sequences, steps, target)."""
        if self.linear is not None:
            return self.linear(z)
        return self.outer(torch.relu(self.inner(z)))


class VAE(nn.Module):
    """A batch of conditional variational autoencoders."""

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.source_encoder = Encoder(sizes, sizes.source)
        self.target_encoder = Encoder(sizes, sizes.target)
        self.decoder = Decoder(sizes)
        self.log_noise = nn.Parameter(torch.zeros(sizes.models, 1, 1, 1))

    def draw(self, seeds: list[int]) -> None:
        """Draw the networks' weights, one seed a model, independent of the models beside it.

        Where there is a linear path, the networks' last layers stay zero: they begin as no
        correction at all.
        """
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        for encoder in (self.source_encoder, self.target_encoder):
            if encoder.lstm is not None:
                encoder.lstm.draw(generators)
                if encoder.linear is None:
                    encoder.mean.draw(generators)
                    encoder.spread.draw(generators, gain=0.1)
        if self.decoder.inner is not None:
            self.decoder.inner.draw(generators)
            self.decoder.outer.draw(generators)

    def predict(self, source: Tensor, within: Tensor | None = None) -> Tensor:
        """Return the decoder's output at the mean of q(z|source)."""
        return self.decoder(self.source_encoder(source, within)[0])


def gaussian_kl(mean: Tensor, log_variance: Tensor, mean0: Tensor, log_variance0: Tensor) -> Tensor:
    """Return KL[N(mean, variance) || N(mean0, variance0)] of each dimension, in nats."""
    ratio = torch.exp(log_variance - log_variance0)
    shift = (mean - mean0) ** 2 * torch.exp(-log_variance0)
    return 0.5 * (ratio + shift - 1 - log_variance + log_variance0)


def gaussian_nll(x: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return -log N(x; mean, exp(log_variance)) of each dimension, in nats."""
    return 0.5 * (
        (x - mean) ** 2 * torch.exp(-log_variance)
        + log_variance
        + torch.log(x.new_tensor(2 * torch.pi))
    )


@dataclass(frozen=True)
class Objective:
    """Weights of the objective's parts.

    Parameters
    ----------
    reconstruction : float
        Lambda: of log p(target|z) under q(z|target).
    beta : float
        Of the divergence of q(z|target) from q(z|source).
    prior : float
        From 0 to 1: share of log p(target|z) under q(z|source), the path used for prediction
        (Sohn, Lee & Yan, NeurIPS 2015); the ELBO has the rest.
    """

    reconstruction: float = 1.0
    beta: float = 1.0
    prior: float = 0.0


def losses(
    model: VAE,
    source: Tensor,
    target: Tensor,
    mask: Tensor,
    *,
    noise: tuple[Tensor, Tensor],
    objective: Objective,
    context: int = 0,
) -> dict[str, Tensor]:
    """Return the parts of the objective, averaged over rows, for each model.

    The objective is that of arXiv 2011.07340, lambda E log p(a|z) - beta KL[q(z|a) || q(z|f)],
    mixed with the likelihood of the prior path.

    Parameters
    ----------
    model : VAE
    source, target : Tensor of shape (models, sequences, steps, columns)
    mask : Tensor of shape (models, sequences, steps)
        1 where a row may be fitted. Targets elsewhere are hidden from the encoder too, and the
        networks look at no source elsewhere: else they would see across the gap into the test
        interval.
    noise : pair of Tensor
        Standard normal, (models, sequences, steps - context, latents), for the two samples of z.
    objective : Objective
    context : int
        First steps of every sequence, which only warm the recurrent networks up.

    Returns
    -------
    dict of Tensor, each of shape (models,)
        total (to be minimised), reconstruction and prior (negative log likelihood in nats a row),
        kl (nats a row).
    """
    visible = target * mask[..., None]
    mean0, log_variance0 = (part[:, :, context:] for part in model.source_encoder(source, mask))
    mean, log_variance = (part[:, :, context:] for part in model.target_encoder(visible))
    target, mask = target[:, :, context:], mask[:, :, context:]
    count = mask.sum(dim=(1, 2))

    def average(x: Tensor) -> Tensor:
        return (x.sum(dim=-1) * mask).sum(dim=(1, 2)) / count

    kl = average(gaussian_kl(mean, log_variance, mean0, log_variance0))
    z = mean + torch.exp(0.5 * log_variance) * noise[0]
    reconstruction = average(gaussian_nll(target, model.decoder(z), model.log_noise))
    total = objective.reconstruction * reconstruction + objective.beta * kl
    if objective.prior > 0:
        z0 = mean0 + torch.exp(0.5 * log_variance0) * noise[1]
        prior = average(gaussian_nll(target, model.decoder(z0), model.log_noise))
        total = (1 - objective.prior) * total + objective.prior * prior
    else:
        prior = torch.zeros_like(kl)
    return {"total": total, "reconstruction": reconstruction, "prior": prior, "kl": kl}
