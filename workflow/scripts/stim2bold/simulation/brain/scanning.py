"""A simulated scanner: it takes a T1w image, and a BOLD series of a head that moves and responds.

T1w and BOLD images have scanner spaces of their own, a rigid map apart. Head and planted signal are
known on a grid twice as fine as the BOLD voxels and are read once, at the moved places.
"""

from dataclasses import dataclass

import nibabel as nib
import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates, spline_filter

from stim2bold.simulation.brain.anatomy import Anatomy
from stim2bold.simulation.brain.deformation import Deformation, apply_affine, rotation
from stim2bold.simulation.brain.grids import grid_points, image_of, mni_places, sample
from stim2bold.simulation.brain.noise import draw_coil
from stim2bold.simulation.brain.planted_regions import KIND_NUMBERS, region_at
from stim2bold.simulation.brain.planted_signal import weights_at

BOLD_VIEW = (160.0, 256.0, 256.0)
"""Millimetres from side to side, back to front and foot to head, as of ds003688's PRESTO runs."""
BOLD_BRIGHTNESS = 1000.0
"""Of cerebrospinal fluid."""
_T1W_VIEW = (184.0, 240.0, 236.0)
_T1W_BRIGHTNESS = 900.0
_FWHM = np.sqrt(8 * np.log(2))


def take_t1w(
    anatomy: Anatomy,
    deformation: Deformation,
    *,
    voxel: float,
    noise_percent: float,
    bias_percent: float,
    rng: np.random.Generator,
) -> tuple[nib.Nifti1Image, nib.Nifti1Image, nib.Nifti1Image]:
    """Take a T1w image.

    Parameters
    ----------
    anatomy : Anatomy
        The head in MNI space.
    deformation : Deformation
        The participant's.
    voxel : float
        Millimetres.
    noise_percent, bias_percent : float
        Noise of either channel in per cent of white matter, and unevenness of the coils.
    rng : numpy Generator
        Source of chance.

    Returns
    -------
    t1w : Nifti1Image
        int16, Rician noise, orientation RAS.
    tissue : Nifti1Image
        0 outside the brain, 1 CSF, 2 grey, 3 white matter.
    bias : Nifti1Image
        Factors of brightness.
    """
    shape = tuple(int(np.ceil(extent / voxel)) for extent in _T1W_VIEW)
    affine = np.diag([voxel, voxel, voxel, 1.0])
    middle = np.array([0.0, 0.0, -8.0]) + rng.normal(0, 1.5, 3)
    affine[:3, 3] = middle - (np.array(shape) - 1) / 2 * voxel
    places = mni_places(deformation, np.eye(4), affine, shape)
    bias = draw_coil(grid_points(affine, shape), bias_percent, rng)
    # White matter of the template has a brightness of 0.87.
    noise = 0.87 * noise_percent / 100 * rng.standard_normal((2, len(bias)))
    head = sample(anatomy.t1, anatomy.affine, places)
    measured = np.round(_T1W_BRIGHTNESS * np.hypot(head * bias + noise[0], noise[1]))
    brain = sample(anatomy.brain.astype(np.float32), anatomy.affine, places) >= 0.5
    fractions = [
        sample(part, anatomy.affine, places) for part in (anatomy.csf, anatomy.gm, anatomy.wm)
    ]
    tissue = np.where(brain, 1 + np.argmax(fractions, axis=0), 0).astype(np.uint8)
    return (
        image_of(np.clip(measured, 0, 32767).astype(np.int16).reshape(shape), affine),
        image_of(tissue.reshape(shape), affine),
        image_of(bias.astype(np.float32).reshape(shape), affine),
    )


def lay_bold_grid(
    voxel: float, rng: np.random.Generator, *, centre: np.ndarray | None = None
) -> tuple[np.ndarray, tuple[int, int, int]]:
    """Return a sagittal-first grid: slices lie along the first axis, from right to left.

    Parameters
    ----------
    voxel : float
        Millimetres.
    rng : numpy Generator
        Of the tilt, a few degrees as a radiographer would set it.
    centre : ndarray of shape (3,), optional
        Centre of the head in scanner space, 0 unless it is given.

    Returns
    -------
    affine : ndarray of shape (4, 4)
        Indices to BOLD scanner space, orientation LAS.
    shape : tuple of int
        40 x 64 x 64 at 4 mm.
    """
    shape = tuple(int(round(extent / voxel)) for extent in BOLD_VIEW)
    affine = np.eye(4)
    tilt = rotation(np.radians(rng.normal(0, [2.5, 1.0, 1.0])))
    affine[:3, :3] = tilt @ np.diag([-voxel, voxel, voxel])
    middle = np.array([0, 0, -6]) + (0 if centre is None else centre)
    affine[:3, 3] = middle - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return affine, shape


@dataclass(frozen=True)
class Source:
    """A head at rest, and its response, on a fine grid in BOLD scanner space.

    Parameters
    ----------
    affine : ndarray of shape (4, 4)
        Indices to millimetres of the BOLD scanner space, volume 0.
    head : ndarray of shape (nx, ny, nz)
        Brightness, blurred as by a BOLD voxel.
    gm, csf : ndarray of shape (nx, ny, nz)
        Fractions of tissue, blurred alike.
    box_affine : ndarray of shape (4, 4)
        The same for the part of the grid that holds the response.
    responding : ndarray of shape (bx, by, bz), bool
        Where in that box there is any.
    response : ndarray of shape (n_responding, n_components), float32
        Change of brightness there for each planted component, signal strength 1.
    """

    affine: np.ndarray
    head: np.ndarray
    gm: np.ndarray
    csf: np.ndarray
    box_affine: np.ndarray
    responding: np.ndarray
    response: np.ndarray


def place_head(
    anatomy: Anatomy,
    deformation: Deformation,
    bold_to_t1w: np.ndarray,
    weights: dict[str, np.ndarray],
    kinds: np.ndarray,
    *,
    affine: np.ndarray,
    shape: tuple[int, ...],
) -> Source:
    """Place a participant's head in the BOLD scanner.

    Parameters
    ----------
    anatomy : Anatomy
        The head in MNI space.
    deformation : Deformation
        The participant's.
    bold_to_t1w : ndarray of shape (4, 4)
        BOLD to T1w scanner space.
    weights : dict
        Kind -> weights on the MNI grid of the truth, see `planted_signal`.
    kinds : ndarray of shape (n_components,), str
        Kind of each planted component.
    affine, shape
        The grid of the BOLD images.

    Returns
    -------
    Source
        Ready to be scanned.
    """
    voxel = float(np.linalg.norm(affine[:3, 0]))
    step = voxel / 2
    fine_shape = tuple(int(np.ceil((length * voxel + 12.0) / step)) for length in shape)
    fine_affine = np.diag([step, step, step, 1.0])
    middle = apply_affine(affine, (np.array(shape) - 1) / 2)
    fine_affine[:3, 3] = middle - (np.array(fine_shape) - 1) / 2 * step
    places = mni_places(deformation, bold_to_t1w, fine_affine, fine_shape)
    head, gm, csf = (
        sample(part, anatomy.affine, places).reshape(fine_shape)
        for part in (anatomy.t2star, anatomy.gm, anatomy.csf)
    )
    region = region_at(places).reshape(fine_shape)

    # What a voxel sees is blurred by its own size.
    sigma = voxel / _FWHM / step
    touched = (region > 0) & (gm > 0.02)
    box = _bounding_box(touched, margin=int(np.ceil(3 * sigma)) + 2)
    responding = gaussian_filter(touched[box].astype(np.float32), sigma) > 1e-3
    response = np.zeros((int(responding.sum()), len(kinds)), dtype=np.float32)
    amplitude = (gm * head)[box]
    box_places = places.reshape(*fine_shape, 3)[box]
    for kind, fields in weights.items():
        here = touched[box] & (region[box] == KIND_NUMBERS[kind])
        values = weights_at(fields, box_places[here])
        for column, component in enumerate(np.flatnonzero(kinds == kind)):
            volume = np.zeros(here.shape, dtype=np.float32)
            volume[here] = values[:, column] * amplitude[here]
            response[:, component] = gaussian_filter(volume, sigma)[responding]
    box_affine = fine_affine.copy()
    box_affine[:3, 3] = apply_affine(fine_affine, np.array([part.start for part in box]))
    return Source(
        affine=fine_affine,
        head=BOLD_BRIGHTNESS * gaussian_filter(head, sigma),
        gm=gaussian_filter(gm, sigma),
        csf=gaussian_filter(csf, sigma),
        box_affine=box_affine,
        responding=responding,
        response=BOLD_BRIGHTNESS * response,
    )


def _bounding_box(mask: np.ndarray, margin: int) -> tuple[slice, ...]:
    box = []
    for axis, length in enumerate(mask.shape):
        found = np.flatnonzero(mask.any(axis=tuple(b for b in range(3) if b != axis)))
        box.append(slice(max(0, found[0] - margin), min(length, found[-1] + margin + 1)))
    return tuple(box)


def scan(
    source: Source,
    planted: np.ndarray,
    moves: np.ndarray,
    *,
    affine: np.ndarray,
    shape: tuple[int, ...],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Take every volume of a head that moves and responds, without any noise.

    Parameters
    ----------
    source : Source
        The head at rest.
    planted : ndarray of shape (n_volumes, n_components)
        Components of the signal.
    moves : ndarray of shape (n_volumes, 4, 4)
        From `head_motion.matrices`.
    affine, shape
        The grid of the BOLD images.

    Returns
    -------
    head : ndarray of shape (n_volumes, nx, ny, nz), float32
        The moving head, not responding.
    response : ndarray of shape (n_volumes, n_near), float32
        What the response adds, of strength 1, in the voxels where there can be any.
    near : ndarray of shape (n_near,), int
        Those voxels, as flat indices in C order.
    """
    points = grid_points(affine, shape)
    coefficients = spline_filter(source.head, order=3).astype(np.float32)
    planted = planted.astype(np.float32)
    # Voxels that hold air in every volume need no interpolation.
    reach = gaussian_filter((source.head > 0.005 * BOLD_BRIGHTNESS).astype(np.float32), 4.0)
    occupied = np.flatnonzero(sample(reach, source.affine, points) > 1e-4)
    reach = gaussian_filter(source.responding.astype(np.float32), 4.0)
    near = np.flatnonzero(sample(reach, source.box_affine, points) > 1e-4)
    to_head, to_box = np.linalg.inv(source.affine), np.linalg.inv(source.box_affine)
    head = np.zeros((len(moves), len(points)), dtype=np.float32)
    response = np.zeros((len(moves), len(near)), dtype=np.float32)
    volume = np.zeros(source.responding.shape, dtype=np.float32)
    for number, move in enumerate(moves):
        back = np.linalg.inv(move)
        at = apply_affine(to_head @ back, points[occupied]).T
        head[number, occupied] = map_coordinates(coefficients, at, order=3, prefilter=False)
        volume[source.responding] = source.response @ planted[number]
        at = apply_affine(to_box @ back, points[near]).T
        response[number] = map_coordinates(volume, at, order=1)
    # Splines swing a little below zero at sharp edges.
    np.maximum(head, 0, out=head)
    return head.reshape(len(moves), *shape), response, near
