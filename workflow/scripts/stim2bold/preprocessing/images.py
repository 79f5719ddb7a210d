"""Reading and writing of images, and what is wrong with one before any heavy step.

What a header, and the file's length, can tell is judged here once: the validation asks before
anything runs, and whoever reads an image asks again.

World coordinates are nibabel's: millimetres, x to the right, y to the front, z up (RAS+). Every
image is brought to the RAS+ axis order when it is read, by flips and transpositions alone, so
that no later step can depend on how the scanner stored it.
"""

import logging
import zlib
from pathlib import Path

import nibabel as nib
import numpy as np

from stim2bold.io.files import replacing
from stim2bold.preprocessing import odd_headers
from stim2bold.preprocessing.image_checks import UNREADABLE, check_series, check_volume, no_numbers
from stim2bold.preprocessing.scan_clock import header_TR
from stim2bold.runtime.errors import InputError

log = logging.getLogger(__name__)


SCANNER, TEMPLATE = 1, 4


def open_image(path: str | Path) -> nib.Nifti1Image:
    """Open an image without reading its voxels; what of its header was put right is logged.

    Raises
    ------
    InputError
        When there is no such file or it is no NIfTI image.
    """
    image, said = open_telling(path)
    for what in said:
        log.warning("%s: %s", path, what)
    return image


def open_telling(path: str | Path) -> tuple[nib.Nifti1Image, list[str]]:
    """Open an image as `open_image` does, and return what of its header was put right."""
    try:
        return odd_headers.load(path)
    except FileNotFoundError:
        raise InputError(
            path,
            "the file is not there (a dangling link of git-annex or datalad counts as absent)",
            "fetch it or correct bids_dir",
        ) from None
    except UNREADABLE as error:
        said = " ".join(str(error).split())
        raise InputError(path, f"not a NIfTI image ({said})", "fetch or convert it again") from None


def read_voxels(
    image: nib.Nifti1Image, name: str | Path, *, dtype: type = np.float32
) -> np.ndarray:
    """Read the voxels of an image as float, in the order in which they are stored.

    Raises
    ------
    InputError
        When the file is shorter than its header says.
    """
    try:
        data = image.get_fdata(dtype=dtype, caching="unchanged")
    except (EOFError, zlib.error, OSError, ValueError) as error:
        raise InputError(name, f"truncated or damaged ({error})", "fetch the file again") from None
    return np.asarray(data)


def canonical(data: np.ndarray, affine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bring voxels to RAS+ axis order without interpolation.

    Parameters
    ----------
    data : ndarray of shape (i, j, k, ...)
        Voxels in any order.
    affine : ndarray of shape (4, 4)
        Voxel indices to world.

    Returns
    -------
    data : array
        A view of the same voxels.
    affine : ndarray of shape (4, 4)
        Their affine.
    """
    orientation = nib.orientations.io_orientation(affine)
    turned = nib.orientations.apply_orientation(data, orientation)
    return turned, affine @ nib.orientations.inv_ornt_aff(orientation, data.shape[:3])


def stored_axis(direction: str, affine: np.ndarray) -> tuple[int, bool]:
    """Return the RAS+ axis that a direction of a stored image is, and whether it runs downwards.

    Parameters
    ----------
    direction : str
        An axis of the image as stored, such as ``j-``.
    affine : ndarray of shape (4, 4)
        Affine of the image as stored.
    """
    axis, flip = nib.orientations.io_orientation(affine)["ijk".index(direction[0])]
    return int(axis), (flip < 0) != direction.endswith("-")


def read_mask(path: str | Path) -> tuple[nib.Nifti1Image, str | None]:
    """Read a mask; its voxels keep the order in which they are stored.

    Parameters
    ----------
    path : str or Path
        3D. Voxels above one half are in it, of probabilities too.

    Returns
    -------
    mask : Nifti1Image
        0 and 1.
    doubt : str or None
        What is wrong with some of its voxels: those that are no numbers are outside.

    Raises
    ------
    InputError
        When it is no usable 3D image or holds no voxel.
    """
    image = open_image(path)
    check_volume(image, path)
    data = read_voxels(image, path)
    bad = no_numbers(data)
    inside = np.nan_to_num(data, nan=0.0, posinf=0.0, neginf=0.0) > 0.5
    if not inside.any():
        raise InputError(path, "no voxel of this mask is above 0.5", "make it again")
    doubt = f"holds voxels that are no numbers ({bad}): they count as outside" if bad else None
    return nib.Nifti1Image(inside.astype(np.uint8), image.affine), doubt


def read_derived(path: str | Path) -> nib.Nifti1Image:
    """Read a preprocessed series as float32, as it is stored, whatever its voxels hold.

    Voxels that hold no signal, or no numbers, are told apart by
    `stim2bold.preprocessing.signal_voxels.with_signal`.

    Raises
    ------
    InputError
        When it is no series, or shorter than its header says.
    """
    image = open_image(path)
    check_series(image, path)
    return nib.Nifti1Image(read_voxels(image, path), image.affine, image.header)


def read_volume(path: str | Path) -> nib.Nifti1Image:
    """Read a 3D image such as a T1w, in RAS+ order, as float32.

    Raises
    ------
    InputError
        When it is not a usable 3D image.
    """
    image = open_image(path)
    check_volume(image, path)
    data = read_voxels(image, path)
    if bad := no_numbers(data):
        raise InputError(path, f"holds NaN or infinite voxels ({bad})", "convert it again")
    if data.min() == data.max():
        raise InputError(path, "every voxel has the same value", "fetch or convert it again")
    return nib.Nifti1Image(*canonical(data, image.affine))


def read_series(path: str | Path) -> nib.Nifti1Image:
    """Read a BOLD series in RAS+ order as float32, and refuse what cannot be analysed.

    Parameters
    ----------
    path : str or Path
        A 4D NIfTI image.

    Returns
    -------
    Nifti1Image
        Shape (x, y, z, n_volumes); the TR of the header, in seconds, is its fourth zoom, 0 where
        it gives none. The TR that counts is the sidecar's: see `check_TR`.

    Raises
    ------
    InputError
        Truncated file, NaN, empty volumes, fewer than 4 dimensions or 20 volumes, no affine.
    """
    image = open_image(path)
    check_series(image, path)
    data = read_voxels(image, path)
    for k in range(data.shape[3]):
        volume = data[..., k]
        if bad := no_numbers(volume):
            raise InputError(
                path,
                f"volume {k} holds NaN or infinite voxels ({bad})",
                "convert it again from DICOM",
            )
        if not volume.any():
            raise InputError(
                path, f"volume {k} is all zero", "cut the run before it or convert it again"
            )
    turned = nib.Nifti1Image(*canonical(data, image.affine))
    # 0 where the header gives none, as NIfTI has it.
    turned.header.set_zooms(
        (*turned.header.get_zooms()[:3], np.nan_to_num(header_TR(image.header)))
    )
    turned.header.set_xyzt_units("mm", "sec")
    return turned


def masked(image: str | Path, mask: str | Path) -> nib.Nifti1Image:
    """Return an image of ours with everything outside a mask set to zero."""
    found = nib.load(image)
    inside = np.asarray(nib.load(mask).dataobj) > 0
    return nib.Nifti1Image(np.asarray(found.dataobj, dtype=np.float32) * inside, found.affine)


def contents_mark(path: str | Path) -> bytes | None:
    """Return eight bytes that two gzip files share only when they hold the same (CRC and length).

    None for a file that is not compressed.
    """
    if Path(path).suffix != ".gz" or Path(path).stat().st_size < 18:
        return None
    with Path(path).open("rb") as file:
        file.seek(-8, 2)
        return file.read(8)


def save_image(
    path: str | Path,
    data: np.ndarray,
    affine: np.ndarray,
    *,
    dtype: type = np.float32,
    code: int = SCANNER,
    TR: float | None = None,
) -> None:
    """Write an image with sform and qform both set to the same affine.

    Parameters
    ----------
    path : str or Path
        The file to write, whole or not at all.
    data : array
        3D or 4D.
    affine : ndarray of shape (4, 4)
        Voxel indices to world.
    dtype : type
        How voxels are stored; never scaled.
    code : int
        NIfTI code of the space: SCANNER or TEMPLATE.
    TR : float, optional
        Seconds between volumes, for a series.
    """
    image = nib.Nifti1Image(np.asarray(data, dtype=dtype), affine)
    image.header.set_data_dtype(dtype)
    image.set_sform(affine, code)
    image.set_qform(affine, code)
    image.header.set_xyzt_units("mm", "sec")
    if TR is not None:
        image.header.set_zooms((*image.header.get_zooms()[:3], TR))
    with replacing(path) as temporary:
        nib.save(image, temporary)
