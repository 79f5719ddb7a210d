"""Grids of voxels: where they lie, what is read from them, how they become images."""

import nibabel as nib
import numpy as np
from scipy.ndimage import map_coordinates

from stim2bold.simulation.brain.deformation import Deformation, apply_affine


def grid_points(affine: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the place of every voxel.

    Parameters
    ----------
    affine : ndarray of shape (4, 4)
        Indices to millimetres.
    shape : tuple of int
        Voxels.

    Returns
    -------
    ndarray of shape (n_voxels, 3)
        In C order of the indices.
    """
    return apply_affine(affine, np.indices(shape).reshape(3, -1).T.astype(float))


def sample(volume: np.ndarray, affine: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Interpolate a volume linearly at points, 0 outside it.

    Parameters
    ----------
    volume : ndarray of shape (nx, ny, nz)
        Values.
    affine : ndarray of shape (4, 4)
        Its indices to millimetres.
    points : ndarray of shape (n, 3)
        Millimetres.

    Returns
    -------
    ndarray of shape (n,)
        Values there.
    """
    return map_coordinates(volume, apply_affine(np.linalg.inv(affine), points).T, order=1)


def image_of(data: np.ndarray, affine: np.ndarray) -> nib.Nifti1Image:
    """Return an image whose sform and qform both hold the affine.

    Parameters
    ----------
    data : ndarray of shape (nx, ny, nz[, n_volumes])
        Values.
    affine : ndarray of shape (4, 4)
        Indices to millimetres of scanner space, without shear.

    Returns
    -------
    Nifti1Image
        In memory; both codes are 1, scanner.
    """
    image = nib.Nifti1Image(data, affine)
    image.set_sform(affine, code=1)
    image.set_qform(affine, code=1)
    image.header.set_xyzt_units("mm", "sec")
    return image


def mni_places(
    deformation: Deformation, to_t1w: np.ndarray, affine: np.ndarray, shape: tuple[int, ...]
) -> np.ndarray:
    """Return the MNI place of every voxel of a grid.

    The inverse of the warp is found on a 6 mm grid and read by cubic splines in between: it is so
    smooth that this is right to a hundredth of a millimetre.

    Parameters
    ----------
    deformation : Deformation
        The participant's.
    to_t1w : ndarray of shape (4, 4)
        From the space of the grid to T1w scanner space.
    affine : ndarray of shape (4, 4)
        Indices to the space of the grid.
    shape : tuple of int
        Voxels.

    Returns
    -------
    ndarray of shape (n_voxels, 3)
        MNI millimetres, in C order of the indices.
    """
    every = max(1, int(round(6.0 / np.linalg.norm(affine[:3, 0]))))
    # One more point on each side: splines are worst at their ends.
    coarse_shape = tuple(int(np.ceil((n - 1) / every)) + 3 for n in shape)
    coarse_affine = affine @ np.diag([every, every, every, 1.0])
    coarse_affine[:3, 3] = apply_affine(coarse_affine, -np.ones(3))
    found = deformation.to_mni(apply_affine(to_t1w, grid_points(coarse_affine, coarse_shape)))
    where = np.indices(shape).reshape(3, -1) / every + 1
    return np.stack(
        [
            map_coordinates(part.reshape(coarse_shape), where, order=3, mode="nearest")
            for part in found.T
        ],
        axis=1,
    )
