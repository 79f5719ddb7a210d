"""The clock of a scan: its TR, and the instant that each volume stands for.

Nothing here opens a file: what sidecars and headers say is judged in one place, for raw series, for
derivatives and for the sidecars that are written. A plan asks it too: it imports no numpy.
"""

import math
from typing import Any

from stim2bold.runtime.errors import InputError

#: Seconds between which a TR of movie fMRI lies; what is beyond them is another unit or a mistake.
SHORTEST_TR, LONGEST_TR = 0.1, 20.0
#: Seconds; NIfTI stores the TR as float32, and some converters round it to milliseconds.
HEADER_ROUNDING = 1e-3
#: Of a TR: how far the last volume may move when the study's TR is taken for a run's own.
LARGEST_DRIFT = 0.1
SECONDS = {"sec": 1.0, "msec": 1e-3, "usec": 1e-6}


def is_number(value: Any) -> bool:
    """Tell whether a value of a JSON file is a finite number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def sidecar_TR(sidecar: dict[str, Any], name: Any) -> float:
    """Return the TR of a series, in seconds: what its sidecars say.

    Parameters
    ----------
    sidecar : dict
        Metadata of the series.
    name : str or Path
        What the message calls them.

    Raises
    ------
    InputError
        When they give none, or none that can be in seconds.
    """
    TR = sidecar.get("RepetitionTime")
    if not is_number(TR) or not SHORTEST_TR <= TR <= LONGEST_TR:
        said = "gives no RepetitionTime" if TR is None else f"RepetitionTime is {TR!r}"
        raise InputError(name, said, "give the TR of the series in seconds")
    return float(TR)


def header_TR(header: Any) -> float:
    """Return the TR that a NIfTI header of a series gives, in seconds; NaN where it gives none.

    An unknown unit of time counts as seconds.
    """
    try:
        unit = header.get_xyzt_units()[1]
    except KeyError:
        unit = "unknown"
    TR = float(header.get_zooms()[3]) * SECONDS.get(unit, 1.0)
    return TR if math.isfinite(TR) and TR > 0 else math.nan


def header_doubt(header: Any, TR: float) -> str | None:
    """Say how the TR in a header differs from the sidecar's, which is taken; None where it agrees.

    Parameters
    ----------
    header : NIfTI header
        Of a series.
    TR : float
        The sidecar's, seconds.
    """
    written = header_TR(header)
    if math.isnan(written):
        return f"its header gives no TR, so the sidecar's {TR:g} s is taken"
    if abs(written - TR) <= HEADER_ROUNDING:
        return None
    unit = " (milliseconds that are called seconds)" if math.isclose(written, 1000 * TR) else ""
    return f"the header says TR = {written:g} s{unit}, its JSON sidecar {TR:g} s, which is taken"


def same_TR(own: float, TR: float, n_volumes: int) -> bool:
    """Tell whether a run can be placed by the study's TR: whether its last volume hardly moves."""
    return abs(own - TR) * n_volumes <= LARGEST_DRIFT * TR


def slice_times(sidecar: dict, name: str) -> list[float] | None:
    """Return when each slice was acquired, or None where slice timing does not apply.

    It does not for a 3D readout, without times, with one time alone, or where all are alike.

    Parameters
    ----------
    sidecar : dict
        Metadata of the series.
    name : str
        What messages call it.

    Returns
    -------
    list of float or None
        Seconds from the start of the volume.

    Raises
    ------
    InputError
        When the times cannot be right.
    """
    readout = str(sidecar.get("MRAcquisitionType", "")).upper()
    if readout == "3D":
        return None
    said = sidecar.get("SliceTiming")
    if said is None or (isinstance(said, list) and len(said) < 2):
        return None
    if not isinstance(said, list) or not all(is_number(time) and time >= 0 for time in said):
        raise InputError(
            name,
            "SliceTiming is not a list of seconds within the TR",
            "give seconds (not milliseconds), or remove it",
        )
    times, TR = [float(time) for time in said], sidecar_TR(sidecar, name)
    if max(times) >= TR:
        raise InputError(
            name,
            (
                f"SliceTiming is not a list of seconds within the TR: it reaches {max(times):g} "
                f"s, beyond the TR of {TR:g} s"
            ),
            "it is probably in milliseconds: give seconds, or remove it",
        )
    if max(times) == min(times):
        return None
    return times


def reference_time(sidecar: dict[str, Any], *, TR: float, derived: bool, name: Any) -> float:
    """Return the instant that a volume stands for, in seconds from the volume's start.

    A derivative whose slices were shifted to one instant says to which: ``StartTime``. Without it,
    and in a series whose slices were not shifted, a volume stands for the middle of its
    acquisition, which is half of the TR less ``DelayTime``. Our own correction shifts slices there.

    Parameters
    ----------
    sidecar : dict
        Metadata of the series.
    TR : float
        Seconds.
    derived : bool
        Whether the series is a derivative: only of these does BIDS have `StartTime` say this.
    name : str or Path
        What the message calls the sidecars.

    Raises
    ------
    InputError
        When `StartTime` or `DelayTime` is no number of seconds within the TR.
    """
    start = sidecar.get("StartTime")
    if derived and start is not None and sidecar.get("SliceTimingCorrected") is not False:
        if not is_number(start) or not 0 <= start <= TR:
            raise InputError(
                name,
                f"StartTime is {start!r}, not an instant within the TR of {TR:g} s",
                (
                    "give seconds from the start of a volume, and volumes that were cut off by "
                    "timing.film_onset"
                ),
            )
        return float(start)
    delay = sidecar.get("DelayTime")
    if delay is None:
        return TR / 2
    if not is_number(delay) or not 0 <= delay < TR:
        raise InputError(
            name,
            f"DelayTime is {delay!r}, not within the TR of {TR:g} s",
            "give seconds or remove it",
        )
    return (TR - delay) / 2


def reference_doubt(sidecar: dict[str, Any]) -> str | None:
    """Say what is odd in what a derivative's sidecar tells of its reference time, or None."""
    corrected, start = sidecar.get("SliceTimingCorrected"), sidecar.get("StartTime")
    if corrected is True and start is None:
        return (
            "says that slices were shifted, not to which instant (StartTime): the middle is taken"
        )
    if corrected is False and start is not None:
        return f"says StartTime {start} of slices that were not shifted: the middle is taken"
    return None


def row_onset(film_onset: float, *, TR: float, reference: float) -> float:
    """Return the film onset by which rows of a series have their middles where volumes stand.

    Row k has its middle at ``(k + 0.5) TR - onset`` of film time, volume k stands for
    ``k TR + reference - film_onset``: `row_middles` of this onset are the volumes' instants.

    Parameters
    ----------
    film_onset : float
        Seconds from the start of the first volume to the film's first frame.
    TR, reference : float
        Seconds; see `reference_time`.
    """
    return film_onset + (TR / 2 - reference)


def row_middles(rows: Any, *, TR: float, film_onset: float) -> Any:
    """Return the film times of the middles of rows, in seconds.

    Parameters
    ----------
    rows : ndarray of shape (n,)
        Numbers of rows.
    TR, film_onset : float
        Seconds; the onset is that of the rows, see `row_onset`.
    """
    return (rows + 0.5) * TR - film_onset


def row_positions(times: Any, *, TR: float, film_onset: float) -> Any:
    """Return the rows, whole or not, whose middles lie at some film times: `row_middles` undone."""
    return (times + film_onset) / TR - 0.5
