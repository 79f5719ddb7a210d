"""Slice timing: the shift of each slice to one instant of its volume.

Whether it applies is for `stim2bold.preprocessing.scan_clock.slice_times` to say.
"""

import numpy as np
from scipy import interpolate

from stim2bold.preprocessing.images import stored_axis
from stim2bold.runtime.errors import InputError


def slice_axis(sidecar: dict, stored_affine: np.ndarray) -> tuple[int, bool]:
    """Return along which RAS+ axis slices were acquired, and whether from its upper end.

    Parameters
    ----------
    sidecar : dict
        ``SliceEncodingDirection`` names an axis of the image as stored; k when absent.
    stored_affine : ndarray of shape (4, 4)
        Affine of the image as stored.
    """
    return stored_axis(sidecar.get("SliceEncodingDirection", "k"), stored_affine)


def correct_slice_timing(
    data: np.ndarray,
    times: np.ndarray,
    *,
    axis: int,
    reverse: bool,
    TR: float,
    reference: float,
) -> None:
    """Shift every slice to one instant of its volume, in place, by cubic splines over time.

    Parameters
    ----------
    data : ndarray of shape (i, j, k, n_volumes), float
        Changed in place, slice by slice: no second series in memory.
    times : ndarray of shape (n_slices,) or list
        Seconds from the start of the volume, in order of acquisition along the axis.
    axis : int
        Along which slices lie.
    reverse : bool
        Whether the first slice lies at the end of the axis.
    TR : float
        Seconds.
    reference : float
        Seconds from the start of the volume to that instant, as
        `stim2bold.preprocessing.scan_clock.reference_time` returns it.

    Raises
    ------
    InputError
        When there are not as many times as slices.
    """
    if len(times) != data.shape[axis]:
        raise InputError(
            "SliceTiming",
            f"names {len(times)} slices where the image has {data.shape[axis]}",
            "correct SliceTiming or SliceEncodingDirection in the sidecar",
        )
    starts = TR * np.arange(data.shape[3])
    wanted = starts + reference
    for number, time in enumerate(times[::-1] if reverse else times):
        chosen = [slice(None)] * 4
        chosen[axis] = number
        plane = data[tuple(chosen)]
        spline = interpolate.CubicSpline(starts + time, plane, axis=-1)
        # Held at the ends, where a spline would run off.
        plane[...] = spline(np.clip(wanted, starts[0] + time, starts[-1] + time))
