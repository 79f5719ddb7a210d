"""Heads whose every deformation and movement is known: the ruler of the preprocessing tests.

A head is the MNI template of nilearn, deformed by a smooth field, with fluid, skull and scalp
drawn round it. Nothing here uses the code that is tested.
"""

from dataclasses import dataclass

import nibabel as nib
import numpy as np
from nilearn.datasets import (
    load_mni152_gm_template,
    load_mni152_template,
    load_mni152_wm_template,
)
from scipy import ndimage


def rigid(translation, degrees, centre=(0.0, 0.0, 0.0)):
    """4x4 world matrix: rotation about x, then y, then z through `centre`, then translation."""
    ax, ay, az = np.deg2rad(degrees)
    rx = np.array([[1, 0, 0], [0, np.cos(ax), -np.sin(ax)], [0, np.sin(ax), np.cos(ax)]])
    ry = np.array([[np.cos(ay), 0, np.sin(ay)], [0, 1, 0], [-np.sin(ay), 0, np.cos(ay)]])
    rz = np.array([[np.cos(az), -np.sin(az), 0], [np.sin(az), np.cos(az), 0], [0, 0, 1]])
    matrix = np.eye(4)
    matrix[:3, :3] = rz @ ry @ rx
    centre = np.asarray(centre, float)
    matrix[:3, 3] = centre - matrix[:3, :3] @ centre + translation
    return matrix


def apply(matrix, points):
    """Move world points (..., 3) by a 4x4 matrix."""
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def world_grid(shape, affine):
    """World coordinates of every voxel, shape (*shape, 3)."""
    return apply(np.asarray(affine, float), np.stack(np.indices(shape), -1).astype(float))


def sample(data, affine, points, order=1):
    """Values of a volume at world points."""
    ijk = apply(np.linalg.inv(affine), points)
    return ndimage.map_coordinates(
        data, np.moveaxis(ijk, -1, 0), order=order, mode="constant", cval=0.0
    )


@dataclass(frozen=True)
class Warp:
    """A known smooth map from T1w world points to MNI world points."""

    affine: np.ndarray
    field: np.ndarray
    field_affine: np.ndarray

    def __call__(self, points):
        ijk = np.moveaxis(apply(np.linalg.inv(self.field_affine), points), -1, 0)
        shift = np.stack(
            [ndimage.map_coordinates(f, ijk, order=3, mode="nearest") for f in self.field], -1
        )
        return apply(self.affine, points + shift)


def random_warp(rng, amplitude=3.0, length=25.0):
    """Draw an affine and a smooth displacement of `amplitude` mm (rms) and `length` mm."""
    shape, spacing = (34, 40, 34), 6.0
    field_affine = np.diag([spacing, spacing, spacing, 1.0])
    field_affine[:3, 3] = (-100, -137, -85)
    field = np.stack(
        [ndimage.gaussian_filter(rng.standard_normal(shape), length / spacing) for _ in range(3)]
    )
    field *= amplitude / field.std()
    scale = np.diag([*rng.uniform(0.93, 1.07, 3), 1.0])
    turn = rigid(rng.uniform(-6, 6, 3), rng.uniform(-5, 5, 3))
    return Warp(turn @ scale, field, field_affine)


@dataclass(frozen=True)
class Head:
    """A T1w with its truth: brain, tissues and the map to MNI."""

    t1w: nib.Nifti1Image
    brain: np.ndarray
    tissues: dict
    warp: Warp
    # The contrast of T2*-weighted volumes on the grid of the T1w, blurred to scanner resolution.
    bold_contrast: np.ndarray


def planted_head(seed, *, voxel=2.0, noise=0.02):
    """Draw a head on a RAS grid of `voxel` mm."""
    rng = np.random.default_rng(seed)
    templates = {
        "T1": load_mni152_template(resolution=1),
        "GM": load_mni152_gm_template(resolution=1),
        "WM": load_mni152_wm_template(resolution=1),
    }
    shape = tuple(int(np.ceil(size / voxel)) for size in (192, 232, 208))
    affine = np.diag([voxel, voxel, voxel, 1.0])
    affine[:3, 3] = (-96, -132, -92)
    warp = random_warp(rng)
    points = warp(world_grid(shape, affine))
    t1, gm, wm = (
        sample(t.get_fdata(dtype=np.float32), t.affine, points) for t in templates.values()
    )
    brain = ndimage.binary_fill_holes(t1 > 0.08)
    distance = ndimage.distance_transform_edt(~brain) * voxel
    head = np.where(brain, t1, 0)
    head = np.where((distance > 0) & (distance <= 3), 0.18, head)  # fluid
    head = np.where((distance > 3) & (distance <= 8), 0.05, head)  # bone
    scalp = (distance > 8) & (distance <= 14)
    head = np.where(scalp, 0.75 + 0.1 * rng.standard_normal(shape), head)
    bias = ndimage.zoom(rng.uniform(0.8, 1.25, (3, 3, 3)), np.array(shape) / 3, order=3)
    clean = 600 * head * bias[: shape[0], : shape[1], : shape[2]]
    noisy = np.hypot(
        clean + 600 * noise * rng.standard_normal(shape), 600 * noise * rng.standard_normal(shape)
    )
    csf = np.clip(brain - gm - wm, 0, 1)
    contrast = brain * (0.85 * gm + 0.65 * wm + 1.15 * csf) + 0.25 * scalp
    contrast = ndimage.gaussian_filter(contrast, 1.4 / voxel)
    return Head(
        nib.Nifti1Image(noisy.astype(np.float32), affine),
        brain,
        {"GM": gm, "WM": wm, "CSF": csf},
        warp,
        contrast.astype(np.float32),
    )


def planted_motion(rng, n_volumes, *, largest_shift=3.0, largest_turn=2.0):
    """Slow drift plus sudden jerks; 6 parameters (mm, degrees) per volume, the first at rest."""
    steps = rng.standard_normal((n_volumes, 6))
    walk = ndimage.gaussian_filter1d(np.cumsum(steps, 0), 4, axis=0)
    walk -= walk[0]
    walk /= np.abs(walk).max(0) + 1e-9
    for volume in rng.choice(np.arange(5, n_volumes), size=max(2, n_volumes // 40), replace=False):
        walk[volume:] += rng.uniform(-0.6, 0.6, 6)
        walk[volume] += rng.uniform(-0.4, 0.4, 6)
    walk /= np.maximum(np.abs(walk).max(0), 1.0)
    return walk * np.repeat([largest_shift, largest_turn], 3)


@dataclass(frozen=True)
class Run:
    """A BOLD run with its truth."""

    bold: nib.Nifti1Image
    # (n_volumes, 4, 4): world point of the head at rest -> where it lies in that volume.
    moved: np.ndarray
    # World point of the resting BOLD -> the same place in the T1w.
    to_t1w: np.ndarray
    parameters: np.ndarray


def planted_run(
    head,
    seed,
    *,
    n_volumes=40,
    shape=(64, 64, 40),
    voxel=4.0,
    tr=0.608,
    noise=0.015,
    motion=None,
    coregistration=True,
    signal=None,
):
    """Scan a head: rigid movement per volume, a bias field, drift and thermal noise.

    `signal` is a function of MNI points and volume number giving a relative change.
    """
    rng = np.random.default_rng([seed, 7])
    centre = np.array([0.0, -18.0, 8.0])
    affine = np.diag([voxel, voxel, voxel, 1.0])
    affine[:3, 3] = centre - voxel * (np.array(shape) - 1) / 2
    parameters = planted_motion(rng, n_volumes) if motion is None else motion
    to_t1w = (
        rigid(rng.uniform(-4, 4, 3), rng.uniform(-4, 4, 3), centre) if coregistration else np.eye(4)
    )
    grid = world_grid(shape, affine)
    bias = ndimage.zoom(rng.uniform(0.8, 1.2, (3, 3, 3)), np.array(shape) / 3, order=3)
    moved = np.stack([rigid(p[:3], p[3:], centre) for p in parameters])
    data = np.empty((*shape, n_volumes), np.float32)
    for k in range(n_volumes):
        rest = apply(np.linalg.inv(moved[k]), grid)
        at_t1w = apply(to_t1w, rest)
        volume = 1000 * sample(head.bold_contrast, head.t1w.affine, at_t1w)
        if signal is not None:
            volume = volume * (1 + signal(head.warp(at_t1w), k))
        volume = volume * bias * (1 + 0.005 * k / n_volumes)
        data[..., k] = np.hypot(
            volume + 1000 * noise * rng.standard_normal(shape),
            1000 * noise * rng.standard_normal(shape),
        )
    bold = nib.Nifti1Image(data, affine)
    bold.header.set_zooms((voxel, voxel, voxel, tr))
    bold.header.set_xyzt_units("mm", "sec")
    return Run(bold, moved, to_t1w, parameters)


def stored(image, codes, *, sform, qform):
    """The same image, its voxels in another order and its affine kept in one header field."""
    target = nib.orientations.axcodes2ornt(codes)
    turn = nib.orientations.ornt_transform(nib.orientations.io_orientation(image.affine), target)
    turned = image.as_reoriented(turn)
    affine = turned.affine.copy()
    turned.set_sform(affine, int(sform))
    turned.set_qform(affine, int(qform))
    # What a file does not vouch for must not be used either.
    if not sform:
        for field in ("srow_x", "srow_y", "srow_z"):
            turned.header[field] = 0
    if not qform:
        for field in ("quatern_b", "quatern_c", "quatern_d"):
            turned.header[field] = 0
    return turned
