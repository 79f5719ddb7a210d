"""Where in MNI space the simulated brain follows the film.

Ellipsoids in MNI millimetres (x grows to the right). Language is on the LEFT only, so that an
exchange of sides shows. What is auditory is not language.
"""

from dataclasses import dataclass

import numpy as np

KIND_NUMBERS = {"visual": 1, "auditory": 2, "language": 3}
"""Labels of the kinds in truth images."""


@dataclass(frozen=True)
class Region:
    """An ellipsoid whose grey matter follows one kind of feature.

    Parameters
    ----------
    name, kind : str
    centre, radii : tuple of float
        MNI millimetres.
    """

    name: str
    kind: str
    centre: tuple[float, float, float]
    radii: tuple[float, float, float]

    def contains(self, points: np.ndarray) -> np.ndarray:
        """Tell of each point of MNI space, (n, 3), whether it lies inside."""
        return (((points - np.array(self.centre)) / np.array(self.radii)) ** 2).sum(axis=1) < 1


REGIONS = (
    Region("posterior temporal, left", "language", (-57, -44, 2), (14, 20, 14)),
    Region("inferior frontal, left", "language", (-49, 22, 14), (14, 18, 16)),
    Region("anterior temporal, left", "language", (-55, -2, -20), (12, 16, 10)),
    Region("superior temporal, right", "auditory", (54, -20, 8), (17, 24, 10)),
    Region("superior temporal, left", "auditory", (-54, -20, 8), (17, 24, 10)),
    Region("occipital pole and calcarine", "visual", (0, -86, 4), (44, 22, 28)),
    Region("lateral occipital, right", "visual", (46, -70, 4), (13, 13, 13)),
    Region("lateral occipital, left", "visual", (-46, -70, 4), (13, 13, 13)),
)
"""Where two overlap, the later one wins: auditory and visual over language."""


def region_number_at(points: np.ndarray) -> np.ndarray:
    """Return the number in `REGIONS` of the region in which each point lies.

    Parameters
    ----------
    points : ndarray of shape (n, 3)
        MNI millimetres.

    Returns
    -------
    ndarray of shape (n,), int
        -1 outside.
    """
    number = np.full(len(points), -1)
    for index, region in enumerate(REGIONS):
        number[region.contains(points)] = index
    return number


def region_at(points: np.ndarray) -> np.ndarray:
    """Return the kind of region in which each point of MNI space lies.

    Parameters
    ----------
    points : ndarray of shape (n, 3)
        MNI millimetres.

    Returns
    -------
    ndarray of shape (n,), int8
        0 outside, else one of `KIND_NUMBERS`.
    """
    kinds = np.array([*(KIND_NUMBERS[region.kind] for region in REGIONS), 0], dtype=np.int8)
    return kinds[region_number_at(points)]
