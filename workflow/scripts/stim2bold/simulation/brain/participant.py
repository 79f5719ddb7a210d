"""A simulated participant: a head in MNI space, deformed, scanned, and following the film.

    volume t = coils x [head + strength x response](moved as at t) x (1 + drift + physiology
               + AR(1) noise) + thermal noise, as a magnitude.

`strength` is set so that in planted voxels, brought to MNI space by the true maps with one cubic
interpolation, not smoothed, and high-passed at 1/128 Hz, measured and planted signal correlate on
average as the configuration's `ceiling` says.
"""

from collections.abc import Collection
from dataclasses import dataclass

import nibabel as nib
import numpy as np
import pandas as pd
from scipy.ndimage import distance_transform_edt, gaussian_filter

from stim2bold.simulation.brain.anatomy import Anatomy, draw_head
from stim2bold.simulation.brain.deformation import (
    CENTRE,
    Deformation,
    apply_affine,
    draw_deformation,
    rigid,
)
from stim2bold.simulation.brain.grids import grid_points, image_of, sample
from stim2bold.simulation.brain.head_motion import draw_motion, matrices
from stim2bold.simulation.brain.image_settings import ImageSettings
from stim2bold.simulation.brain.noise import disturb, draw_coil
from stim2bold.simulation.brain.planted_regions import KIND_NUMBERS, region_at
from stim2bold.simulation.brain.planted_signal import AFFINE, SHAPE, draw_all_weights
from stim2bold.simulation.brain.planted_strength import (
    N_CALIBRATION,
    find_strength,
    planted_voxels,
)
from stim2bold.simulation.brain.scanning import (
    BOLD_BRIGHTNESS,
    lay_bold_grid,
    place_head,
    scan,
    take_t1w,
)
from stim2bold.simulation.brain.user_head import borrow_head, carry_to_mni, read_head
from stim2bold.simulation.film.planted_dimensions import KINDS


@dataclass(frozen=True)
class Participant:
    """A participant's images and all that is true of them.

    Parameters
    ----------
    t1w, bold : Nifti1Image
        What the scanner gives.
    motion : DataFrame
        See `head_motion`.
    deformation : Deformation
        MNI to T1w scanner space.
    bold_to_t1w : ndarray of shape (4, 4)
        A point of BOLD scanner space, during volume 0, to T1w scanner space.
    tissue, bias : Nifti1Image
        On the grid of the T1w image, see `scanning.take_t1w`.
    regions : Nifti1Image
        On the MNI grid of the truth, see `label_regions`.
    voxels : DataFrame, (n_planted,)
        i, j, k (of that grid), x, y, z (MNI mm), kind, ceiling (nan where it was not measured).
    signal : ndarray of shape (n_volumes, n_planted), float32
        Planted signal without noise, in per cent of a voxel that is all grey matter.
    weights : ndarray of shape (n_planted, n_components), float32
        signal = planted components @ weights.T.
    strength : float
        Standard deviation of the signal of a voxel that is all grey matter, relative to its mean.
    """

    t1w: nib.Nifti1Image
    bold: nib.Nifti1Image
    motion: pd.DataFrame
    deformation: Deformation
    bold_to_t1w: np.ndarray
    tissue: nib.Nifti1Image
    bias: nib.Nifti1Image
    regions: nib.Nifti1Image
    voxels: pd.DataFrame
    signal: np.ndarray
    weights: np.ndarray
    strength: float


def label_regions(anatomy: Anatomy, kinds: Collection[str] = KINDS) -> np.ndarray:
    """Say where on the MNI grid of the truth signal is planted, and where surely none is.

    Parameters
    ----------
    anatomy : Anatomy
        For its grey matter and brain.
    kinds : collection of str, optional
        Kinds that are planted; all unless it is given.

    Returns
    -------
    ndarray of shape (50, 59, 48), int8
        `KIND_NUMBERS` where at least half of the voxel is grey matter of a region, -1 in brain more
        than 12 mm from any grey matter of any region, else 0.
    """
    points = grid_points(AFFINE, SHAPE)
    step = AFFINE[0, 0]
    # A voxel of the truth averages over several of the anatomy.
    blurred = gaussian_filter(anatomy.gm, 0.35 * step / anatomy.affine[0, 0])
    grey = sample(blurred, anatomy.affine, points).reshape(SHAPE)
    brain = sample(anatomy.brain.astype(np.float32), anatomy.affine, points).reshape(SHAPE) > 0.5
    region = region_at(points).reshape(SHAPE)
    region[~np.isin(region, [KIND_NUMBERS[kind] for kind in kinds])] = 0
    distance = distance_transform_edt(~((region > 0) & (grey > 0.05)), sampling=step)
    label = np.where(grey >= 0.5, region, 0).astype(np.int8)
    label[brain & (distance > 12.0)] = -1
    return label


@dataclass(frozen=True)
class TakenHead:
    """A head, and its T1w image.

    Parameters
    ----------
    anatomy : Anatomy
        In MNI space, twice as fine as BOLD.
    deformation : Deformation
        MNI to T1w scanner space.
    t1w, tissue, bias : Nifti1Image
        See `Participant`.
    centre : ndarray of shape (3,), optional
        Of the brain in T1w scanner space, where it is not that of a drawn head.
    """

    anatomy: Anatomy
    deformation: Deformation
    t1w: nib.Nifti1Image
    tissue: nib.Nifti1Image
    bias: nib.Nifti1Image
    centre: np.ndarray | None


def take_head(
    settings: ImageSettings, chance: dict[str, np.random.Generator], *, seed: int
) -> TakenHead:
    """Draw a head, or borrow the one that the settings name, and take its T1w image.

    Parameters
    ----------
    settings : ImageSettings
    chance : dict of str to Generator
        Of ``deformation`` and ``t1w``.
    seed : int
        Of the data set: a borrowed head is the same in all its participants.
    """
    fine = settings.bold_voxel / 2
    if settings.head is not None:
        head = borrow_head(read_head(settings.head), seed=seed)
        return TakenHead(
            anatomy=carry_to_mni(head, fine),
            deformation=head.deformation,
            t1w=head.t1w,
            tissue=head.tissue,
            bias=head.bias,
            centre=head.deformation.to_t1w(CENTRE[None])[0],
        )
    deformation = draw_deformation(settings.deformation_mm, chance["deformation"])
    anatomy = draw_head(settings.t1w_voxel)
    t1w, tissue, bias = take_t1w(
        anatomy,
        deformation,
        voxel=settings.t1w_voxel,
        noise_percent=settings.t1w_noise_percent,
        bias_percent=settings.bias_percent,
        rng=chance["t1w"],
    )
    if settings.t1w_voxel != fine:
        anatomy = draw_head(fine)
    return TakenHead(anatomy, deformation, t1w, tissue, bias, centre=None)


def simulate_participant(
    planted: np.ndarray,
    kinds: np.ndarray,
    shares: np.ndarray,
    settings: ImageSettings,
    *,
    TR: float,
    seed: int,
    number: int,
) -> Participant:
    """Make the images of a participant.

    Parameters
    ----------
    planted : ndarray of shape (n_volumes, n_components)
        Responses to the film at the volumes, of unit variance (`film_features.plant`).
    kinds : ndarray of shape (n_components,), str
        visual, auditory or language.
    shares : ndarray of shape (n_components,)
        Of each component in the variance planted for its kind.
    settings : ImageSettings
        How.
    TR : float
        Seconds between volumes.
    seed : int
        Of the data set.
    number : int
        Of the participant, from 1: with the seed it fixes everything that is theirs.

    Returns
    -------
    Participant
        Images and truth.
    """
    # Each part has chance of its own, so that a change to one leaves the others as they were.
    names = ("deformation", "t1w", "grid", "motion", "noise", "coil", "rigid", "voxels")
    chance = {name: np.random.default_rng([seed, number, k]) for k, name in enumerate(names)}
    head = take_head(settings, chance, seed=seed)
    deformation = head.deformation
    bold_to_t1w = rigid(
        chance["rigid"].normal(0, 1.5, 3), np.radians(chance["rigid"].normal(0, 1.2, 3))
    )
    motion = draw_motion(
        len(planted),
        TR=TR,
        largest_mm=settings.motion_mm,
        largest_degrees=settings.motion_degrees,
        n_jerks=settings.jerks,
        rng=chance["motion"],
    )
    moves = matrices(motion)
    weights = draw_all_weights(
        kinds, shares, correlation=settings.between_correlation, seed=seed, number=number
    )
    affine, shape = lay_bold_grid(settings.bold_voxel, chance["grid"], centre=head.centre)
    source = place_head(
        head.anatomy, deformation, bold_to_t1w, weights, kinds, affine=affine, shape=shape
    )
    series, response, near = scan(source, planted, moves, affine=affine, shape=shape)
    points = grid_points(affine, shape)
    coil = draw_coil(points, settings.bias_percent, chance["coil"]).astype(np.float32)
    disturb(
        series,
        settings=settings.noise,
        TR=TR,
        voxel=settings.bold_voxel,
        grey=sample(source.gm, source.affine, points).reshape(shape),
        fluid=sample(source.csf, source.affine, points).reshape(shape),
        coil=coil.reshape(shape),
        brightness=BOLD_BRIGHTNESS,
        rng=chance["noise"],
    )
    response *= coil[near]

    regions = label_regions(head.anatomy, tuple(weights))
    voxels, voxel_weights = planted_voxels(regions, kinds, weights)
    truth = planted @ voxel_weights.T
    strength = 0.0
    if not settings.no_signal:
        chosen = np.sort(chance["voxels"].permutation(len(voxels))[:N_CALIBRATION])
        # Where the planted voxels lie in BOLD scanner space during volume 0.
        places = apply_affine(
            np.linalg.inv(bold_to_t1w),
            deformation.to_t1w(voxels[["x", "y", "z"]].to_numpy()[chosen]),
        )
        strength, ceilings = find_strength(
            series, response, near, moves, affine, places, truth[:, chosen],
            ceiling=settings.ceiling, TR=TR,
        )  # fmt: skip
        voxels.loc[chosen, "ceiling"] = ceilings
        flat = series.reshape(len(series), -1)
        # Volume by volume: all at once would hold the series twice.
        for volume, added in zip(flat, response, strict=True):
            volume[near] += strength * added
    bold = image_of(_as_integers(series), affine)
    bold.header.set_zooms((*bold.header.get_zooms()[:3], TR))
    return Participant(
        t1w=head.t1w,
        bold=bold,
        motion=motion,
        deformation=deformation,
        bold_to_t1w=bold_to_t1w,
        tissue=head.tissue,
        bias=head.bias,
        regions=image_of(regions, AFFINE),
        voxels=voxels,
        signal=(100 * strength * truth).astype(np.float32),
        weights=(100 * strength * voxel_weights).astype(np.float32),
        strength=strength,
    )


def _as_integers(series: np.ndarray) -> np.ndarray:
    """Return (nx, ny, nz, n_volumes) of int16 from (n_volumes, nx, ny, nz)."""
    integers = np.empty((*series.shape[1:], len(series)), dtype=np.int16, order="F")
    for number, volume in enumerate(series):
        integers[..., number] = np.clip(np.round(volume), 0, 32767)
    return integers
