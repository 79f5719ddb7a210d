"""Maps of a statistic as NIfTI images whose headers name it."""

import nibabel as nib
import numpy as np


def statistic_image(
    volume: np.ndarray, affine: np.ndarray, *, name: str, header: nib.Nifti1Header | None = None
) -> nib.Nifti1Image:
    """Return a volume of a statistic as an image whose header names it.

    Parameters
    ----------
    volume : ndarray of shape (x, y, z)
    affine : ndarray of shape (4, 4)
    name : str
        Of the statistic; ``r`` is marked as a correlation.
    header : Nifti1Header, optional
        Of an image of the same space, whose units and codes are kept; else they are millimetres of
        the template.
    """
    image = nib.Nifti1Image(volume, affine, header)
    if name == "r":
        image.header.set_intent("correlation", (0,), name="r")
    else:
        image.header.set_intent("none", name=name)
    if header is None:
        image.header.set_xyzt_units("mm")
        image.set_sform(affine, code=4)
        image.set_qform(affine, code=4)
    return image
