"""Slice timing: whether it applies, and the shift of each slice to the middle of its volume."""

import logging

import nibabel as nib
import numpy as np
from scipy import interpolate

from stim2bold.errors import InputError

log = logging.getLogger(__name__)


def slice_times(sidecar: dict, name: str) -> np.ndarray | None:
    """Return when each slice was acquired, or None where slice timing does not apply.

    Parameters
    ----------
    sidecar : dict
        Metadata of the series.
    name : str
        What log and messages call it.

    Returns
    -------
    (n_slices,) array or None
        Seconds from the start of the volume.

    Raises
    ------
    InputError
        When the times cannot be right.
    """
    readout = str(sidecar.get("MRAcquisitionType", "")).upper()
    if readout == "3D":
        log.info("%s: 3D readout, so slice timing does not apply", name)
        return None
    if "SliceTiming" not in sidecar:
        log.info("%s: no SliceTiming in the sidecar, so slices are left as they are", name)
        return None
    times = np.asarray(sidecar["SliceTiming"], dtype=float)
    if times.ndim != 1 or not np.isfinite(times).all() or times.min() < 0:
        raise InputError(f"{name}: SliceTiming is not a list of seconds; correct the sidecar")
    if times.max() >= sidecar["RepetitionTime"]:
        raise InputError(
            f"{name}: SliceTiming reaches {times.max():g} s, beyond the TR of "
            f"{sidecar['RepetitionTime']:g} s; it is probably in milliseconds: give seconds"
        )
    log.info("%s: slices shifted to the middle of the volume", name)
    return times


def slice_axis(sidecar: dict, stored_affine: np.ndarray) -> tuple[int, bool]:
    """Return along which RAS+ axis slices were acquired, and whether from its upper end.

    Parameters
    ----------
    sidecar : dict
        ``SliceEncodingDirection`` names an axis of the image as stored; k when absent.
    stored_affine : (4, 4) array
        Affine of the image as stored.
    """
    direction = sidecar.get("SliceEncodingDirection", "k")
    axis, flip = nib.orientations.io_orientation(stored_affine)["ijk".index(direction[0])]
    return int(axis), (flip < 0) != direction.endswith("-")


def correct_slice_timing(
    data: np.ndarray, times: np.ndarray, *, axis: int, reverse: bool, TR: float
) -> None:
    """Shift every slice to the middle of its volume, in place, by cubic splines over time.

    Parameters
    ----------
    data : (i, j, k, n_volumes) float array
        Changed in place, slice by slice: no second series in memory.
    times : (n_slices,) array
        Seconds from the start of the volume, in order of acquisition along the axis.
    axis : int
        Along which slices lie.
    reverse : bool
        Whether the first slice lies at the end of the axis.
    TR : float
        Seconds.

    Raises
    ------
    InputError
        When there are not as many times as slices.
    """
    if len(times) != data.shape[axis]:
        raise InputError(
            f"SliceTiming names {len(times)} slices where the image has {data.shape[axis]}; "
            "correct SliceTiming or SliceEncodingDirection in the sidecar"
        )
    starts = TR * np.arange(data.shape[3])
    wanted = starts + TR / 2
    for number, time in enumerate(times[::-1] if reverse else times):
        chosen = [slice(None)] * 4
        chosen[axis] = number
        plane = data[tuple(chosen)]
        spline = interpolate.CubicSpline(starts + time, plane, axis=-1)
        # Held at the ends, where a spline would run off.
        plane[...] = spline(np.clip(wanted, starts[0] + time, starts[-1] + time))
