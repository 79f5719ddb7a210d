"""Other video networks behind one interface.

    backbone = load(folder)  # of stim2bold.networks.r2plus1d or stim2bold.networks.transformers
    for times, features in rows(backbone, frames, settings, centres):
        ...

A backbone is a function of a window of frames; weights come from a folder of the user's, never
from the network, and never from a random generator.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor, nn

from stim2bold.runtime.command import progress
from stim2bold.runtime.devices import choose_device
from stim2bold.stimulus.film import sample
from stim2bold.stimulus.timing import sample_times


@dataclass(frozen=True, kw_only=True)
class BackboneSettings:
    """How windows are cut.

    Parameters
    ----------
    weights : str, optional
        Folder with the weights.
    window : float
        Seconds a window spans; as many frames as the network takes are spread over it evenly.
    step : float
        Seconds from window to window.
    device : {'auto', 'cpu', 'cuda'}
        Where the network runs.
    """

    weights: str | None
    window: float
    step: float
    device: str

    def __post_init__(self) -> None:
        if min(self.window, self.step) <= 0:
            raise ValueError("window and step must be positive numbers of seconds")


@dataclass(frozen=True)
class Backbone:
    """A video network and what it wants to be given.

    Attributes
    ----------
    name : str
        A key of `stim2bold.networks.pretrained.FILES`.
    n_frames : int
        Frames per window.
    side : int
        Pixels a side.
    mean, std : tuple of float
        By which colours in [0, 1] are normalised.
    features : callable
        From a normalised window (1, n_frames, 3, side, side) to (1, n_features).
    source : str
        Where the weights came from.
    module : Module
        The network itself.
    """

    name: str
    n_frames: int
    side: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    features: Callable[[Tensor], Tensor]
    source: str
    module: nn.Module


def rows(
    backbone: Backbone,
    frames: Iterable[np.ndarray],
    settings: BackboneSettings,
    centres: np.ndarray,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Apply a backbone to every window of a film.

    Parameters
    ----------
    backbone : Backbone
        As `load` returns it.
    frames : iterable of ndarray of uint8, each of shape (side, side, 3)
        The film at ``backbone.n_frames / settings.window`` frames per second.
    settings : BackboneSettings
        See there.
    centres : ndarray of shape (n_windows,)
        Increasing film times on which the windows are centred, to the nearest frame.

    Yields
    ------
    times : ndarray of shape (1,)
        Film time of the window's true centre.
    features : ndarray of shape (1, n_features), float32
    """
    device = choose_device(settings.device)
    backbone.module.to(device)
    mean = torch.tensor(backbone.mean, device=device).reshape(3, 1, 1)
    std = torch.tensor(backbone.std, device=device).reshape(3, 1, 1)
    size = backbone.n_frames
    rate = size / settings.window
    starts = np.floor(np.asarray(centres) * rate - size / 2 + 0.5).astype(int)
    coming = iter(frames)
    latest = next(coming)
    held: deque[np.ndarray] = deque([latest] * size, maxlen=size)
    n_read = 0
    for start in starts:
        while n_read < start + size:
            if n_read:
                latest = next(coming, latest)
            held.append(latest)
            n_read += 1
        window = torch.from_numpy(np.stack(held)).to(device).permute(0, 3, 1, 2).float() / 255
        with torch.inference_mode():
            features = backbone.features(((window - mean) / std).unsqueeze(0))
        yield np.array([(start + size / 2) / rate]), features.float().cpu().numpy()


def extract(
    backbone: Backbone,
    frames: Iterable[np.ndarray],
    settings: BackboneSettings,
    *,
    duration: float,
) -> xr.DataArray:
    """Take the features of a film, one row per window.

    Returns
    -------
    DataArray, dims (time, feature)
        `time` holds the windows' centres in seconds of film time.
    """
    centres = np.arange(settings.step / 2, duration, settings.step)
    times, features = zip(*rows(backbone, frames, settings, centres), strict=True)
    values = np.concatenate(features)
    return xr.DataArray(
        values,
        dims=("time", "feature"),
        coords={
            "time": ("time", np.concatenate(times), {"units": "s"}),
            "feature": np.arange(values.shape[1], dtype=np.int32),
        },
        name="features",
        attrs={
            "units": "1",
            "network": backbone.name,
            "weights": backbone.source,
            "step_seconds": settings.step,
            "seen_seconds": settings.window,
        },
    )


def extract_film(
    backbone: Backbone, film: Path, clock: dict[str, Any], *, settings: BackboneSettings
) -> xr.DataArray:
    """Extract the features of a film file.

    Parameters
    ----------
    backbone : Backbone
        As `load` returns it.
    film : Path
        The file.
    clock : dict
        film.json of the script probe_film.
    settings : BackboneSettings
        See there.

    Returns
    -------
    DataArray, dims (time, feature)
        As `extract`, with the film's name as ``source``.
    """
    times = sample_times(clock["duration"], backbone.n_frames / settings.window)
    frames = sample(
        film,
        times,
        zero=clock["zero"],
        stream=clock["video"]["stream"],
        short_side=round(backbone.side * 8 / 7),
        crop=backbone.side,
    )
    features = extract(
        backbone,
        progress(frames, "frames", total=len(times)),
        settings,
        duration=clock["duration"],
    )
    features.attrs["source"] = film.name
    return features
