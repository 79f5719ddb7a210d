"""Presets of the variational autoencoder, and what a configuration may change in them."""

from dataclasses import dataclass, fields
from typing import Any

from stim2bold.runtime.errors import InputError


@dataclass(frozen=True, kw_only=True)
class VAESettings:
    """A preset of the model and its training; every value can be set by configuration.

    Parameters
    ----------
    preset : str
        Name of the preset, for the record.
    seed, seeds : int
        First seed, and number of models that are averaged.
    device : str
        auto, cpu or cuda.
    components : int
        Principal components of the source.
    bins : int
        Stretches that the seconds after a moment of the film are averaged over.
    latents : int
        Latent dimensions; beside a linear path those that it predicts, see `rank`.
    units : int
        Rectified units that see each row of the source by itself, before the haemodynamic delay;
        0 for no network.
    hidden : int
        Units of each recurrent network; 0 for none.
    linear : bool
        Whether there is a linear path, started from the linear solution.
    rank : int
        Dimensions of the space that targets are rotated into, at least the latents. Beside a
        linear path each dimension that it does not predict has a latent for the network.
    chunk, context : int
        Rows of a training sequence, and rows before it that only warm the networks up.
    sequences : int
        Training sequences of a step, drawn anew for each; all where there are fewer.
    steps, every, patience : int
        Optimiser steps at most, steps between two looks at the inner folds, and steps without a
        smaller error there in any fold after which training ends.
    learning_rate, weight_decay : float
        Of AdamW; the decay pulls the linear path to its start and the networks to zero.
    reconstruction, beta, prior : float
        Weights of the objective, see `stim2bold.vae.network.Objective`.
    """

    preset: str
    seed: int
    seeds: int
    device: str
    components: int
    bins: int
    latents: int
    units: int
    hidden: int
    linear: bool
    rank: int
    chunk: int
    context: int
    sequences: int
    steps: int
    every: int
    patience: int
    learning_rate: float
    weight_decay: float
    reconstruction: float
    beta: float
    prior: float

    def __post_init__(self) -> None:
        if not self.linear and not (self.units and self.hidden):
            raise InputError(
                "configuration vae",
                f"preset '{self.preset}' is a network alone, and units or hidden is 0",
                "set both, or take the preset small-data, which has a linear path",
            )

    @property
    def memory(self) -> int:
        """Rows of the past that the recurrent network can see, at most."""
        return self.chunk + self.context - 1 if self.units and self.hidden else 0


#: What a configuration that names a preset need not say.
PRESETS: dict[str, dict[str, Any]] = {
    "small-data": {
        "components": 60,
        "bins": 5,
        "latents": 40,
        "units": 64,
        "hidden": 16,
        "linear": True,
        "rank": 64,
        "chunk": 32,
        "context": 16,
        "sequences": 32,
        "steps": 400,
        "every": 20,
        "patience": 40,
        "learning_rate": 5e-3,
        "weight_decay": 0.1,
        "reconstruction": 1.0,
        "beta": 1.0,
        "prior": 0.5,
    }
}
# As arXiv 2011.07340 describes it; its sizes could not be read, these are ours.
PRESETS["paper"] = PRESETS["small-data"] | {
    "linear": False,
    "hidden": 64,
    "latents": 32,
    "weight_decay": 0.01,
    "prior": 0.0,
}


def settings_of(section: dict[str, Any]) -> VAESettings:
    """Return the preset that a configuration section names, with the section's own values.

    Parameters
    ----------
    section : dict
        ``preset``, ``seed``, ``seeds``, ``device``, and any other field of `VAESettings`; null
        leaves the preset's value.

    Raises
    ------
    InputError
        On an unknown preset or key, and where no network would be left.
    """
    known = {field.name for field in fields(VAESettings)}
    unknown = sorted(set(section) - known)
    if unknown or section.get("preset") not in PRESETS:
        raise InputError(
            "configuration vae",
            f"unknown {unknown or section.get('preset')}",
            f"presets are {sorted(PRESETS)}, keys are {sorted(known)}",
        )
    chosen = {key: value for key, value in section.items() if value is not None}
    return VAESettings(**{**PRESETS[section["preset"]], **chosen})
