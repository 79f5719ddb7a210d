"""Where a participant's head differs from the template: a smooth warp, then an affine map.

A point x of MNI space lies at A (x + u(x)) in the scanner space of the participant's T1w image,
both in millimetres and RAS+. The displacement u is a smooth random field that vanishes at the edge
of its box; it is kept so gentle that the map can be inverted everywhere.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates, spline_filter

# The box and the grid on which the displacement is known, in MNI millimetres.
_STEP = 4.0
_LOW = np.array([-130.0, -170.0, -170.0])
_SHAPE = (66, 84, 80)
CENTRE = np.array([0.0, -18.0, 2.0])
"""Centre of a head in MNI space, which a radiographer puts near the centre of the scanner."""


@dataclass(frozen=True)
class Deformation:
    """From MNI space to a participant's T1w scanner space.

    Parameters
    ----------
    displacement : ndarray of shape (3, 66, 84, 80)
        u in millimetres on a 4 mm grid, read by cubic splines.
    affine : ndarray of shape (4, 4)
        A.
    """

    displacement: np.ndarray
    affine: np.ndarray

    @cached_property
    def _coefficients(self) -> np.ndarray:
        return np.stack([spline_filter(part, mode="nearest") for part in self.displacement])

    def _displacement_at(self, points: np.ndarray) -> np.ndarray:
        where = ((points - _LOW) / _STEP).T
        return np.stack(
            [
                map_coordinates(part, where, order=3, mode="nearest", prefilter=False)
                for part in self._coefficients
            ],
            axis=-1,
        )

    def to_t1w(self, points: np.ndarray) -> np.ndarray:
        """Map points of MNI space to T1w scanner space.

        Parameters
        ----------
        points : ndarray of shape (n, 3)
            Millimetres.

        Returns
        -------
        ndarray of shape (n, 3)
            Millimetres.
        """
        return apply_affine(self.affine, points + self._displacement_at(points))

    def to_mni(self, points: np.ndarray) -> np.ndarray:
        """Map points of T1w scanner space to MNI space.

        Parameters
        ----------
        points : ndarray of shape (n, 3)
            Millimetres.

        Returns
        -------
        ndarray of shape (n, 3)
            Millimetres; right to 1e-4 mm.
        """
        start = apply_affine(np.linalg.inv(self.affine), points)
        found = start.copy()
        # x = z - u(x) contracts, for the slope of u is well below one.
        for _ in range(60):
            moved = start - self._displacement_at(found)
            change = np.abs(moved - found).max(initial=0.0)
            found = moved
            if change < 1e-5:
                return found
        raise RuntimeError(f"the deformation could not be inverted: last step {change:.2g} mm")

    def jacobian_determinant(self) -> np.ndarray:
        """Return how much the warp (without the affine map) swells space at each grid point.

        Returns
        -------
        ndarray of shape (66, 84, 80)
            Positive everywhere in a map that can be inverted.
        """
        return _determinant(self.displacement)


def _determinant(displacement: np.ndarray) -> np.ndarray:
    slopes = np.stack(
        [np.stack(np.gradient(part, _STEP), axis=-1) for part in displacement], axis=-2
    )
    return np.linalg.det(slopes + np.eye(3))


def apply_affine(affine: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Apply a 4 x 4 map to points.

    Parameters
    ----------
    affine : ndarray of shape (4, 4)
        The map.
    points : ndarray of shape (..., 3)
        Before.

    Returns
    -------
    ndarray of shape (..., 3)
        After.
    """
    return points @ affine[:3, :3].T + affine[:3, 3]


def rotation(angles: np.ndarray) -> np.ndarray:
    """Return Rz @ Ry @ Rx: turns about the x, then the y, then the z axis.

    Parameters
    ----------
    angles : ndarray of shape (3,)
        Radians about x, y and z, counter-clockwise seen from the positive end of the axis.

    Returns
    -------
    ndarray of shape (3, 3)
        The rotation.
    """
    (cx, cy, cz), (sx, sy, sz) = np.cos(angles), np.sin(angles)
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def rigid(translation: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Return the rigid map that turns about the origin and then shifts.

    Parameters
    ----------
    translation : ndarray of shape (3,)
        Millimetres.
    angles : ndarray of shape (3,)
        As in `rotation`.

    Returns
    -------
    ndarray of shape (4, 4)
        The map.
    """
    matrix = np.eye(4)
    matrix[:3, :3] = rotation(angles)
    matrix[:3, 3] = translation
    return matrix


def only_affine(affine: np.ndarray) -> Deformation:
    """Return a deformation without a warp.

    Parameters
    ----------
    affine : ndarray of shape (4, 4)
        MNI space to T1w scanner space.
    """
    return Deformation(displacement=np.zeros((3, *_SHAPE)), affine=affine)


def draw_deformation(largest: float, rng: np.random.Generator) -> Deformation:
    """Draw a participant's deformation.

    Parameters
    ----------
    largest : float
        Length of the longest displacement of the warp in millimetres.
    rng : numpy Generator
        Source of chance.

    Returns
    -------
    Deformation
        Its affine map makes the head some tenth smaller than the template, which is larger than
        heads are, tilts it by a few degrees and puts its centre near the scanner's.

    Raises
    ------
    ValueError
        When so long a displacement would fold space.
    """
    noise = rng.standard_normal((3, *_SHAPE))
    field = np.stack([gaussian_filter(part, 20 / _STEP, mode="constant") for part in noise])
    # Fades out towards the edge of the box.
    for axis, length in enumerate(_SHAPE):
        place = np.minimum(np.arange(length), np.arange(length)[::-1]) * _STEP
        fade = np.clip(place / 30, 0, 1).reshape([-1 if axis == k else 1 for k in range(3)])
        field = field * np.sin(np.pi / 2 * fade) ** 2
    field *= largest / np.linalg.norm(field, axis=0).max()
    if _determinant(field).min() < 0.2:
        raise ValueError(f"deformation_mm: {largest} mm would fold the head; take less")
    scale = rng.normal(0.905, 0.012) * (1 + rng.normal(0, 0.015, 3))
    turn = rotation(np.radians(rng.normal(0, 3, 3)))
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag(scale)
    affine[:3, 3] = rng.normal(0, 3, 3) - affine[:3, :3] @ CENTRE
    return Deformation(displacement=field, affine=affine)
