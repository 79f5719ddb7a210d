"""Susceptibility distortion without a fieldmap: the BOLD reference against its own T1w.

The phase-encoding axis is the only one along which voxels are displaced. As in the fieldmap-less
correction of sdcflows (Treiber et al., 2016; Wang et al., 2017) the anatomy says where they should
be, and SyN along that axis alone finds the displacement. The undistorted image is a mixture of the
T1w's tissues, with the intensities that the reference itself has in them, and not an inverted T1w.
"""

import tempfile

import nibabel as nib
import numpy as np

from stim2bold.preprocessing.registration import deterministic, to_ants
from stim2bold.preprocessing.resampling import apply, box_means, sample, voxel_points

#: Iterations of SyN at a quarter, a half and all of the reference's resolution.
ITERATIONS = (40, 20, 10)
#: Smoothing of each step and of the whole field, as ANTs counts it (variance in voxels). With 3 and
#: 0, its own, local differences of contrast become displacement.
STEP_SMOOTHING, FIELD_SMOOTHING = 6, 3


def tissue_mixture(
    reference: nib.Nifti1Image, tissues: list[nib.Nifti1Image], matrix: np.ndarray
) -> np.ndarray:
    """Return the BOLD reference that tissues of a T1w would make, were nothing displaced.

    Parameters
    ----------
    reference : Nifti1Image
        Brain of the reference, zero outside of it.
    tissues : list of Nifti1Image
        Shares of each tissue, on the grid of the T1w.
    matrix : ndarray of shape (4, 4)
        World points of the T1w to world points of the BOLD.

    Returns
    -------
    ndarray of shape (i, j, k), float32
        Each tissue's share times the intensity that fits the reference best.
    """
    points = apply(np.linalg.inv(matrix), voxel_points(reference))
    voxel = np.linalg.norm(reference.affine[:3, :3], axis=0)
    shares = np.stack([sample(box_means(image, voxel), points) for image in tissues], axis=-1)
    image = np.asarray(reference.dataobj, dtype=np.float32)
    both = (shares.sum(axis=-1) > 0.5) & (image > 0)
    intensities = np.linalg.lstsq(shares[both], image[both], rcond=None)[0]
    return (shares @ intensities).astype(np.float32)


def estimate_displacement(
    reference: nib.Nifti1Image, undistorted: np.ndarray, *, axis: int
) -> np.ndarray:
    """Estimate by how much distortion displaced each point of a BOLD reference.

    Parameters
    ----------
    reference : Nifti1Image
        Brain of the distorted reference, zero outside of it.
    undistorted : ndarray of shape (i, j, k)
        How it should look.
    axis : int
        Phase-encoding axis of the reference's voxels.

    Returns
    -------
    ndarray of shape (i, j, k, 3), float32
        For the undistorted point at each voxel, how far from it in the world the reference shows
        it, RAS+ millimetres.
    """
    import ants

    # ITK restricts a displacement to axes of the world: here those of the voxels.
    sizes = np.linalg.norm(reference.affine[:3, :3], axis=0)
    plain = np.diag([*sizes, 1])
    moving = np.asarray(reference.dataobj, dtype=np.float32)
    deterministic()
    with tempfile.TemporaryDirectory() as folder:
        found = ants.registration(
            to_ants(nib.Nifti1Image(undistorted, plain)),
            to_ants(nib.Nifti1Image(moving, plain)),
            type_of_transform="SyNOnly",
            initial_transform="Identity",
            restrict_transformation=tuple(int(one == axis) for one in range(3)),
            syn_metric="CC",
            syn_sampling=2,
            flow_sigma=STEP_SMOOTHING,
            total_sigma=FIELD_SMOOTHING,
            reg_iterations=ITERATIONS,
            outprefix=f"{folder}/distortion_",
        )
        (field,) = (path for path in found["fwdtransforms"] if path.endswith(".nii.gz"))
        moved = np.asarray(nib.load(field).dataobj, dtype=np.float32)
    # ITK's world runs to the left and to the back where nibabel's runs to the right and the front.
    shift = moved.reshape(*moving.shape, 3)[..., axis] * (1 if axis == 2 else -1)
    along = reference.affine[:3, axis] / sizes[axis]
    return (shift[..., None] * along).astype(np.float32)


def displaced_points(points: np.ndarray, displacement: nib.Nifti1Image) -> np.ndarray:
    """Send undistorted world points of shape (3, ...) to where a distorted image shows them."""
    return points + np.stack([sample(displacement.slicer[..., k], points) for k in range(3)])
