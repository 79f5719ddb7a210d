"""A whole head in MNI space: nilearn's brain, and drawn round it what a scanner would see as well.

The brain is the symmetric MNI152 2009a template that ships with nilearn (T1w, grey and white
matter, 1 mm). It comes without a head, so cerebrospinal fluid, skull, scalp, eyes, face and neck
are drawn round it: brain extraction and registration have real work to do.
"""

from dataclasses import dataclass

import numpy as np
from nilearn.datasets import (
    load_mni152_gm_template,
    load_mni152_template,
    load_mni152_wm_template,
)
from scipy.ndimage import (
    binary_closing,
    binary_fill_holes,
    distance_transform_edt,
    gaussian_filter,
    map_coordinates,
)

# The box that holds the head, in MNI millimetres.
_LOW = np.array([-94.0, -134.0, -134.0])
_HIGH = np.array([94.0, 128.0, 108.0])

# Brightness of each tissue in a T1w and in a T2*-weighted image, white matter in T1w being 0.87 as
# in the template.
_T1 = {"csf": 0.16, "skull": 0.06, "marrow": 0.38, "fat": 0.95, "muscle": 0.48, "eye": 0.2,
       "bone": 0.1, "cord": 0.8, "air": 0.0}  # fmt: skip
_T2STAR = {"gm": 0.80, "wm": 0.64, "csf": 1.0, "skull": 0.03, "marrow": 0.1, "fat": 0.22,
           "muscle": 0.28, "eye": 0.9, "bone": 0.04, "cord": 0.64, "air": 0.0}  # fmt: skip

# Where air beside the brain makes a T2* signal vanish: above the nose and above both ears.
_DROPOUTS = (((0, 34, -26), 13.0), ((-50, -16, -34), 10.0), ((50, -16, -34), 10.0))

# Where fluid, bone and scalp end, in millimetres from the brain.
_LAYERS = (2.2, 7.0, 12.5)


@dataclass(frozen=True)
class Anatomy:
    """A head on a grid in MNI space.

    Parameters
    ----------
    affine : ndarray of shape (4, 4)
        Voxel indices to MNI millimetres; voxels are isotropic.
    t1 : ndarray of shape (nx, ny, nz), float32
        Brightness in a T1w image, 0 to about 1.
    t2star : ndarray of shape (nx, ny, nz), float32
        Brightness in a T2*-weighted image, 0 to 1, signal loss beside air included.
    gm, wm, csf : ndarray of shape (nx, ny, nz), float32
        Fraction of each tissue within the brain.
    brain : ndarray of shape (nx, ny, nz), bool
        The template's brain with its fluid.
    """

    affine: np.ndarray
    t1: np.ndarray
    t2star: np.ndarray
    gm: np.ndarray
    wm: np.ndarray
    csf: np.ndarray
    brain: np.ndarray


def _template(image, points_affine: np.ndarray, shape: tuple[int, ...], step: float) -> np.ndarray:
    """Sample a 1 mm template on a grid of `step` mm, averaged over its voxels."""
    data = image.get_fdata(dtype=np.float32)
    if step > 1:
        data = gaussian_filter(data, 0.35 * step)
    to_index = np.linalg.inv(image.affine) @ points_affine
    axes = [to_index[axis, axis] * np.arange(n) + to_index[axis, 3] for axis, n in enumerate(shape)]
    return map_coordinates(data, np.meshgrid(*axes, indexing="ij"), order=1)


def _ball(x, y, z, centre, radii) -> np.ndarray:
    return (
        ((x - centre[0]) / radii[0]) ** 2
        + ((y - centre[1]) / radii[1]) ** 2
        + ((z - centre[2]) / radii[2]) ** 2
    )


def head_grid(step: float) -> tuple[np.ndarray, tuple[int, ...]]:
    """Return the affine and the shape of the grid in MNI space that holds a head.

    Parameters
    ----------
    step : float
        Millimetres between grid points.
    """
    shape = tuple(np.ceil((_HIGH - _LOW) / step).astype(int))
    affine = np.diag([step, step, step, 1.0])
    affine[:3, 3] = _LOW
    return affine, shape


def t2star_of(*, gm: np.ndarray, wm: np.ndarray, csf: np.ndarray) -> np.ndarray:
    """Return the brightness of a brain in a T2*-weighted image from its fractions of tissue."""
    return gm * _T2STAR["gm"] + wm * _T2STAR["wm"] + csf * _T2STAR["csf"]


def lose_signal(t2star: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Take away the T2*-weighted signal beside air.

    Parameters
    ----------
    t2star : ndarray of shape (nx, ny, nz)
        Brightness.
    affine : ndarray of shape (4, 4)
        Indices to MNI millimetres, along the axes.

    Returns
    -------
    ndarray of shape (nx, ny, nz)
        What is left.
    """
    x, y, z = (
        (affine[axis, 3] + affine[axis, axis] * np.arange(length, dtype=np.float32)).reshape(
            [-1 if axis == other else 1 for other in range(3)]
        )
        for axis, length in enumerate(t2star.shape)
    )
    for centre, width in _DROPOUTS:
        distance = _ball(x, y, z, centre, (width,) * 3)
        t2star = t2star * (1 - 0.8 * np.exp(-distance / 2))
    return t2star


def enclose(brain: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray]:
    """Close the furrows of a brain.

    Parameters
    ----------
    brain : ndarray of shape (nx, ny, nz), bool
    step : float
        Millimetres between grid points.

    Returns
    -------
    hull : ndarray of shape (nx, ny, nz), bool
        The brain without furrows.
    outside : ndarray of shape (nx, ny, nz), float32
        Millimetres from it.
    """
    padded = np.pad(brain, round(12 / step))
    for _ in range(2):
        padded = binary_closing(padded, iterations=max(1, round(5 / step)))
    cut = round(12 / step)
    hull = padded[cut:-cut, cut:-cut, cut:-cut] | brain
    return hull, distance_transform_edt(~hull, sampling=step).astype(np.float32)


def name_tissues(
    points: tuple[np.ndarray, np.ndarray, np.ndarray],
    brain: np.ndarray,
    hull: np.ndarray,
    outside: np.ndarray,
    *,
    step: float,
    coarse: np.ndarray,
) -> np.ndarray:
    """Say what tissue lies where round the brain.

    Parameters
    ----------
    points : tuple of ndarray
        MNI millimetres along x, y and z; they broadcast to (nx, ny, nz).
    brain, hull : ndarray of shape (nx, ny, nz), bool
    outside : ndarray of shape (nx, ny, nz), float32
        Millimetres from the hull, uneven as layers of tissue are.
    step : float
        Millimetres between grid points.
    coarse : ndarray of shape (nx, ny, nz), float32
        Unevenness of the skin's fat.

    Returns
    -------
    ndarray of shape (nx, ny, nz), str
        Names of `_T1`.
    """
    x, y, z = points
    face = _ball(x, y, z, (0, 52, -68), (54, 50, 66)) < 1
    nose = _ball(x, y, z, (0, 103, -52), (11, 16, 22)) < 1
    jaw = _ball(x, y, z, (0, 40, -112), (42, 46, 26)) < 1
    neck = (_ball(x, y, 0 * z, (0, -28, 0), (54, 56, 1)) < 1) & (z < -40)
    ears = _ball(np.abs(x), y, z, (82, -22, -30), (6, 16, 28)) < 1
    body = (outside < _LAYERS[2]) | face | nose | jaw | neck | ears
    depth = distance_transform_edt(body, sampling=step).astype(np.float32)

    kind = np.full(brain.shape, "air", dtype="<U6")
    kind[body] = "muscle"
    kind[body & (depth < 4.5 + 0.7 * coarse)] = "fat"
    cheeks = _ball(np.abs(x), y, z, (34, 78, -62), (17, 14, 20)) < 1
    kind[body & cheeks & (depth > 3)] = "fat"
    spine = (_ball(x, y, 0 * z, (0, -44, 0), (21, 19, 1)) < 1) & (z < -74)
    kind[body & spine] = "marrow"
    kind[body & spine & (np.mod(z, 26) < 5)] = "muscle"
    mandible = (np.abs(_ball(x, y, 0 * z, (0, 36, 0), (44, 50, 1)) - 0.72) < 0.14) & (y > 20)
    kind[body & mandible & (z < -84) & (z > -122)] = "bone"
    canal = (_ball(x, y, 0 * z, (0, -46, 0), (9, 8, 1)) < 1) & (z < -66)
    kind[body & canal] = "csf"
    airway = (_ball(x, y, z, (0, 66, -48), (13, 30, 20)) < 1) | (
        (_ball(x, y, 0 * z, (0, 12, 0), (10, 8, 1)) < 1) & (z < -40)
    )
    airway |= _ball(np.abs(x), y, z, (27, 62, -62), (11, 13, 13)) < 1
    airway |= _ball(x, y, z, (0, 80, -6), (17, 6, 9)) < 1
    kind[airway & body & (depth > 3)] = "air"
    kind[(outside < _LAYERS[1]) & ~hull] = "skull"
    diploe = np.abs(outside - (_LAYERS[0] + _LAYERS[1]) / 2) < 1.1
    kind[diploe & ~hull & (z > -30)] = "marrow"
    kind[(outside < _LAYERS[0]) & ~hull] = "csf"
    kind[hull & ~brain] = "csf"
    orbit = _ball(np.abs(x), y, z, (33, 64, -36), (18, 20, 17)) < 1
    kind[orbit & (outside > _LAYERS[0])] = "fat"
    eye = _ball(np.abs(x), y, z, (33, 70, -36), (12.5, 12.5, 12.5)) < 1
    kind[eye & (outside > _LAYERS[0])] = "eye"
    cord = (_ball(x, y, 0 * z, (0, -46, 0), (5, 4, 1)) < 1) & (z < -70) & ~brain
    kind[~body] = "air"
    kind[cord & body] = "cord"
    return kind


def draw_head(step: float) -> Anatomy:
    """Draw the head on a grid.

    Parameters
    ----------
    step : float
        Millimetres between grid points.

    Returns
    -------
    Anatomy
        The same every time.
    """
    affine, shape = head_grid(step)
    t1 = _template(load_mni152_template(resolution=1), affine, shape, step)
    gm = _template(load_mni152_gm_template(resolution=1), affine, shape, step)
    wm = _template(load_mni152_wm_template(resolution=1), affine, shape, step)
    brain = binary_fill_holes(t1 > 0.08)
    csf = np.clip(1 - gm - wm, 0, 1) * brain
    x, y, z = (
        (_LOW[axis] + step * np.arange(shape[axis], dtype=np.float32)).reshape(
            [-1 if axis == other else 1 for other in range(3)]
        )
        for axis in range(3)
    )
    # A hand-drawn texture, the same in every head, keeps drawn tissue from being flat.
    texture = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    fine = gaussian_filter(texture, 1.2 / step)
    fine /= fine.std()
    coarse = gaussian_filter(texture, 8 / step)
    coarse /= coarse.std()

    hull, outside = enclose(brain, step)
    outside += 0.5 * coarse
    kind = name_tissues((x, y, z), brain, hull, outside, step=step, coarse=coarse)

    drawn_t1 = np.zeros(shape, dtype=np.float32)
    drawn_t2 = np.zeros(shape, dtype=np.float32)
    for name, brightness in _T1.items():
        drawn_t1[kind == name] = brightness
        drawn_t2[kind == name] = _T2STAR[name]
    lively = np.isin(kind, ("muscle", "fat", "marrow"))
    drawn_t1 *= np.where(lively, 1 + 0.10 * fine + 0.06 * coarse, 1)
    # Borders of tissues share voxels.
    drawn_t1 = gaussian_filter(np.maximum(drawn_t1, 0), 0.45)
    drawn_t2 = gaussian_filter(drawn_t2, 0.45)
    inside = gaussian_filter(brain.astype(np.float32), 0.45)
    t1 = inside * np.where(brain, t1, drawn_t1) + (1 - inside) * drawn_t1
    t2star = lose_signal(np.where(brain, t2star_of(gm=gm, wm=wm, csf=csf), drawn_t2), affine)
    return Anatomy(
        affine=affine,
        t1=t1.astype(np.float32),
        t2star=t2star.astype(np.float32),
        gm=gm * brain,
        wm=wm * brain,
        csf=csf.astype(np.float32),
        brain=brain,
    )
