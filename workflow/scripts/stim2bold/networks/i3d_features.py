"""Features of a film from a video network, each row with its place in film time.

A row's time is the centre of the frames it sees. Sample i of the film stands for the interval from
``i / rate`` to ``(i + 1) / rate``, so the centre of n samples from i on is ``(i + n / 2) / rate``.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice, repeat
from typing import Any

import numpy as np
import pandas as pd
import torch
import xarray as xr
from torch import Tensor
from torch.nn import functional as F

from stim2bold.networks.i3d import I3D, grid_of_time, stream
from stim2bold.networks.i3d_settings import FRAME_MULTIPLE, I3DSettings
from stim2bold.runtime.devices import choose_device


def prepare(network: I3D, settings: I3DSettings) -> I3D:
    """Put a network where and in the layout and precision in which it runs fastest."""
    return network.to(
        device=choose_device(settings.device),
        dtype=getattr(torch, settings.precision),
        memory_format=torch.channels_last_3d,
    )


def to_clip(frames: list[np.ndarray], network: I3D) -> Tensor:
    """Turn frames into network input.

    Parameters
    ----------
    frames : list of ndarray, each of shape (height, width, n_channels)
        uint8: 0 becomes -1 and 255 becomes 1. Floating point (optical flow): taken as it is.
    network : I3D
        Gives device and precision.

    Returns
    -------
    Tensor, shape (1, n_channels, n_frames, height, width)
        Channels last in memory.
    """
    weight = network.Conv3d_1a_7x7.conv.weight
    stack = torch.from_numpy(np.stack(frames)).to(weight.device)
    values = stack.to(torch.float32)
    if stack.dtype == torch.uint8:
        values = values.div_(127.5).sub_(1)
    return values.to(weight.dtype).permute(3, 0, 1, 2).unsqueeze(0)


def pooled(output: Tensor, grid: int) -> np.ndarray:
    """Average an output over space.

    Parameters
    ----------
    output : Tensor, shape (1, n_channels, n_times, rows, columns)
        Output of an endpoint.
    grid : int
        Places left in each direction.

    Returns
    -------
    ndarray of shape (n_times, n_channels * grid * grid), float32
        Channel by channel, within a channel row by row.
    """
    frames = output[0].transpose(0, 1).float()
    return F.adaptive_avg_pool2d(frames, grid).flatten(1).cpu().numpy()


def _groups(frames: Iterable[np.ndarray], size: int) -> Iterator[list[np.ndarray]]:
    """Cut the film into groups, the last frame repeated to a multiple of 8 in all."""
    coming = iter(frames)
    n_frames = 0
    group = list(islice(coming, size))
    while group:
        following = list(islice(coming, size))
        n_frames += len(group)
        if not following:
            group += [group[-1]] * (-n_frames % FRAME_MULTIPLE)
        yield group
        group = following


def _held(frames: Iterable[np.ndarray], n_before: int, n_after: int) -> Iterator[np.ndarray]:
    """Hold the first frame before the film and the last one after it."""
    latest = None
    for frame in frames:
        if latest is None:
            yield from repeat(frame, n_before)
        latest = frame
        yield frame
    if latest is not None:
        yield from repeat(latest, n_after)


def dense(
    network: I3D, frames: Iterable[np.ndarray], settings: I3DSettings
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Run the network once over a film.

    Where a row sees more than the film, it sees the first or last frame held: the zeros that
    networks are padded with would make the film's ends stand out as nothing within it does.

    Parameters
    ----------
    network : I3D
        As `prepare` returns it.
    frames : iterable of ndarray, each of shape (height, width, n_channels)
        The film at ``settings.rate``.
    settings : I3DSettings
        See there.

    Yields
    ------
    times : ndarray of shape (n,)
        Film times of the rows, seconds; all those within the film.
    features : ndarray of shape (n, n_features), float32
    """
    stride, first, extent = grid_of_time(network, settings.endpoint)
    # Half of what a row sees, in multiples that leave the rows where they are.
    n_held = -(-(extent // 2 + 1) // FRAME_MULTIPLE) * FRAME_MULTIPLE
    n_seen = 0

    def counted() -> Iterator[np.ndarray]:
        nonlocal n_seen
        for frame in frames:
            n_seen += 1
            yield frame

    index = -n_held // stride
    with torch.inference_mode():
        groups = _groups(_held(counted(), n_held, n_held), settings.group)
        clips = (to_clip(group, network) for group in groups)
        for output in stream(network, clips, settings.endpoint):
            features = pooled(output, settings.grid)
            centres = first + np.arange(index, index + len(features)) * stride + extent / 2
            index += len(features)
            # A row can only come out once the film has been read beyond its centre.
            within = (centres > 0) & (centres < n_seen)
            if within.any():
                yield centres[within] / settings.rate, features[within]


def windowed(
    network: I3D,
    frames: Iterable[np.ndarray],
    settings: I3DSettings,
    centres: np.ndarray,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Run the network over every window of a film by itself.

    A row is the mean of the endpoint's outputs within its window. Windows that reach beyond the
    film see its first or last frame there.

    Parameters
    ----------
    network : I3D
        As `prepare` returns it.
    frames : iterable of ndarray, each of shape (height, width, n_channels)
        The film at ``settings.rate``.
    settings : I3DSettings
        See there.
    centres : ndarray of shape (n_windows,)
        Increasing film times on which the windows are centred, to the nearest frame.

    Yields
    ------
    times : ndarray of shape (1,)
        Film time of the row: the true centre of its window, seconds.
    features : ndarray of shape (1, n_features), float32
    """
    size = settings.window
    starts = np.floor(np.asarray(centres) * settings.rate - size / 2 + 0.5).astype(int)
    coming = iter(frames)
    held: deque[np.ndarray] = deque(maxlen=size)
    n_read = 0
    latest = next(coming)
    held.extend([latest] * size)
    # `held` ends with frame n_read - 1; before the film it is all first frame.
    for start in starts:
        while n_read < start + size:
            if n_read:
                latest = next(coming, latest)
            held.append(latest)
            n_read += 1
        clip = list(held)
        if start + size < n_read:  # the window lies before the film by more than its own length
            clip = [held[0]] * size
        with torch.inference_mode():
            output = network(to_clip(clip, network), settings.endpoint)
            features = pooled(output, settings.grid).mean(axis=0, keepdims=True)
        yield np.array([(start + size / 2) / settings.rate]), features


def feature_rows(
    network: I3D,
    frames: Iterable[np.ndarray],
    settings: I3DSettings,
    *,
    duration: float,
    offset: float = 0.0,
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Take the features of a film, some rows at a time.

    Parameters
    ----------
    network : I3D
        As `stim2bold.networks.i3d_weights.load_network` returns it.
    frames : iterable of ndarray, each of shape (height, width, n_channels)
        The film at ``settings.rate``.
    settings : I3DSettings
        See there.
    duration : float
        Length of the film, seconds.
    offset : float
        Seconds by which the frames lie later than the film's samples, as optical flow does.

    Yields
    ------
    times : ndarray of shape (n,)
        Film times of the centres of what the rows see, seconds.
    features : ndarray of shape (n, n_features), float32
    """
    network = prepare(network, settings)
    if settings.mode == "dense":
        rows = dense(network, frames, settings)
    else:
        centres = np.arange(settings.step / 2, duration, settings.step)
        rows = windowed(network, frames, settings, centres)
    for times, features in rows:
        yield times + offset, features


def describe(network: I3D, settings: I3DSettings) -> dict[str, Any]:
    """Say what the features are, for the attributes of a file."""
    stride, _, extent = grid_of_time(network, settings.endpoint)
    alone = settings.mode == "windowed"
    return {
        "units": "1",
        "network": "i3d",
        "mode": settings.mode,
        "endpoint": settings.endpoint,
        "grid": settings.grid,
        "rate": settings.rate,
        "precision": settings.precision,
        "step_seconds": settings.step if alone else stride / settings.rate,
        "seen_seconds": (settings.window if alone else extent) / settings.rate,
        "description": "rows are centred on the frames they see; features by channel, then place",
    }


def extract(
    network: I3D,
    frames: Iterable[np.ndarray],
    settings: I3DSettings,
    *,
    duration: float,
    offset: float = 0.0,
) -> xr.DataArray:
    """Take the features of a film into memory, see `feature_rows`.

    Returns
    -------
    DataArray, dims (time, feature)
        `time` holds the centres of what each row sees, in seconds of film time.
    """
    parts = feature_rows(network, frames, settings, duration=duration, offset=offset)
    times, features = (np.concatenate(part) for part in zip(*parts, strict=True))
    return xr.DataArray(
        features,
        dims=("time", "feature"),
        coords={
            "time": ("time", times, {"units": "s", "description": "film time of the centre"}),
            "feature": np.arange(features.shape[1], dtype=np.int32),
        },
        name="features",
        attrs=describe(network, settings),
    )


def classify(
    network: I3D, frames: Iterable[np.ndarray], settings: I3DSettings, labels: list[str]
) -> pd.DataFrame:
    """Score the classes for one clip, seen as a whole.

    Parameters
    ----------
    network : I3D
        As `stim2bold.networks.i3d_weights.load_network` returns it.
    frames : iterable of ndarray, each of shape (height, width, n_channels)
        The clip at ``settings.rate``, short enough for the memory.
    settings : I3DSettings
        See there.
    labels : list of str
        Names of the classes.

    Returns
    -------
    DataFrame
        rank, label, score (softmax) and logit, likeliest first.
    """
    network = prepare(network, settings)
    clip = [frame for group in _groups(frames, settings.group) for frame in group]
    with torch.inference_mode():
        logits = network.classify(to_clip(clip, network))[0].double().cpu()
    order = logits.argsort(descending=True)
    return pd.DataFrame(
        {
            "rank": np.arange(1, len(labels) + 1),
            "label": [labels[index] for index in order.tolist()],
            "score": logits.softmax(0)[order].numpy(),
            "logit": logits[order].numpy(),
        }
    )
