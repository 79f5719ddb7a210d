"""NIfTI headers that are valid in all but a detail: the detail is put right, and said.

Readers of images get what the header means, so that no step needs to know of it: quaternions a hair
off unit length, units that do not exist, axes of length one behind the third.
"""

from pathlib import Path

import nibabel as nib
import numpy as np

#: How far beyond one the length of a quaternion may lie; float16 and printed decimals reach 1e-3.
LARGEST_EXCESS = 1e-2
QUATERNION = ("quatern_b", "quatern_c", "quatern_d")


class _Lenient:
    """A header whose quaternion may be longer than one."""

    def get_qform_quaternion(self) -> np.ndarray:
        xyz = np.array([float(self[key]) for key in QUATERNION])
        length = np.linalg.norm(xyz)
        if 1 < length <= 1 + LARGEST_EXCESS:
            return np.concatenate([[0.0], xyz / length])
        return super().get_qform_quaternion()


class _Nifti1Header(_Lenient, nib.Nifti1Header):
    pass


class _Nifti2Header(_Lenient, nib.Nifti2Header):
    pass


class _Nifti1Image(nib.Nifti1Image):
    header_class = _Nifti1Header


class _Nifti2Image(nib.Nifti2Image):
    header_class = _Nifti2Header


def load(path: str | Path) -> tuple[nib.Nifti1Image, list[str]]:
    """Open an image without reading its voxels, and put odd details of its header right.

    Parameters
    ----------
    path : str or Path
        A NIfTI image.

    Returns
    -------
    image : Nifti1Image
        Of as many axes as hold more than one voxel or volume, but three at least.
    said : list of str
        What was put right.

    Raises
    ------
    ImageFileError, HeaderDataError, OSError, ValueError, ...
        What nibabel raises of files that are no images.
    """
    image, said = unit_quaternion(path)
    image, found = known_units(image)
    said += found
    image, found = without_single_axes(image)
    return image, said + found


def unit_quaternion(path: str | Path) -> tuple[nib.Nifti1Image, list[str]]:
    """Open an image whose quaternion may be a little too long, see `load`."""
    try:
        return nib.load(path), []
    except ValueError:
        # Where the quaternion is not what is wrong, the same is raised again.
        kind = _Nifti2Image if nib.Nifti2Image.path_maybe_image(path)[0] else _Nifti1Image
        lenient = kind.from_filename(path)
    quaternion = lenient.header.get_qform_quaternion()
    header = lenient.header.copy()
    excess = np.linalg.norm([float(header[key]) for key in QUATERNION]) - 1
    for key, value in zip(QUATERNION, quaternion[1:], strict=True):
        header[key] = value
    plain = nib.Nifti2Image if kind is _Nifti2Image else nib.Nifti1Image
    image = plain(lenient.dataobj, lenient.affine, header, file_map=lenient.file_map)
    return image, [f"the quaternion of its header is {excess:.1g} too long and was normalised"]


def known_units(image: nib.Nifti1Image) -> tuple[nib.Nifti1Image, list[str]]:
    """Take millimetres and seconds where a header names units that do not exist, see `load`."""
    try:
        image.header.get_xyzt_units()
        return image, []
    except KeyError:
        code = int(image.header["xyzt_units"])
        image.header.set_xyzt_units()
        return image, [f"its header names no known units (code {code}): mm and seconds are taken"]


def without_single_axes(image: nib.Nifti1Image) -> tuple[nib.Nifti1Image, list[str]]:
    """Drop axes of length one behind the third, see `load`; voxels stay unread."""
    shape = image.shape
    kept = [axis for axis, size in enumerate(shape) if axis < 3 or size != 1]
    if len(kept) == len(shape):
        return image, []
    zooms = [image.header.get_zooms()[axis] for axis in kept]
    squeezed = type(image)(
        image.dataobj.reshape(tuple(shape[axis] for axis in kept)),
        image.affine,
        image.header,
        file_map=image.file_map,
    )
    squeezed.header.set_zooms(zooms)
    # One volume with a fourth axis is as usual as one without.
    said = f"its shape {shape} is read as {squeezed.shape}"
    return squeezed, [said] if len(shape) > 4 else []
