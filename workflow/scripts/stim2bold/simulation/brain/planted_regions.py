"""Where in MNI space the simulated brain follows the film.

Ellipsoids in MNI millimetres (x grows to the right), each with centre and radii:

- visual, both sides: the occipital pole and the calcarine sulcus (0, -86, 4), radii 44, 22, 28, and
  the lateral occipital cortex (+-46, -70, 4), radius 13;
- auditory, both sides: the superior temporal plane (+-54, -20, 8), radii 17, 24, 10;
- language, on the LEFT only, so that an exchange of sides shows: posterior middle and superior
  temporal (-57, -44, 2), radii 14, 20, 14; inferior frontal (-49, 22, 14), radii 14, 18, 16;
  anterior temporal (-55, -2, -20), radii 12, 16, 10. What is auditory is not language.
"""

import numpy as np

KIND_NUMBERS = {"visual": 1, "auditory": 2, "language": 3}
"""Labels of the kinds in truth images."""

_ELLIPSOIDS = {
    "visual": (
        ((0, -86, 4), (44, 22, 28)),
        ((46, -70, 4), (13, 13, 13)),
        ((-46, -70, 4), (13, 13, 13)),
    ),
    "auditory": (((54, -20, 8), (17, 24, 10)), ((-54, -20, 8), (17, 24, 10))),
    "language": (
        ((-57, -44, 2), (14, 20, 14)),
        ((-49, 22, 14), (14, 18, 16)),
        ((-55, -2, -20), (12, 16, 10)),
    ),
}


def region_at(points: np.ndarray) -> np.ndarray:
    """Return the region in which each point of MNI space lies.

    Parameters
    ----------
    points : ndarray, (n, 3)
        MNI millimetres.

    Returns
    -------
    ndarray of int8, (n,)
        0 outside, else one of `KIND_NUMBERS`; auditory and visual win over language.
    """
    region = np.zeros(len(points), dtype=np.int8)
    for kind in ("language", "auditory", "visual"):
        for centre, radii in _ELLIPSOIDS[kind]:
            inside = (((points - np.array(centre)) / np.array(radii)) ** 2).sum(axis=1) < 1
            region[inside] = KIND_NUMBERS[kind]
    return region
