"""Linear transforms in ITK's text files, as fMRIPrep keeps them.

Matrices here act on world points in RAS+ millimetres; the files hold the same maps in LPS+.
"""

from pathlib import Path

import numpy as np

from stim2bold.io.files import replacing
from stim2bold.runtime.errors import InputError

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def from_itk(parameters: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Return an affine transform of ITK as a 4x4 matrix on RAS+ points.

    Parameters
    ----------
    parameters : ndarray of shape (12,)
        The linear part, row by row, and the translation; LPS+.
    centre : ndarray of shape (3,)
        The point about which the linear part turns; LPS+.
    """
    linear, translation = parameters[:9].reshape(3, 3), parameters[9:]
    matrix = np.eye(4)
    matrix[:3, :3] = linear
    matrix[:3, 3] = translation + centre - linear @ centre
    return LPS @ matrix @ LPS


def write_matrices(path: str | Path, matrices: np.ndarray) -> None:
    """Write linear transforms as an ITK text file, as fMRIPrep keeps them.

    Parameters
    ----------
    path : str or Path
        The file to write.
    matrices : ndarray of shape (n, 4, 4)
        Maps of RAS+ points.
    """
    lines = ["#Insight Transform File V1.0"]
    for k, matrix in enumerate(np.reshape(matrices, (-1, 4, 4))):
        turned = LPS @ matrix @ LPS
        numbers = [*turned[:3, :3].ravel(), *turned[:3, 3]]
        lines += [
            f"#Transform {k}",
            "Transform: MatrixOffsetTransformBase_double_3_3",
            "Parameters: " + " ".join(f"{number:.12g}" for number in numbers),
            "FixedParameters: 0 0 0",
        ]
    with replacing(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="ascii")


def read_matrices(path: str | Path) -> np.ndarray:
    """Read linear transforms from an ITK text file, ours or fMRIPrep's, shape (n, 4, 4).

    Raises
    ------
    InputError
        When the file holds anything but affine transforms of ITK.
    """
    try:
        lines = Path(path).read_text(encoding="ascii").splitlines()
        parameters, centres = (
            [np.array(line.split()[1:], dtype=float) for line in lines if line.startswith(key)]
            for key in ("Parameters:", "FixedParameters:")
        )
        return np.stack([from_itk(*pair) for pair in zip(parameters, centres, strict=True)])
    except ValueError:
        raise InputError(
            path, "holds no affine transforms of ITK", "make or copy the file again"
        ) from None
