"""Which modality explains which voxel: frames in red, sound in green, words in blue."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from stim2bold.evaluation.map_figure import SLICES
from stim2bold.evaluation.maps import grid, to_volume
from stim2bold.io.files import replacing
from stim2bold.models.catalogue import MODALITIES, needs
from stim2bold.preprocessing.registration import template
from stim2bold.preprocessing.resampling import apply, nearest_voxels

#: Share of a voxel's variance below which nothing is coloured.
LEAST = 0.01


def modality_shares(explained: xr.DataArray) -> np.ndarray:
    """Return what the spaces of each modality explain of each voxel, shape (n_voxels, 3).

    Parameters
    ----------
    explained : DataArray, (space, voxel)
        As partition_variance writes it. Spaces of no modality, such as annotations, are left out;
        what is negative counts as nothing.
    """
    kinds = [needs(str(space)) for space in explained["space"].values]
    parts = [
        explained.values[[kind == modality for kind in kinds]].sum(axis=0)
        for modality in MODALITIES
    ]
    return np.maximum(np.stack(parts, axis=1), 0)


def winners(explained: xr.DataArray) -> np.ndarray:
    """Return the number of the space that explains most of each voxel, counted from 1.

    0 where all spaces together explain less than `LEAST` of its variance.
    """
    best = explained.values.argmax(axis=0) + 1
    return np.where(explained.values.sum(axis=0) >= LEAST, best, 0).astype(np.int16)


def colours(shares: np.ndarray) -> np.ndarray:
    """Return red, green and blue from 0 to 1 for the shares of the modalities.

    Full brightness is the 99th percentile of the largest share of each voxel, `LEAST` at least.
    """
    largest = shares.max(axis=1)
    limit = max(float(np.percentile(largest, 99)), LEAST) if largest.size else LEAST
    shown = np.clip(shares / limit, 0, 1)
    shown[shares.sum(axis=1) < LEAST] = 0
    return shown


def draw_modalities(explained: xr.DataArray, *, path: str | Path) -> None:
    """Draw the modalities of each voxel in axial slices of the template.

    Parameters
    ----------
    explained : DataArray, (space, voxel)
        With i, j, k, and the attributes affine and shape.
    path : str or Path
        The picture to write.
    """
    head = template("T1w", 2)
    brain = np.asarray(template("mask", 2).dataobj) > 0
    anatomy = np.where(brain, np.clip(np.asarray(head.dataobj), 0, None), 0)
    affine, shape = grid(explained)
    volume = np.moveaxis(to_volume(colours(modality_shares(explained)).T, explained), -1, 0)
    figure, axes = plt.subplots(1, len(SLICES), figsize=(14, 2.6), facecolor="white")
    x, y = np.meshgrid(np.arange(anatomy.shape[0]), np.arange(anatomy.shape[1]), indexing="ij")
    for z, axis in zip(SLICES, axes, strict=True):
        k = round((z - head.affine[2, 3]) / head.affine[2, 2])
        world = apply(head.affine, np.stack([x, y, np.full_like(x, k)]).astype(float))
        index, inside = nearest_voxels(world, affine, shape)
        shown = np.zeros((*x.shape, 3))
        shown[inside] = volume[(slice(None), *index[:, inside])].T
        grey = np.repeat(0.7 * anatomy[..., k, None] / anatomy.max(), 3, axis=2)
        grey[~brain[..., k]] = 1
        # The hue says which, its strength how much.
        strength = shown.max(axis=2, keepdims=True)
        hue = shown / np.where(strength > 0, strength, 1)
        picture = (1 - strength) * grey + strength * hue
        axis.imshow(picture.transpose(1, 0, 2), origin="lower", interpolation="nearest")
        axis.set_title(f"z={z}", fontsize=9)
        axis.axis("off")
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=90, bbox_inches="tight")
    plt.close(figure)
