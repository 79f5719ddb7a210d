"""Reading and writing of images, and what is wrong with one before any heavy step.

What a header, and the file's length, can tell is judged here once: the validation asks before
anything runs, and whoever reads an image asks again.

World coordinates are nibabel's: millimetres, x to the right, y to the front, z up (RAS+). Every
image is brought to the RAS+ axis order when it is read, by flips and transpositions alone, so
that no later step can depend on how the scanner stored it.
"""

import gzip
import logging
import zlib
from pathlib import Path

import nibabel as nib
import numpy as np

from stim2bold.io.files import replacing
from stim2bold.preprocessing import odd_headers
from stim2bold.preprocessing.scan_clock import header_doubt, header_TR, sidecar_TR
from stim2bold.runtime.errors import InputError

log = logging.getLogger(__name__)

FEWEST_VOLUMES = 20
# The cosine between two axes of a grid that is called rectangular; float32 headers reach 1e-6.
LARGEST_SHEAR = 1e-3

# Millimetres.
SMALLEST_VOXEL, LARGEST_VOXEL = 0.1, 20

# What nibabel raises of files that are no images, or whose headers make no sense.
UNREADABLE = (
    nib.filebasedimages.ImageFileError,
    nib.spatialimages.HeaderDataError,
    nib.spatialimages.ImageDataError,
    EOFError,
    KeyError,
    OSError,
    ValueError,
    zlib.error,
)

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
            f"{path}: the file is not there (a dangling link of git-annex or datalad counts as "
            "absent); fetch it or correct bids_dir"
        ) from None
    except UNREADABLE as error:
        said = " ".join(str(error).split())
        raise InputError(f"{path}: not a NIfTI image ({said}); fetch or convert it again") from None


def check_affine(image: nib.Nifti1Image, name: str | Path) -> None:
    """Refuse an image whose place in the world is unknown.

    Parameters
    ----------
    image : Nifti1Image
        Only its header is looked at.
    name : str or Path
        What the message calls it.

    Raises
    ------
    InputError
        When neither sform nor qform is set, or the affine is singular or sheared.
    """
    header = image.header
    if int(header["sform_code"]) == 0 and int(header["qform_code"]) == 0:
        raise InputError(
            f"{name}: neither sform nor qform is set, so left and right are unknown; "
            "convert it again from DICOM (dcm2niix)"
        )
    matrix = image.affine[:3, :3]
    sizes = np.linalg.norm(matrix, axis=0)
    if not np.isfinite(image.affine).all() or (sizes < 1e-3).any():
        raise InputError(
            f"{name}: its affine is singular or not finite; convert it again from DICOM"
        )
    cosines = (matrix / sizes).T @ (matrix / sizes) - np.eye(3)
    if np.abs(cosines).max() > LARGEST_SHEAR:
        raise InputError(
            f"{name}: its affine is sheared (axes up to "
            f"{np.degrees(np.arcsin(np.clip(np.abs(cosines).max(), 0, 1))):.1f} degrees off a "
            "right angle); resample it to a rectangular grid or restore the scanner's affine"
        )


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
        raise InputError(f"{name}: truncated or damaged ({error}); fetch the file again") from None
    return np.asarray(data)


def canonical(data: np.ndarray, affine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bring voxels to RAS+ axis order without interpolation.

    Parameters
    ----------
    data : (i, j, k, ...) array
        Voxels in any order.
    affine : (4, 4) array
        Voxel indices to world.

    Returns
    -------
    data : array
        A view of the same voxels.
    affine : (4, 4) array
        Their affine.
    """
    orientation = nib.orientations.io_orientation(affine)
    turned = nib.orientations.apply_orientation(data, orientation)
    return turned, affine @ nib.orientations.inv_ornt_aff(orientation, data.shape[:3])


def no_numbers(data: np.ndarray) -> str | None:
    """Say how many voxels are NaN or infinite, and where the first of them lies; None without."""
    bad = ~np.isfinite(data)
    if not bad.any():
        return None
    first = ", ".join(str(i) for i in np.unravel_index(int(bad.argmax()), bad.shape))
    return f"{int(bad.sum())} of {bad.size}, the first at ({first})"


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
        raise InputError(f"{path}: no voxel of this mask is above 0.5; make it again")
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
        raise InputError(f"{path}: holds NaN or infinite voxels ({bad}); convert it again")
    if data.min() == data.max():
        raise InputError(f"{path}: every voxel has the same value; fetch or convert it again")
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
                f"{path}: volume {k} holds NaN or infinite voxels ({bad}); convert it again from "
                "DICOM"
            )
        if not volume.any():
            raise InputError(
                f"{path}: volume {k} is all zero; cut the run before it or convert it again"
            )
    turned = nib.Nifti1Image(*canonical(data, image.affine))
    # 0 where the header gives none, as NIfTI has it.
    turned.header.set_zooms(
        (*turned.header.get_zooms()[:3], np.nan_to_num(header_TR(image.header)))
    )
    turned.header.set_xyzt_units("mm", "sec")
    return turned


def contents_mark(path: str | Path) -> bytes | None:
    """Return eight bytes that two gzip files share only when they hold the same (CRC and length).

    None for a file that is not compressed.
    """
    if Path(path).suffix != ".gz" or Path(path).stat().st_size < 18:
        return None
    with Path(path).open("rb") as file:
        file.seek(-8, 2)
        return file.read(8)


def check_series(image: nib.Nifti1Image, name: str | Path) -> None:
    """Refuse what is no BOLD series, by its header.

    Parameters
    ----------
    image : Nifti1Image
        Only its header is looked at.
    name : str or Path
        What the message calls it.

    Raises
    ------
    InputError
        Fewer than 4 dimensions or 20 volumes, colours or complex numbers, voxels of no plausible
        size, no affine.
    """
    if len(image.shape) != 4:
        raise InputError(
            f"{name}: has {len(image.shape)} dimensions where a series (4) was expected; "
            "give the whole run, not one volume of it"
        )
    if image.shape[3] < FEWEST_VOLUMES:
        raise InputError(
            f"{name}: only {image.shape[3]} volumes, at least {FEWEST_VOLUMES} are needed; "
            "leave the run out by exclude, such as exclude: {'02_run-1': 'broken off'}"
        )
    check_numbers(image, name)
    check_affine(image, name)


def check_volume(image: nib.Nifti1Image, name: str | Path) -> None:
    """Refuse what is no single volume, by its header; arguments and errors as `check_series`."""
    if len(image.shape) != 3:
        raise InputError(
            f"{name}: has {len(image.shape)} dimensions where one volume (3) was expected; "
            "give a single T1w volume"
        )
    check_numbers(image, name)
    check_affine(image, name)


def check_numbers(image: nib.Nifti1Image, name: str | Path) -> None:
    """Refuse voxels that are no plain numbers, or of a size that no scanner makes."""
    kind = image.get_data_dtype()
    if kind.kind not in "iuf":
        raise InputError(
            f"{name}: its voxels are {kind}, not numbers; convert it again as a magnitude image"
        )
    sizes = np.array(image.header.get_zooms()[:3], dtype=float)
    if not ((sizes >= SMALLEST_VOXEL) & (sizes <= LARGEST_VOXEL)).all():
        raise InputError(
            f"{name}: its voxels measure {' x '.join(f'{size:g}' for size in sizes)} mm, which no "
            "scanner makes; correct the header's units or convert it again"
        )


def check_length(image: nib.Nifti1Image, name: str | Path) -> None:
    """Refuse a file that is shorter than its header says, without reading it.

    A gzip file ends with the length of what it holds, so that a cut one gives itself away. One that
    was compressed in several parts tells the last part's alone: it is read whole.

    Raises
    ------
    InputError
        When the file is cut short.
    """
    path = Path(image.get_filename())
    wanted = int(image.dataobj.offset) + int(np.prod(image.shape)) * image.get_data_dtype().itemsize
    if path.suffix == ".gz":
        with path.open("rb") as file:
            file.seek(-4, 2)
            found = int.from_bytes(file.read(4), "little")
        if found >= wanted % 2**32 and found - wanted % 2**32 < 4096:
            return
        try:
            with gzip.open(path) as file:
                found = sum(len(part) for part in iter(lambda: file.read(1 << 20), b""))
        except (EOFError, zlib.error, OSError) as fault:
            raise InputError(
                f"{name}: truncated or damaged ({fault}); fetch the file again"
            ) from None
    else:
        found = path.stat().st_size
    if found < wanted:
        raise InputError(
            f"{name}: truncated: it holds {found} bytes where its header says {wanted}; "
            "fetch the file again"
        )


def check_first_volume(image: nib.Nifti1Image, name: str | Path) -> None:
    """Refuse a series whose first volume is empty or no number; only that volume is read.

    Raises
    ------
    InputError
        Damaged file, NaN, or one value everywhere.
    """
    try:
        volume = np.asarray(image.dataobj[..., 0], dtype=np.float32)
    except (EOFError, zlib.error, OSError, ValueError) as fault:
        raise InputError(f"{name}: truncated or damaged ({fault}); fetch the file again") from None
    if bad := no_numbers(volume):
        raise InputError(
            f"{name}: volume 0 holds NaN or infinite voxels ({bad}); convert it again from DICOM"
        )
    if volume.min() == volume.max():
        raise InputError(f"{name}: every voxel of volume 0 is {volume.flat[0]:g}; convert it again")


def check_TR(image: nib.Nifti1Image, sidecar: dict, name: str | Path) -> float:
    """Return the TR in seconds: the sidecar's, with a warning where the header says another.

    Parameters
    ----------
    image : Nifti1Image
        The series.
    sidecar : dict
        Its metadata.
    name : str or Path
        What messages call it.

    Raises
    ------
    InputError
        When the sidecar gives none that can be right.
    """
    TR = sidecar_TR(sidecar, name)
    if doubt := header_doubt(image.header, TR):
        log.warning("%s: %s", name, doubt)
    return TR


def world_box(shape: tuple[int, ...], affine: np.ndarray) -> np.ndarray:
    """Return the lower and upper world corner of a grid, shape (2, 3), millimetres."""
    corners = np.array(np.meshgrid(*[(-0.5, n - 0.5) for n in shape[:3]])).reshape(3, -1)
    world = affine[:3, :3] @ corners + affine[:3, 3:]
    return np.stack([world.min(1), world.max(1)])


def check_overlap(bold: nib.Nifti1Image, t1w: nib.Nifti1Image, names: tuple) -> None:
    """Refuse a series and a T1w that lie in different places of the world.

    Parameters
    ----------
    bold, t1w : Nifti1Image
        Only their headers are looked at.
    names : (str, str)
        What the message calls them.

    Raises
    ------
    InputError
        When less than a tenth of the series' field of view lies inside that of the T1w.
    """
    a, b = world_box(bold.shape, bold.affine), world_box(t1w.shape, t1w.affine)
    shared = np.clip(np.minimum(a[1], b[1]) - np.maximum(a[0], b[0]), 0, None).prod()
    share = shared / np.prod(a[1] - a[0])
    if share < 0.1:
        raise InputError(
            f"{names[0]}: only {100 * share:.0f} % of its field of view lies inside that of "
            f"{names[1]}; one of the two has a wrong affine or is another person's"
        )


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
    affine : (4, 4) array
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
