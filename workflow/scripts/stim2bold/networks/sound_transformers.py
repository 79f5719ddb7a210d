"""Networks of sound of the `transformers` library, from a folder of the user's: layers by number.

The sound goes through a network in windows that overlap by half, of which the middle is kept: what
a row is made of lies at least a quarter of a window before and after it, but at the film's ends.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from torch import Tensor
from transformers import AutoFeatureExtractor, AutoModel

from stim2bold.networks.pretrained import layer_number, load_pretrained
from stim2bold.runtime.command import progress
from stim2bold.runtime.devices import choose_device
from stim2bold.runtime.errors import InputError
from stim2bold.stimulus.feature_tables import frame_table

log = logging.getLogger(__name__)

#: What config.json calls each network.
MODEL_TYPES = {
    "wav2vec2": "wav2vec2",
    "hubert": "hubert",
    "wavlm": "wavlm",
    "whisper": "whisper",
    "ast": "audio-spectrogram-transformer",
}
STEP = 0.1
"""Seconds over which frames are averaged."""


@dataclass(frozen=True)
class SoundTransformer:
    """A network of sound.

    Parameters
    ----------
    name : str
        A key of `MODEL_TYPES`.
    source : str
        Folder of its weights.
    rate : int
        Samples a second it wants.
    longest : float
        Seconds of the longest window it takes.
    module : Module
    states : callable
        From a window of sound, (n_samples,), to the times of frames in it, (n_frames,) seconds, and
        the hidden states of all layers, the input of the first included, each (n_frames, width).
    """

    name: str
    source: str
    rate: int
    longest: float
    module: torch.nn.Module
    states: Callable[[np.ndarray], tuple[np.ndarray, list[Tensor]]]


def load(name: str, folder: str | Path | None) -> SoundTransformer:
    """Load a network of sound from a folder in the layout of `transformers`.

    Parameters
    ----------
    name : str
        A key of `MODEL_TYPES`.
    folder : str, Path or None
        Folder with config.json, preprocessor_config.json and model.safetensors.

    Raises
    ------
    InputError
        When there are no weights, or they are another network's.
    """
    model, folder = load_pretrained(
        name,
        folder,
        AutoModel,
        model_type=MODEL_TYPES[name],
        needed=("preprocessor_config.json",),
    )
    extractor = AutoFeatureExtractor.from_pretrained(folder, local_files_only=True)
    rate, config = extractor.sampling_rate, model.config
    if name == "whisper":
        model = model.get_encoder()
    longest = {
        "whisper": getattr(extractor, "chunk_length", np.inf),
        "ast": getattr(config, "max_length", 0) / 100,
    }.get(name, np.inf)

    def states(window: np.ndarray) -> tuple[np.ndarray, list[Tensor]]:
        given = extractor(window, sampling_rate=rate, return_tensors="pt")
        device = next(model.parameters()).device
        with torch.inference_mode():
            out = model(**{key: given[key].to(device) for key in given}, output_hidden_states=True)
        layers = [layer[0].float().cpu() for layer in out.hidden_states]
        if name == "ast":
            layers = [_over_frequency(layer, config) for layer in layers]
        times = _frame_times(name, len(layers[0]), config, extractor)
        # Whisper and AST fill a short window up with silence.
        return times[times < len(window) / rate], [
            layer[times < len(window) / rate] for layer in layers
        ]

    return SoundTransformer(name, folder.name, rate, float(longest), model, states)


def _over_frequency(layer: Tensor, config) -> Tensor:
    """Average AST's patches over frequency, (n_frames, width); two first tokens are none."""
    n_bands = (config.num_mel_bins - config.patch_size) // config.frequency_stride + 1
    return layer[2:].reshape(n_bands, -1, layer.shape[-1]).mean(dim=0)


def _frame_times(name: str, n_frames: int, config, extractor) -> np.ndarray:
    """Return the middles of frames, seconds from the window's begin."""
    number = np.arange(n_frames)
    if name == "whisper":
        # The second convolution takes every other frame of a centred transform.
        return number * 2 * extractor.hop_length / extractor.sampling_rate
    if name == "ast":
        # Patches over frames of 25 ms, one every 10 ms.
        return (number * config.time_stride + (config.patch_size - 1) / 2) * 0.01 + 0.0125
    strides = list(config.conv_stride)
    reach = 1 + sum(
        (kernel - 1) * prod(strides[:place]) for place, kernel in enumerate(config.conv_kernel)
    )
    return (number * prod(strides) + reach / 2) / extractor.sampling_rate


def window_starts(duration: float, window: float) -> np.ndarray:
    """Return where windows begin that overlap by half; the last ends with the sound."""
    last = max(0.0, duration - window)
    return np.append(np.arange(0.0, last, window / 2), last)


def extract(
    network: SoundTransformer, sound: np.ndarray, *, layer: str, window: float, device: str
) -> xr.DataArray:
    """Compute the features of a sound.

    Parameters
    ----------
    network : SoundTransformer
    sound : ndarray of shape (n_samples,)
        At the network's rate, from film time 0 on.
    layer : str
        Its number, 0 for the input of the first; the last where empty.
    window : float
        Seconds that the network hears at once.
    device : {'auto', 'cpu', 'cuda'}

    Returns
    -------
    DataArray of float32, dims (time, feature)
        Means of frames over `STEP` seconds.

    Raises
    ------
    InputError
        When there is no such layer, or the window is longer than the network takes.
    """
    if window > network.longest:
        raise InputError(
            "config.yaml",
            (
                f"backbones.{network.name}.window is {window:g} s, and {network.source} takes "
                f"{network.longest:g} s at most"
            ),
            "set it to that or less",
        )
    network.module.to(choose_device(device))
    size, duration = round(window * network.rate), len(sound) / network.rate
    starts = window_starts(duration, window)
    middles = starts + min(window, duration) / 2
    times, values, number = [], [], None
    for place in progress(range(len(starts)), "windows", total=len(starts)):
        begin = round(starts[place] * network.rate)
        within, layers = network.states(sound[begin : begin + size])
        if number is None:
            number = layer_number(layer, len(layers) - 1, network.name)
        within = within + begin / network.rate
        # Each frame is taken from the window in whose middle it is.
        own = np.abs(within[:, np.newaxis] - middles).argmin(axis=1) == place
        times.append(within[own])
        values.append(layers[number].numpy()[own])
    times, values = np.concatenate(times), np.concatenate(values)
    table = frame_table(
        times,
        values,
        np.flatnonzero(np.diff(np.floor(times / STEP), prepend=-1)),
        [f"sound/{network.name} {n}" for n in range(values.shape[1])],
        attributes={
            "units": "1",
            "network": network.name,
            "weights": network.source,
            "layer": number,
            "window_seconds": window,
        },
    )
    log.info("%s, layer %d: %d rows, %d features", network.name, number, *table.shape)
    return table
