"""The variational autoencoder: one class for every direction, many models side by side.

A model has a source encoder q(z|source), which serves as the prior of z, a target encoder
q(z|target) and a decoder p(target|z) with Gaussian noise.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from stim2bold.models.hrf import FilterBank
from stim2bold.vae.layers import LSTM, FrameEncoder, Linear


@dataclass(frozen=True)
class Sizes:
    """Sizes of a batch of models.

    Parameters
    ----------
    models : int
        Number of models side by side.
    regressors, components : int
        Columns of the source: first those of the linear path, delayed already, then the
        components of each row that the network sees before the delay; 0 for none.
    target : int
        Columns of the target.
    latents : int
        Latent dimensions per time step.
    units : int
        Units that see each row of the source by itself; 0 for no network.
    hidden : int
        Units of each recurrent network; 0 for none.
    linear : bool
        Whether encoders and decoder have a linear path beside the network.
    """

    models: int
    regressors: int
    components: int
    target: int
    latents: int
    units: int
    hidden: int
    linear: bool


BOUND = 5.0
"""How far a network can move a log variance: a factor of 150."""


def bounded(x: Tensor) -> Tensor:
    """Return x, bent to stay within `BOUND`: a variance that overflows ends a training."""
    return BOUND * torch.tanh(x / BOUND)


class Encoder(nn.Module):
    """Mean and log variance of a Gaussian over the latents at each step.

    A linear path gives a mean; what a network saw gives one too, or adds to it, and moves the
    variance.
    """

    def __init__(self, sizes: Sizes, *, n_linear: int, n_seen: int) -> None:
        super().__init__()
        self.linear = Linear(sizes.models, n_linear, sizes.latents) if sizes.linear else None
        if n_seen:
            self.mean = Linear(sizes.models, n_seen, sizes.latents)
            self.spread = Linear(sizes.models, n_seen, sizes.latents)
        self.log_variance = nn.Parameter(torch.zeros(sizes.models, 1, 1, sizes.latents))

    def gaussian(self, linear: Tensor | float, seen: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return mean and log variance, each (models, sequences, steps, latents).

        Parameters
        ----------
        linear : Tensor or float
            Mean by the linear path; 0 without one.
        seen : Tensor or None
            What the network saw, (models, sequences, steps, n_seen).
        """
        if seen is None:
            return linear, self.log_variance.expand_as(linear)
        mean = linear + self.mean(seen)
        log_variance = self.log_variance + bounded(self.spread(seen))
        return mean, log_variance.expand_as(mean)

    def draw_last(self, generators: list[torch.Generator]) -> None:
        """Draw the last layers; beside a linear path they stay zero: no correction at all."""
        if self.linear is None:
            self.mean.draw(generators)
            self.spread.draw(generators, gain=0.1)


class SourceEncoder(Encoder):
    """q(z|source): mean and log variance of a Gaussian over the latents at each step.

    A linear path over delayed regressors, and a network beside it or instead: each row by itself
    (`FrameEncoder`), then a recurrent network. Mean and variance are read from both.
    """

    def __init__(self, sizes: Sizes, filters: FilterBank) -> None:
        n_frames = sizes.units * len(filters.weights)
        super().__init__(
            sizes,
            n_linear=sizes.regressors,
            n_seen=n_frames + sizes.hidden if sizes.units else 0,
        )
        self.regressors, self.around = sizes.regressors, filters.around
        self.frames = self.lstm = None
        if sizes.units:
            self.frames = FrameEncoder(sizes.models, sizes.components, sizes.units, filters)
            if sizes.hidden:
                self.lstm = LSTM(sizes.models, n_frames, sizes.hidden)

    def forward(self, x: Tensor, within: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return mean and log variance, each (models, sequences, steps, latents).

        Parameters
        ----------
        x : Tensor of shape (models, sequences, before + steps + after, columns)
            Regressors and components, with the rows that the filters look at.
        within : Tensor of shape (models, sequences, steps), optional
            The recurrent network looks at rows within which it may alone, see `LSTM`.
        """
        before, after = self.around
        linear, seen = 0.0, None
        if self.linear is not None:
            linear = self.linear(x[:, :, before : x.shape[2] - after, : self.regressors])
        if self.frames is not None:
            seen = self.frames(x[..., self.regressors :])
            if self.lstm is not None:
                seen = torch.cat([seen, self.lstm(seen, within)], dim=-1)
        return self.gaussian(linear, seen)

    def draw(self, generators: list[torch.Generator]) -> None:
        """Draw the network's weights; beside a linear path the last layers stay zero."""
        if self.frames is None:
            return
        self.frames.units.draw(generators)
        if self.lstm is not None:
            self.lstm.draw(generators)
        self.draw_last(generators)


class TargetEncoder(Encoder):
    """q(z|target): mean and log variance of a Gaussian over the latents at each step.

    The recurrent network of a linear path sees what that path gives, and only adds to it.
    """

    def __init__(self, sizes: Sizes) -> None:
        super().__init__(sizes, n_linear=sizes.target, n_seen=sizes.hidden)
        self.lstm = None
        if sizes.hidden:
            n_in = sizes.latents if sizes.linear else sizes.target
            self.lstm = LSTM(sizes.models, n_in, sizes.hidden)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance of (models, sequences, steps, target)."""
        linear, seen = 0.0, None
        if self.linear is not None:
            linear = x = self.linear(x)
        if self.lstm is not None:
            seen = self.lstm(x)
        return self.gaussian(linear, seen)

    def draw(self, generators: list[torch.Generator]) -> None:
        """Draw the network's weights; beside a linear path the last layers stay zero."""
        if self.lstm is not None:
            self.lstm.draw(generators)
            self.draw_last(generators)


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
    """A batch of conditional variational autoencoders.

    Parameters
    ----------
    sizes : Sizes
    filters : FilterBank
        The delay from source to target.
    """

    def __init__(self, sizes: Sizes, filters: FilterBank) -> None:
        super().__init__()
        self.sizes = sizes
        self.source_encoder = SourceEncoder(sizes, filters)
        self.target_encoder = TargetEncoder(sizes)
        self.decoder = Decoder(sizes)
        self.log_noise = nn.Parameter(torch.zeros(sizes.models, 1, 1, 1))

    def draw(self, seeds: list[int]) -> None:
        """Draw the networks' weights, one seed a model, independent of the models beside it.

        Where there is a linear path, the networks' last layers stay zero: they begin as no
        correction at all.
        """
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.source_encoder.draw(generators)
        self.target_encoder.draw(generators)
        if self.decoder.inner is not None:
            self.decoder.inner.draw(generators)
            self.decoder.outer.draw(generators)


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
    source : Tensor of shape (models, sequences, before + steps + after, columns)
        With the rows that the delay's filters look at.
    target : Tensor of shape (models, sequences, steps, columns)
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
    # Sequences drawn at random may hold no row that may be fitted.
    count = mask.sum(dim=(1, 2)).clamp(min=1)

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
