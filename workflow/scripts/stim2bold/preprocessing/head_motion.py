"""Reference volume and head motion of a BOLD series.

Motion is found by Gauss-Newton minimisation of the squared difference to the reference (the
principle of SPM's realign and AFNI's 3dvolreg), in its inverse compositional form (Baker & Matthews
2004, Int J Comput Vis 56:221): what has to be inverted depends on the reference alone and is
inverted once, so that a step costs one interpolation of the brain's voxels.
"""

import logging
from dataclasses import dataclass

import nibabel as nib
import numpy as np
from scipy import linalg, ndimage

from stim2bold.preprocessing.anatomy import correct_bias, largest_part
from stim2bold.preprocessing.resampling import apply, voxel_points
from stim2bold.runtime.command import progress

log = logging.getLogger(__name__)

# The T1 effect is gone after a few seconds; fMRIPrep looks at as many volumes.
NON_STEADY_SEARCH = 50
FWHM = np.sqrt(8 * np.log(2))


@dataclass(frozen=True, kw_only=True)
class MotionSettings:
    """How head motion is estimated.

    Attributes
    ----------
    coarse_fwhm, fine_fwhm : float
        Smoothing in mm of the two passes.
    largest_step : float
        A pass ends when a step moves no point of the brain's edge farther than this, in mm.
    most_steps : int
        And at the latest after so many.
    reference_volumes : int
        How many volumes the reference is averaged from.
    """

    coarse_fwhm: float
    fine_fwhm: float
    largest_step: float = 0.002
    most_steps: int = 30
    reference_volumes: int


def non_steady_volumes(series: nib.Nifti1Image) -> int:
    """Count the volumes at the start that T1 saturation makes brighter than the rest."""
    # Imported here: nipype takes as long as all else that a step imports.
    from nipype.algorithms.confounds import is_outlier

    data = np.asarray(series.dataobj[..., :NON_STEADY_SEARCH], dtype=np.float32)
    return int(is_outlier(data.mean(axis=(0, 1, 2), dtype=np.float64)))


def rigid_matrix(parameters: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Build a rigid transform from six numbers.

    Parameters
    ----------
    parameters : ndarray of shape (6,)
        Translations (mm) along and rotations (radians) about x, y and z. Rotation about x comes
        first, about z last.
    centre : ndarray of shape (3,)
        World point that the rotations leave in place.

    Returns
    -------
    ndarray of shape (4, 4)
        Map of world points.
    """
    (cx, cy, cz), (sx, sy, sz) = np.cos(parameters[3:]), np.sin(parameters[3:])
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    matrix = np.eye(4)
    matrix[:3, :3] = about_z @ about_y @ about_x
    matrix[:3, 3] = centre - matrix[:3, :3] @ centre + parameters[:3]
    return matrix


def rigid_parameters(matrices: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Return the six numbers of each rigid transform, the inverse of `rigid_matrix`.

    Parameters
    ----------
    matrices : ndarray of shape (n, 4, 4)
        Maps of world points.
    centre : ndarray of shape (3,)
        World point about which rotations are taken.

    Returns
    -------
    ndarray of shape (n, 6)
        Translations (mm), rotations (radians).
    """
    turn = matrices[:, :3, :3]
    rotations = np.stack(
        [
            np.arctan2(turn[:, 2, 1], turn[:, 2, 2]),
            -np.arcsin(np.clip(turn[:, 2, 0], -1, 1)),
            np.arctan2(turn[:, 1, 0], turn[:, 0, 0]),
        ],
        axis=1,
    )
    translations = matrices[:, :3, 3] + turn @ centre - centre
    return np.concatenate([translations, rotations], axis=1)


def small_motion(twist: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Return the rigid transform of a twist (translation mm, rotation radians) about a centre."""
    generator = np.zeros((4, 4))
    x, y, z = twist[3:]
    generator[:3, :3] = [[0, -z, y], [z, 0, -x], [-y, x, 0]]
    generator[:3, 3] = twist[:3]
    shift = np.eye(4)
    shift[:3, 3] = centre
    back = np.eye(4)
    back[:3, 3] = -centre
    return shift @ linalg.expm(generator) @ back


def world_centre(mask: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Return the world point in the middle of a mask."""
    return affine[:3, :3] @ np.argwhere(mask).mean(axis=0) + affine[:3, 3]


class Aligner:
    """Finds the rigid motion from one reference to many volumes, at one smoothing.

    Parameters
    ----------
    reference : Nifti1Image
        3D.
    mask : ndarray of shape (i, j, k), bool
        Voxels whose difference counts.
    fwhm : float
        Smoothing of reference and volumes, mm.
    centre : ndarray of shape (3,)
        World point about which rotations are taken.
    """

    def __init__(
        self, reference: nib.Nifti1Image, mask: np.ndarray, *, fwhm: float, centre: np.ndarray
    ):
        self.fwhm = fwhm
        self.centre = centre
        smooth = self.smoothed(reference)
        points = voxel_points(reference)[:, mask]
        self.points = points
        self.values = smooth[mask].astype(float)
        # Gradient in world millimetres; central differences of a spline would gain nothing on a
        # smoothed image, for the residual alone decides where the iteration ends.
        gradient = np.stack([axis[mask] for axis in np.gradient(smooth)])
        gradient = np.linalg.inv(reference.affine)[:3, :3].T @ gradient
        arm = points - centre[:, None]
        # d R(x + t + w x arm) = g.t + w.(arm x g); brightness and offset are free.
        self.system = np.concatenate(
            [
                gradient,
                np.cross(arm, gradient, axis=0),
                self.values[None],
                np.ones((1, self.values.size)),
            ]
        ).T
        self.scale = np.sqrt((self.system**2).mean(axis=0))
        self.solver = linalg.pinv(self.system / self.scale)
        self.radius = np.sqrt((arm**2).sum(axis=0)).max()

    def smoothed(self, volume: nib.Nifti1Image) -> np.ndarray:
        """Blur a volume by the width of this pass."""
        sigma = self.fwhm / FWHM / np.linalg.norm(volume.affine[:3, :3], axis=0)
        data = np.asarray(volume.dataobj, dtype=np.float32)
        return ndimage.gaussian_filter(data, sigma, mode="nearest", truncate=3.0)

    def align(
        self, volume: nib.Nifti1Image, start: np.ndarray, *, largest_step: float, most_steps: int
    ) -> np.ndarray:
        """Return the map from points of the reference to points of a volume.

        Parameters
        ----------
        volume : Nifti1Image
            3D, on any grid.
        start : ndarray of shape (4, 4)
            First guess.
        largest_step : float
            Where to stop, mm.
        most_steps : int
            When to give up.
        """
        spline = ndimage.spline_filter(
            self.smoothed(volume), order=3, output=np.float32, mode="mirror"
        )
        to_voxels = np.linalg.inv(volume.affine)
        limits = np.array(volume.shape)[:, None] - 0.5
        found = start
        for _ in range(most_steps):
            voxels = apply(to_voxels @ found, self.points)
            values = ndimage.map_coordinates(
                spline, voxels, order=3, mode="mirror", prefilter=False, output=np.float64
            )
            # What was moved out of the field of view says nothing.
            inside = ((voxels > -0.5) & (voxels < limits)).all(axis=0)
            difference = np.where(inside, values - self.values, 0.0)
            solution = self.solver @ difference / self.scale
            # The volume is the reference seen through (found^-1 true): undo what is seen.
            found = found @ small_motion(-solution[:6], self.centre)
            step = np.abs(solution[:3]).max() + self.radius * np.abs(solution[3:6]).max()
            if step < largest_step:
                break
        return found


def estimate_motion(
    series: nib.Nifti1Image,
    reference: nib.Nifti1Image,
    mask: np.ndarray,
    settings: MotionSettings,
    volumes: np.ndarray | None = None,
) -> np.ndarray:
    """Estimate the rigid motion of the head in each volume.

    Parameters
    ----------
    series : Nifti1Image
        Shape (i, j, k, n_volumes).
    reference : Nifti1Image
        Shape (i, j, k).
    mask : ndarray of shape (i, j, k), bool
        The head in the reference.
    settings : MotionSettings
        Smoothing and stopping.
    volumes : ndarray of shape (n,), int, optional
        Which volumes; all by default.

    Returns
    -------
    ndarray of shape (n, 4, 4)
        World points of the reference to world points of each volume.
    """
    centre = world_centre(mask, reference.affine)
    coarse = Aligner(reference, mask, fwhm=settings.coarse_fwhm, centre=centre)
    fine = Aligner(reference, mask, fwhm=settings.fine_fwhm, centre=centre)
    chosen = np.arange(series.shape[3]) if volumes is None else np.asarray(volumes)
    motion = np.empty((chosen.size, 4, 4))
    last = np.eye(4)
    for row, k in enumerate(progress(chosen, "volumes aligned", total=chosen.size)):
        volume = nib.Nifti1Image(series.dataobj[..., k], series.affine)
        # The first pass need only come near enough for the second.
        near = coarse.align(
            volume, last, largest_step=20 * settings.largest_step, most_steps=settings.most_steps
        )
        last = fine.align(
            volume,
            near,
            largest_step=settings.largest_step,
            most_steps=settings.most_steps,
        )
        motion[row] = last
    return motion


def bold_mask(volume: nib.Nifti1Image) -> np.ndarray:
    """Find the brain in a BOLD volume.

    Parameters
    ----------
    volume : Nifti1Image
        A reference volume.

    Returns
    -------
    ndarray of shape (i, j, k), bool
        One part without holes.
    """
    from nilearn.masking import compute_epi_mask

    found = compute_epi_mask(volume, opening=2, exclude_zeros=False)
    return largest_part(np.asarray(found.dataobj) > 0)


@dataclass(frozen=True)
class Reference:
    """What later steps measure a series against.

    Attributes
    ----------
    volume : Nifti1Image
        Robust mean, without bias field.
    raw : Nifti1Image
        The same before the bias field was divided out; what volumes are aligned to.
    mask : ndarray of shape (i, j, k), bool
        Brain.
    non_steady : int
        Volumes at the start before the steady state.
    """

    volume: nib.Nifti1Image
    raw: nib.Nifti1Image
    mask: np.ndarray
    non_steady: int


def make_reference(series: nib.Nifti1Image, settings: MotionSettings) -> Reference:
    """Average the volumes of a series that lie still, aligned to one another.

    Parameters
    ----------
    series : Nifti1Image
        Shape (i, j, k, n_volumes).
    settings : MotionSettings
        How many volumes, and how they are aligned.
    """
    non_steady = non_steady_volumes(series)
    n_volumes = series.shape[3]
    chosen = np.unique(
        np.linspace(non_steady, n_volumes - 1, settings.reference_volumes).astype(int)
    )
    stack = np.stack([np.asarray(series.dataobj[..., k], dtype=np.float32) for k in chosen])
    flat = stack.reshape(len(chosen), -1)
    # The volume most like all others is where the head lay most of the time.
    alike = np.corrcoef(flat).sum(axis=0)
    middle = int(np.argmax(alike))
    first = nib.Nifti1Image(stack[middle], series.affine)
    head = ndimage.binary_dilation(bold_mask(first), iterations=1)
    motion = estimate_motion(series, first, head, settings, volumes=chosen)
    grid = voxel_points(first)
    to_voxels = np.linalg.inv(series.affine)
    for row, matrix in enumerate(motion):
        stack[row] = ndimage.map_coordinates(
            stack[row], apply(to_voxels @ matrix, grid), order=3, mode="nearest"
        )
    raw = nib.Nifti1Image(np.maximum(np.median(stack, axis=0), 0), series.affine)
    mask = bold_mask(raw)
    corrected = correct_bias(raw, mask, 2)
    log.info(
        "reference: median of %d volumes at the place of volume %d; %d before the steady state",
        len(chosen),
        chosen[middle],
        non_steady,
    )
    return Reference(corrected, raw, bold_mask(corrected), non_steady)
