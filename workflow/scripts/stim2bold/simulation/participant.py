"""Images of a simulated participant: a T1w head, and BOLD that follows the film.

The head is the template's, deformed (`deformation`); the T1w and the BOLD images have scanner
spaces of their own, a known rigid map apart. The BOLD series is

    volume t = coil sensitivity x [head + planted signal](moved as at t) x (1 + drift + physiology
               + AR(1) noise) + thermal noise, as a magnitude.

The head and the signal are known on a finer grid and interpolated once, at the moved places. The
strength of the signal is set so that in planted voxels, brought to MNI space by the true maps with
one cubic interpolation and high-passed at 1/128 Hz, measured and planted signal correlate on
average as the configuration's `ceiling` says.
"""

from dataclasses import dataclass, field

import nibabel as nib
import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter, map_coordinates, spline_filter
from scipy.optimize import brentq
from scipy.signal import lfilter

from stim2bold.simulation.anatomy import Anatomy, draw_head
from stim2bold.simulation.deformation import Deformation, apply_affine, draw_deformation, rigid
from stim2bold.simulation.head_motion import draw_motion, matrices
from stim2bold.simulation.planted_dimensions import KINDS, high_passed
from stim2bold.simulation.planted_regions import KIND_NUMBERS, region_at
from stim2bold.simulation.planted_signal import AFFINE, SHAPE, draw_weights, weights_at

FIELD_OF_VIEW = (160.0, 256.0, 256.0)
"""Millimetres from side to side, back to front and foot to head, as of ds003688's PRESTO runs."""
_SOURCE_STEP = 2.0
_BOLD_BRIGHTNESS = 1000.0
_T1_BRIGHTNESS = 900.0
_NOISE_SMOOTHNESS = 1.25
_N_CALIBRATION = 600


@dataclass(frozen=True)
class ImageSettings:
    """How a participant's images are made.

    Parameters
    ----------
    t1w_voxel, bold_voxel : float
        Millimetres.
    ceiling : float
        Mean correlation of planted and measured signal in planted voxels.
    between_correlation : float
        Correlation of the signals of two participants at one place of MNI space.
    no_signal : bool
        Whether nothing is planted.
    motion_mm, motion_degrees : float
        Largest shift along and turn about an axis.
    jerks : int
        Sudden movements in a run.
    deformation_mm : float
        Longest displacement of the warp.
    noise_percent, ar1 : float
        AR(1) noise: standard deviation in per cent of the signal, and its autocorrelation.
    drift_percent, physiology_percent : float
        Standard deviation of slow drift, and of pulse and breathing in grey matter.
    bias_percent : float
        Unevenness of the coils: standard deviation over the head.
    t1w_noise_percent : float
        Noise of the T1w image in per cent of white matter.
    """

    t1w_voxel: float
    bold_voxel: float
    ceiling: float
    between_correlation: float
    no_signal: bool
    motion_mm: float
    motion_degrees: float
    jerks: int
    deformation_mm: float
    noise_percent: float
    ar1: float
    drift_percent: float
    physiology_percent: float
    bias_percent: float
    t1w_noise_percent: float


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
    bold_to_t1w : ndarray, (4, 4)
        A point of BOLD scanner space, during volume 0, to T1w scanner space.
    tissue, bias : Nifti1Image
        On the grid of the T1w image: 0 outside the brain, 1 CSF, 2 grey, 3 white matter; and the
        factor by which the coils change brightness.
    regions : Nifti1Image
        On the MNI grid of the truth: planted voxels by `KIND_NUMBERS`, -1 where nothing planted is
        near (brain more than 12 mm from any planted grey matter).
    voxels : DataFrame, (n_planted,)
        i, j, k (of that grid), x, y, z (MNI mm), kind, ceiling (measured, nan if not measured).
    signal : ndarray of float32, (n_volumes, n_planted)
        Planted signal without noise, in per cent of the voxel's own mean.
    weights : ndarray of float32, (n_planted, n_components)
        signal = planted components x weights.
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
    strength: float = field(default=0.0)


def grid_points(affine: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the place of every voxel.

    Parameters
    ----------
    affine : ndarray, (4, 4)
        Indices to millimetres.
    shape : tuple of int
        Voxels.

    Returns
    -------
    ndarray, (n_voxels, 3)
        In C order of the indices.
    """
    return apply_affine(affine, np.indices(shape).reshape(3, -1).T.astype(float))


def sample(volume: np.ndarray, affine: np.ndarray, points: np.ndarray, order: int) -> np.ndarray:
    """Interpolate a volume at points, 0 outside it.

    Parameters
    ----------
    volume : ndarray, (nx, ny, nz)
        Values.
    affine : ndarray, (4, 4)
        Its indices to millimetres.
    points : ndarray, (n, 3)
        Millimetres.
    order : int
        Of the spline.

    Returns
    -------
    ndarray, (n,)
        Values there.
    """
    return map_coordinates(volume, apply_affine(np.linalg.inv(affine), points).T, order=order)


def draw_coil(points: np.ndarray, percent: float, rng: np.random.Generator) -> np.ndarray:
    """Return a smooth unevenness of brightness.

    Parameters
    ----------
    points : ndarray, (n, 3)
        Millimetres of scanner space.
    percent : float
        Standard deviation over the points.
    rng : numpy Generator
        Source of chance.

    Returns
    -------
    ndarray, (n,)
        Positive factors whose logarithm has mean 0.
    """
    # Second-order polynomial and two coil elements beside the head.
    near = points / 90.0
    terms = [near[:, a] for a in range(3)] + [
        near[:, a] * near[:, b] for a in range(3) for b in range(a, 3)
    ]
    bias = sum(rng.standard_normal() * term for term in terms)
    for _ in range(2):
        centre = rng.normal(0, 1, 3)
        centre /= np.linalg.norm(centre)
        bias = bias + 1.5 * np.exp(-((near - 1.2 * centre) ** 2).sum(axis=1) / 1.2)
    bias = bias - bias.mean()
    return np.exp(percent / 100 * bias / bias.std())


def simulate_t1w(
    anatomy: Anatomy, deformation: Deformation, settings: ImageSettings, rng: np.random.Generator
) -> tuple[nib.Nifti1Image, nib.Nifti1Image, nib.Nifti1Image]:
    """Scan a T1w image.

    Parameters
    ----------
    anatomy : Anatomy
        The head in MNI space.
    deformation : Deformation
        The participant's.
    settings : ImageSettings
        Voxel size, noise and unevenness.
    rng : numpy Generator
        Source of chance.

    Returns
    -------
    t1w, tissue, bias : Nifti1Image
        See `Participant`.
    """
    step = settings.t1w_voxel
    shape = tuple(int(np.ceil(extent / step)) for extent in (184.0, 240.0, 236.0))
    affine = np.diag([step, step, step, 1.0])
    affine[:3, 3] = -(np.array(shape) - 1) / 2 * step + rng.normal(0, 1.5, 3) + (0, 0, -8)
    points = grid_points(affine, shape)
    places = _mni_places(deformation, np.eye(4), affine, shape)
    head = sample(anatomy.t1, anatomy.affine, places, 1)
    bias = draw_coil(points, settings.bias_percent, rng)
    noise = settings.t1w_noise_percent / 100 * 0.87 * rng.standard_normal((2, len(points)))
    measured = _T1_BRIGHTNESS * np.hypot(head * bias + noise[0], noise[1])
    fractions = np.stack(
        [sample(part, anatomy.affine, places, 1) for part in
         (0.5 * anatomy.brain.astype(np.float32), anatomy.csf, anatomy.gm, anatomy.wm)]
    )  # fmt: skip
    brain = 2 * fractions[0] >= 0.5
    tissue = np.where(brain, 1 + np.argmax(fractions[1:], axis=0), 0).astype(np.uint8)
    return (
        _image(np.clip(np.round(measured), 0, 32767).astype(np.int16).reshape(shape), affine),
        _image(tissue.reshape(shape), affine),
        _image(bias.astype(np.float32).reshape(shape), affine),
    )


def _image(data: np.ndarray, affine: np.ndarray) -> nib.Nifti1Image:
    image = nib.Nifti1Image(data, affine)
    image.set_sform(affine, code=1)
    image.set_qform(affine, code=1)
    image.header.set_xyzt_units("mm", "sec")
    return image


def _mni_places(
    deformation: Deformation, to_t1w: np.ndarray, affine: np.ndarray, shape: tuple[int, ...]
) -> np.ndarray:
    """Return the MNI place of every voxel of a grid whose space `to_t1w` maps to T1w space.

    The inverse of the warp is found on a 6 mm grid and read by cubic splines in between: it is so
    smooth that this is right to some micrometres.
    """
    step = np.linalg.norm(affine[:3, 0])
    every = max(1, int(round(6.0 / step)))
    coarse_shape = tuple(int(np.ceil((n - 1) / every)) + 1 for n in shape)
    coarse_affine = affine @ np.diag([every, every, every, 1.0])
    coarse = apply_affine(to_t1w, grid_points(coarse_affine, coarse_shape))
    found = deformation.to_mni(coarse)
    where = np.indices(shape).reshape(3, -1) / every
    return np.stack(
        [
            map_coordinates(part.reshape(coarse_shape), where, order=3, mode="nearest")
            for part in found.T
        ],
        axis=1,
    )


def bold_grid(voxel: float, rng: np.random.Generator) -> tuple[np.ndarray, tuple[int, ...]]:
    """Return a sagittal-first grid: the first axis runs from right to left, slices lie along it.

    Parameters
    ----------
    voxel : float
        Millimetres.
    rng : numpy Generator
        Of the tilt, a few degrees as a radiographer would set it.

    Returns
    -------
    affine : ndarray, (4, 4)
        Indices to BOLD scanner space, orientation LAS.
    shape : tuple of int
        40 x 64 x 64 at 4 mm.
    """
    shape = tuple(int(round(extent / voxel)) for extent in FIELD_OF_VIEW)
    affine = np.eye(4)
    affine[:3, :3] = rigid(np.zeros(3), np.radians(rng.normal(0, [2.5, 1.0, 1.0])))[:3, :3]
    affine[:3, :3] = affine[:3, :3] @ np.diag([-voxel, voxel, voxel])
    centre = np.array([0.0, 0.0, -6.0])
    affine[:3, 3] = centre - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return affine, shape


def physiology(n_volumes: int, *, TR: float, rng: np.random.Generator) -> np.ndarray:
    """Return pulse, breathing and slow breathing depth as they alias into the volumes.

    Parameters
    ----------
    n_volumes : int
        Volumes.
    TR : float
        Seconds between them.
    rng : numpy Generator
        Source of chance.

    Returns
    -------
    ndarray, (n_volumes, 5)
        Pulse and breathing, cosine and sine each, and depth of breathing; unit variance.
    """
    time = np.arange(n_volumes) * TR
    series = []
    for rate, wander in ((rng.uniform(0.95, 1.25), 0.03), (rng.uniform(0.22, 0.32), 0.015)):
        # The rate wanders: a phase with independent steps of its slope.
        slope = lfilter([1], [1, -0.98], wander * 0.2 * rng.standard_normal(n_volumes))
        phase = 2 * np.pi * (rate * time + TR * np.cumsum(slope))
        series += [np.cos(phase), np.sin(phase)]
    depth = lfilter([1], [1, -np.exp(-TR / 8)], rng.standard_normal(n_volumes))
    series = np.column_stack([*series, depth])
    return (series - series.mean(axis=0)) / series.std(axis=0)


def planted_voxels(anatomy: Anatomy) -> tuple[np.ndarray, np.ndarray]:
    """Return where on the MNI grid of the truth signal is planted, and where surely none is.

    Parameters
    ----------
    anatomy : Anatomy
        For its grey matter and brain.

    Returns
    -------
    region : ndarray of int8, (50, 59, 48)
        `KIND_NUMBERS` where at least half of the voxel is grey matter of a region, -1 in brain more
        than 12 mm from any grey matter of any region, else 0.
    grey : ndarray of float32, (50, 59, 48)
        Fraction of grey matter.
    """
    points = grid_points(AFFINE, SHAPE)
    own_step = anatomy.affine[0, 0]
    blurred = gaussian_filter(anatomy.gm, 0.35 * AFFINE[0, 0] / own_step)
    grey = sample(blurred, anatomy.affine, points, 1).reshape(SHAPE)
    brain = sample(anatomy.brain.astype(np.float32), anatomy.affine, points, 1) > 0.5
    region = region_at(points).reshape(SHAPE)
    touched = (region > 0) & (grey > 0.1)
    near = gaussian_filter(touched.astype(float), 12.0 / AFFINE[0, 0] / 3) > 1e-5
    label = np.where((region > 0) & (grey >= 0.5), region, 0).astype(np.int8)
    label[brain.reshape(SHAPE) & ~near] = -1
    return label, grey.astype(np.float32)


def simulate_participant(
    planted: np.ndarray,
    kinds: np.ndarray,
    settings: ImageSettings,
    *,
    TR: float,
    seed: int,
    number: int,
) -> Participant:
    """Make the images of a participant.

    Parameters
    ----------
    planted : ndarray, (n_volumes, n_components)
        Responses to the film at the volumes, of unit variance (`film_truth.describe`).
    kinds : ndarray of str, (n_components,)
        visual, auditory or language.
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
    streams = {name: np.random.default_rng([seed, number, index]) for index, name in enumerate(
        ("deformation", "t1w", "grid", "motion", "weights", "noise", "coil", "rigid", "voxels"))
    }  # fmt: skip
    deformation = draw_deformation(settings.deformation_mm, streams["deformation"])
    fine = draw_head(max(1.0, min(2.0, settings.t1w_voxel)))
    t1w, tissue, bias = simulate_t1w(fine, deformation, settings, streams["t1w"])
    anatomy = fine if fine.affine[0, 0] == _SOURCE_STEP else draw_head(_SOURCE_STEP)
    del fine

    rng = streams["rigid"]
    bold_to_t1w = rigid(rng.normal(0, 1.5, 3), np.radians(rng.normal(0, 1.2, 3)))
    motion = draw_motion(
        len(planted),
        TR=TR,
        largest_mm=settings.motion_mm,
        largest_degrees=settings.motion_degrees,
        n_jerks=settings.jerks,
        rng=streams["motion"],
    )
    weights = {
        kind: draw_weights(
            int((kinds == kind).sum()),
            correlation=settings.between_correlation,
            shared=np.random.default_rng([seed, 0, KIND_NUMBERS[kind]]),
            own=np.random.default_rng([seed, number, 100 + KIND_NUMBERS[kind]]),
        )
        for kind in KINDS
        if (kinds == kind).any()
    }
    affine, shape = bold_grid(settings.bold_voxel, streams["grid"])
    head, signal = _source(anatomy, deformation, bold_to_t1w, planted, kinds, weights,
                           affine=affine, shape=shape, voxel=settings.bold_voxel)  # fmt: skip
    moves = matrices(motion)
    clean, planted_part, where = _scan(head, signal, moves, affine, shape)
    measured, bias_there = _with_noise(clean, shape, settings, TR=TR, grid=affine, head=head,
                           rng=streams["noise"], coil=streams["coil"])  # fmt: skip

    planted_part *= bias_there.reshape(-1)[where]

    region, _ = planted_voxels(anatomy)
    voxels, voxel_weights = _truth_voxels(region, kinds, weights)
    truth = (planted @ voxel_weights.T).astype(np.float32)
    strength, ceilings = 0.0, np.full(len(voxels), np.nan)
    if not settings.no_signal:
        chosen = np.sort(streams["voxels"].permutation(len(voxels))[:_N_CALIBRATION])
        places = apply_affine(
            np.linalg.inv(bold_to_t1w),
            deformation.to_t1w(voxels[["x", "y", "z"]].to_numpy(float)[chosen]),
        )
        strength, ceilings[chosen] = _calibrate(
            measured, planted_part, where, moves, affine, places,
            truth[:, chosen], ceiling=settings.ceiling, TR=TR,
        )  # fmt: skip
        measured.reshape(len(planted), -1)[:, where] += strength * planted_part
    series = np.clip(np.round(np.abs(measured)), 0, 32767).astype(np.int16)
    bold = _image(np.moveaxis(series, 0, -1), affine)
    bold.header.set_zooms((*(settings.bold_voxel,) * 3, TR))
    percent = 100 * strength
    return Participant(
        t1w=t1w,
        bold=bold,
        motion=motion,
        deformation=deformation,
        bold_to_t1w=bold_to_t1w,
        tissue=tissue,
        bias=bias,
        regions=_image(region, AFFINE),
        voxels=voxels.assign(ceiling=ceilings),
        signal=percent * truth,
        weights=(percent * voxel_weights).astype(np.float32),
        strength=strength,
    )


@dataclass(frozen=True)
class _Source:
    """The head, at rest, on a fine grid in BOLD scanner space."""

    affine: np.ndarray
    shape: tuple[int, ...]
    head: np.ndarray
    gm: np.ndarray
    csf: np.ndarray


def _source(anatomy, deformation, bold_to_t1w, planted, kinds, weights, *, affine, shape, voxel):
    """Return the head at rest and, where signal is planted, its voxels and their time courses."""
    extent = np.array(shape) * voxel + 12.0
    fine_shape = tuple(int(np.ceil(length / _SOURCE_STEP)) for length in extent)
    middle = apply_affine(affine, (np.array(shape) - 1) / 2)
    fine_affine = np.diag([_SOURCE_STEP] * 3 + [1.0])
    fine_affine[:3, 3] = middle - (np.array(fine_shape) - 1) / 2 * _SOURCE_STEP
    places = _mni_places(deformation, bold_to_t1w, fine_affine, fine_shape)
    head = sample(anatomy.t2star, anatomy.affine, places, 1).reshape(fine_shape)
    gm = sample(anatomy.gm, anatomy.affine, places, 1).reshape(fine_shape)
    csf = sample(anatomy.csf, anatomy.affine, places, 1).reshape(fine_shape)
    region = region_at(places).reshape(fine_shape)

    # What a voxel sees is blurred by its own size.
    sigma = voxel / np.sqrt(8 * np.log(2)) / _SOURCE_STEP
    touched = (region > 0) & (gm > 0.02)
    bounds = [
        np.flatnonzero(touched.any(axis=tuple(b for b in range(3) if b != a))) for a in range(3)
    ]
    margin = int(np.ceil(3 * sigma)) + 2
    box = tuple(
        slice(max(0, found[0] - margin), min(n, found[-1] + margin + 1))
        for found, n in zip(bounds, fine_shape, strict=True)
    )
    inside = gaussian_filter(touched[box].astype(np.float32), sigma) > 1e-3
    columns = np.zeros((int(inside.sum()), planted.shape[1]), dtype=np.float32)
    amplitude = (gm * head)[box]
    for kind, fields in weights.items():
        here = touched[box] & (region[box] == KIND_NUMBERS[kind])
        values = weights_at(fields, places.reshape(*fine_shape, 3)[box][here])
        for column, component in enumerate(np.flatnonzero(kinds == kind)):
            volume = np.zeros(here.shape, dtype=np.float32)
            volume[here] = values[:, column] * amplitude[here]
            columns[:, component] = gaussian_filter(volume, sigma)[inside]
    box_affine = fine_affine.copy()
    box_affine[:3, 3] = apply_affine(fine_affine, np.array([part.start for part in box]))
    source = _Source(
        affine=fine_affine,
        shape=fine_shape,
        head=_BOLD_BRIGHTNESS * gaussian_filter(head, sigma),
        gm=gaussian_filter(gm, sigma),
        csf=gaussian_filter(csf, sigma),
    )
    return source, (box_affine, inside, _BOLD_BRIGHTNESS * columns, planted.astype(np.float32))


def _scan(head: _Source, signal, moves, affine, shape):
    """Take every volume of the moving head, and of the planted signal apart."""
    points = grid_points(affine, shape)
    coefficients = spline_filter(head.head, order=3).astype(np.float32)
    to_index = np.linalg.inv(head.affine)
    # Voxels that hold air throughout need no interpolation.
    reach = gaussian_filter((head.head > 5).astype(np.float32), 4.0) > 1e-4
    occupied = np.flatnonzero(sample(reach.astype(np.float32), head.affine, points, 1) > 0)
    box_affine, inside, columns, planted = signal
    near = gaussian_filter(inside.astype(np.float32), 4.0) > 1e-4
    where = np.flatnonzero(sample(near.astype(np.float32), box_affine, points, 1) > 0)
    to_box = np.linalg.inv(box_affine)
    clean = np.zeros((len(moves), len(points)), dtype=np.float32)
    part = np.zeros((len(moves), len(where)), dtype=np.float32)
    volume = np.zeros(inside.shape, dtype=np.float32)
    for number, move in enumerate(moves):
        back = np.linalg.inv(move)
        at = apply_affine(to_index @ back, points[occupied]).T
        clean[number, occupied] = map_coordinates(coefficients, at, order=3, prefilter=False)
        volume[inside] = columns @ planted[number]
        at = apply_affine(to_box @ back, points[where]).T
        part[number] = map_coordinates(volume, at, order=1)
    np.maximum(clean, 0, out=clean)
    return clean.reshape(len(moves), *shape), part, where


def _with_noise(clean, shape, settings, *, TR, grid, head, rng, coil):
    """Add drift, physiology, AR(1) and thermal noise and the coils' unevenness, in place."""
    n_volumes = len(clean)
    points = grid_points(grid, shape)
    bias = draw_coil(points, settings.bias_percent, coil).reshape(shape).astype(np.float32)
    grey = sample(head.gm, head.affine, points, 1).reshape(shape)
    fluid = sample(head.csf, head.affine, points, 1).reshape(shape)

    def smooth_map(width: float) -> np.ndarray:
        field = gaussian_filter(rng.standard_normal(shape), width / settings.bold_voxel)
        return (field / field.std()).astype(np.float32)

    place = np.linspace(-1, 1, n_volumes)
    total = n_volumes * TR
    slow = [place, 1.5 * place**2 - 0.5]
    slow += [np.cos(2 * np.pi * np.arange(n_volumes) * TR / period + rng.uniform(0, 6.3))
             for period in (total / 1.3, max(total / 2.2, 150.0))]  # fmt: skip
    slow = np.column_stack([series / series.std() for series in slow]) / np.sqrt(len(slow))
    drift = np.stack([smooth_map(18.0) for _ in range(slow.shape[1])])
    beats = physiology(n_volumes, TR=TR, rng=rng)
    # Fluid and vessels pulse several times as strongly as grey matter.
    tissue = grey + 6.0 * fluid + 0.4
    pulse = np.stack([tissue * smooth_map(12.0) for _ in range(beats.shape[1])])
    pulse[4] = grey * (1 + 0.3 * smooth_map(20.0))
    beats = beats / np.sqrt(beats.shape[1])

    innovations = np.sqrt(1 - settings.ar1**2)
    noise = np.zeros(shape, dtype=np.float32)
    sigma = _NOISE_SMOOTHNESS / np.sqrt(8 * np.log(2))
    # What smoothing takes from white noise is the norm of its kernel.
    impulse = np.zeros((15, 15, 15))
    impulse[7, 7, 7] = 1
    norm = np.linalg.norm(gaussian_filter(impulse, sigma))
    for number in range(n_volumes):
        fresh = gaussian_filter(rng.standard_normal(shape, dtype=np.float32), sigma) / norm
        noise = fresh if number == 0 else settings.ar1 * noise + innovations * fresh
        change = settings.noise_percent * noise
        change += settings.drift_percent * np.tensordot(slow[number], drift, axes=1)
        change += settings.physiology_percent * np.tensordot(beats[number], pulse, axes=1)
        thermal = 0.0025 * _BOLD_BRIGHTNESS * rng.standard_normal((2, *shape), dtype=np.float32)
        volume = bias * clean[number] * (1 + change / 100) + thermal[0]
        clean[number] = np.hypot(volume, thermal[1])
    return clean, bias


def _truth_voxels(region, kinds, weights):
    """Return the planted voxels of the MNI grid and their weights, of length one each."""
    index = np.argwhere(region > 0)
    points = apply_affine(AFFINE, index.astype(float))
    names = {number: kind for kind, number in KIND_NUMBERS.items()}
    labels = np.array([names[value] for value in region[tuple(index.T)]], dtype=object)
    table = np.zeros((len(index), len(kinds)), dtype=np.float32)
    for kind, fields in weights.items():
        mine = np.flatnonzero(labels == kind)
        table[np.ix_(mine, np.flatnonzero(kinds == kind))] = fields[:, *index[mine].T].T
    voxels = pd.DataFrame(np.column_stack([index, points]), columns=list("ijkxyz"))
    voxels = voxels.astype({"i": int, "j": int, "k": int}).assign(kind=labels)
    return voxels, table


def _calibrate(measured, part, where, moves, affine, places, truth, *, ceiling, TR):
    """Find how strong the signal must be for the mean correlation at places of the head."""
    back = np.linalg.inv(affine)
    shape = measured.shape[1:]
    background, response = (np.empty((len(moves), len(places)), np.float32) for _ in range(2))
    volume = np.zeros(shape, dtype=np.float32)
    for number, move in enumerate(moves):
        at = apply_affine(back @ move, places).T
        background[number] = map_coordinates(measured[number], at, order=3)
        volume.reshape(-1)[where] = part[number]
        response[number] = map_coordinates(volume, at, order=3)
    background, response, truth = (
        high_passed(series.astype(np.float64), TR=TR) for series in (background, response, truth)
    )
    truth = truth / np.linalg.norm(truth, axis=0)

    def correlations(strength: float) -> np.ndarray:
        series = background + strength * response
        return (series * truth).sum(axis=0) / np.linalg.norm(series, axis=0)

    strength = brentq(lambda g: correlations(g).mean() - ceiling, 0.0, 0.5, xtol=1e-6)
    return strength, correlations(strength)
