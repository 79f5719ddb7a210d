"""Images and points brought through transforms."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import nibabel as nib
import numpy as np
from scipy import ndimage

from stim2bold.preprocessing.registration import from_ants, template, to_ants

if TYPE_CHECKING:
    pass


def voxel_points(grid: nib.Nifti1Image) -> np.ndarray:
    """Return the world points of a grid's voxels, shape (3, x, y, z), millimetres."""
    indices = np.indices(grid.shape[:3], dtype=float)
    matrix = grid.affine
    return np.tensordot(matrix[:3, :3], indices, 1) + matrix[:3, 3, None, None, None]


def moved_points(transform: str | Path, grid: nib.Nifti1Image) -> np.ndarray:
    """Send every voxel of a grid through a composite transform.

    Parameters
    ----------
    transform : str or Path
        ITK composite (HDF5).
    grid : Nifti1Image
        In the space that images are brought to.

    Returns
    -------
    ndarray of shape (3, x, y, z)
        World points in the space that images come from.
    """
    import ants

    empty = to_ants(nib.Nifti1Image(np.zeros(grid.shape[:3], np.float32), grid.affine))
    with tempfile.TemporaryDirectory() as folder:
        field = ants.apply_transforms(empty, empty, [str(transform)], compose=f"{folder}/composed_")
        shift = np.asarray(nib.load(field).dataobj, dtype=float).reshape(*grid.shape[:3], 3)
    shift = np.moveaxis(shift, -1, 0) * np.array([-1, -1, 1])[:, None, None, None]
    return voxel_points(grid) + shift


def moved_image(
    image: nib.Nifti1Image, transform: str | Path, grid: nib.Nifti1Image
) -> nib.Nifti1Image:
    """Bring an image to a grid through a composite transform (ITK, HDF5), by linear interpolation.

    A quarter of the time of `moved_points` and `sample`, for where the points are not needed.
    """
    import ants

    return from_ants(ants.apply_transforms(to_ants(grid), to_ants(image), [str(transform)]))


def apply(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Send points of shape (3, ...) through a 4x4 matrix."""
    shape = (3,) + (1,) * (points.ndim - 1)
    return np.tensordot(matrix[:3, :3], points, 1) + matrix[:3, 3].reshape(shape)


def nearest_voxels(
    points: np.ndarray, affine: np.ndarray, shape: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the voxel of a grid that lies nearest to each world point.

    Parameters
    ----------
    points : ndarray of shape (3, ...)
    affine : ndarray of shape (4, 4)
    shape : tuple of int
        Of the grid.

    Returns
    -------
    index : ndarray of shape (3, ...), int
    inside : ndarray of shape (...), bool
        Whether the grid has that voxel.
    """
    index = np.rint(apply(np.linalg.inv(affine), points)).astype(int)
    limits = np.reshape(shape, (3,) + (1,) * (points.ndim - 1))
    return index, ((index >= 0) & (index < limits)).all(axis=0)


def sample(image: nib.Nifti1Image, points: np.ndarray, *, order: int = 1) -> np.ndarray:
    """Return the values of a volume at world points (3, ...); zero outside of it."""
    voxels = apply(np.linalg.inv(image.affine), points)
    return ndimage.map_coordinates(
        np.asarray(image.dataobj, dtype=np.float32), voxels, order=order, mode="constant"
    )


def box_means(image: nib.Nifti1Image, voxel: np.ndarray) -> nib.Nifti1Image:
    """Average an image over boxes, so that a coarser grid reads means and not single points.

    Parameters
    ----------
    image : Nifti1Image
        A volume.
    voxel : ndarray of shape (3,)
        Edges of the coarser grid's voxels, millimetres; boxes are the nearest whole number of
        the image's voxels.

    Returns
    -------
    Nifti1Image
        Each value the mean of the box around its place: the affine is moved by half a voxel where
        the middle of a box lies between two.
    """
    sizes = np.linalg.norm(image.affine[:3, :3], axis=0)
    width = np.maximum(1, np.round(np.asarray(voxel) / sizes)).astype(int)
    between = np.eye(4)
    between[:3, 3] = -0.5 * (width % 2 == 0)
    means = ndimage.uniform_filter(np.asarray(image.dataobj, dtype=np.float32), width)
    return nib.Nifti1Image(means, image.affine @ between)


def resample_series(
    series: nib.Nifti1Image, points: np.ndarray, motion: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Resample a raw series in one interpolation through all its transforms.

    Parameters
    ----------
    series : Nifti1Image
        Shape (i, j, k, n_volumes).
    points : ndarray of shape (3, x, y, z)
        For each voxel of the result, its world point in the BOLD reference.
    motion : ndarray of shape (n_volumes, 4, 4)
        Points of the reference to points of each volume.

    Returns
    -------
    resampled : ndarray of shape (x, y, z, n_volumes), float32
        By cubic splines; not negative; 0 where a volume was not scanned.
    covered : ndarray of shape (x, y, z), bool
        Voxels that lie inside the field of view in every volume.
    """
    data = series.dataobj
    n_volumes = series.shape[3]
    limits = (np.array(series.shape[:3]) - 0.5)[:, None, None, None]
    to_voxels = np.linalg.inv(series.affine)
    resampled = np.empty((*points.shape[1:], n_volumes), dtype=np.float32)
    covered = np.ones(points.shape[1:], dtype=bool)
    for k in range(n_volumes):
        voxels = apply(to_voxels @ motion[k], points)
        inside = ((voxels > -0.5) & (voxels < limits)).all(axis=0)
        covered &= inside
        spline = ndimage.spline_filter(
            np.asarray(data[..., k], dtype=np.float32), order=3, output=np.float32, mode="mirror"
        )
        values = ndimage.map_coordinates(
            spline, voxels, order=3, mode="mirror", prefilter=False, output=np.float32
        )
        # Splines overshoot at edges; a magnitude image has no negative values.
        resampled[..., k] = np.where(inside, np.maximum(values, 0), 0)
    return resampled, covered


def output_voxel(series: nib.Nifti1Image, resolution: str | float) -> tuple[float, ...]:
    """Return the voxel size that a series is resampled to.

    Parameters
    ----------
    series : Nifti1Image
        The raw series.
    resolution : 'native' or float
        Its own, or cubes of so many mm.

    Returns
    -------
    (3,) floats
        Millimetres, rounded to hundredths: headers differ in digits that mean nothing.
    """
    if resolution != "native":
        return (float(resolution),) * 3
    return tuple(float(size) for size in np.round(series.header.get_zooms()[:3], 2))


def resampled_tissues(
    tissues: dict[str, nib.Nifti1Image], normalisation: str | Path, grid: nib.Nifti1Image
) -> dict[str, np.ndarray]:
    """Bring tissue probabilities from a T1w to a coarser grid of the template.

    Parameters
    ----------
    tissues : dict of str to Nifti1Image
        On the grid of the T1w.
    normalisation : str or Path
        Composite transform, T1w to template.
    grid : Nifti1Image
        Whose voxels are wanted.

    Returns
    -------
    dict of str to ndarray of shape (x, y, z)
        Means over each voxel, so that a voxel half of grey matter says 0.5.
    """
    points = moved_points(normalisation, grid)
    voxel = np.linalg.norm(grid.affine[:3, :3], axis=0)
    return {name: sample(box_means(image, voxel), points) for name, image in tissues.items()}


def template_tissues(grid: nib.Nifti1Image) -> dict[str, np.ndarray]:
    """Return the template's own tissue probabilities on a grid, for heads without a T1w."""
    points = voxel_points(grid)
    found = {name: sample(template(name, 2), points) for name in ("GM", "WM")}
    brain = sample(template("mask", 2), points)
    found["CSF"] = np.clip(brain - found["GM"] - found["WM"], 0, 1)
    return found
