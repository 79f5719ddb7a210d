"""What makes an image unusable: its numbers, size, length and place."""

import gzip
import logging
import zlib
from pathlib import Path

import nibabel as nib
import numpy as np

from stim2bold.preprocessing.scan_clock import header_doubt, sidecar_TR
from stim2bold.runtime.errors import InputError

log = logging.getLogger(__name__)
# Millimetres.
SMALLEST_VOXEL, LARGEST_VOXEL = 0.1, 20
# The cosine between two axes of a grid that is called rectangular; float32 headers reach 1e-6.
LARGEST_SHEAR = 1e-3
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
FEWEST_VOLUMES = 20


def no_numbers(data: np.ndarray) -> str | None:
    """Say how many voxels are NaN or infinite, and where the first of them lies; None without."""
    bad = ~np.isfinite(data)
    if not bad.any():
        return None
    first = ", ".join(str(i) for i in np.unravel_index(int(bad.argmax()), bad.shape))
    return f"{int(bad.sum())} of {bad.size}, the first at ({first})"


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
            name,
            f"has {len(image.shape)} dimensions where a series (4) was expected",
            "give the whole run, not one volume of it",
        )
    if image.shape[3] < FEWEST_VOLUMES:
        raise InputError(
            name,
            f"only {image.shape[3]} volumes, at least {FEWEST_VOLUMES} are needed",
            "leave the run out by exclude, such as exclude: {'02_run-1': 'broken off'}",
        )
    check_numbers(image, name)
    check_affine(image, name)


def check_volume(image: nib.Nifti1Image, name: str | Path) -> None:
    """Refuse what is no single volume, by its header; arguments and errors as `check_series`."""
    if len(image.shape) != 3:
        raise InputError(
            name,
            f"has {len(image.shape)} dimensions where one volume (3) was expected",
            "give a single T1w volume",
        )
    check_numbers(image, name)
    check_affine(image, name)


def check_numbers(image: nib.Nifti1Image, name: str | Path) -> None:
    """Refuse voxels that are no plain numbers, or of a size that no scanner makes."""
    kind = image.get_data_dtype()
    if kind.kind not in "iuf":
        raise InputError(
            name, f"its voxels are {kind}, not numbers", "convert it again as a magnitude image"
        )
    sizes = np.array(image.header.get_zooms()[:3], dtype=float)
    if not ((sizes >= SMALLEST_VOXEL) & (sizes <= LARGEST_VOXEL)).all():
        raise InputError(
            name,
            (
                f"its voxels measure {' x '.join(f'{size:g}' for size in sizes)} mm, which no "
                "scanner makes"
            ),
            "correct the header's units or convert it again",
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
                name, f"truncated or damaged ({fault})", "fetch the file again"
            ) from None
    else:
        found = path.stat().st_size
    if found < wanted:
        raise InputError(
            name,
            f"truncated: it holds {found} bytes where its header says {wanted}",
            "fetch the file again",
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
        raise InputError(name, f"truncated or damaged ({fault})", "fetch the file again") from None
    if bad := no_numbers(volume):
        raise InputError(
            name, f"volume 0 holds NaN or infinite voxels ({bad})", "convert it again from DICOM"
        )
    if volume.min() == volume.max():
        raise InputError(name, f"every voxel of volume 0 is {volume.flat[0]:g}", "convert it again")


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
            names[0],
            f"only {100 * share:.0f} % of its field of view lies inside that of {names[1]}",
            "one of the two has a wrong affine or is another person's",
        )


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
            name,
            "neither sform nor qform is set, so left and right are unknown",
            "convert it again from DICOM (dcm2niix)",
        )
    matrix = image.affine[:3, :3]
    sizes = np.linalg.norm(matrix, axis=0)
    if not np.isfinite(image.affine).all() or (sizes < 1e-3).any():
        raise InputError(
            name, "its affine is singular or not finite", "convert it again from DICOM"
        )
    cosines = (matrix / sizes).T @ (matrix / sizes) - np.eye(3)
    if np.abs(cosines).max() > LARGEST_SHEAR:
        raise InputError(
            name,
            (
                "its affine is sheared (axes up to "
                f"{np.degrees(np.arcsin(np.clip(np.abs(cosines).max(), 0, 1))):.1f} degrees off a "
                "right angle)"
            ),
            "resample it to a rectangular grid or restore the scanner's affine",
        )
