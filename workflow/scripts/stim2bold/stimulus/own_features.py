"""Feature tables that a lab brings: read, checked, and carried to the TRs as ours are."""

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import xarray as xr

from stim2bold.io.tables import Table, numbers, read_tsv
from stim2bold.runtime.errors import InputError
from stim2bold.stimulus.feature_tables import volume_table
from stim2bold.stimulus.timing import Timing, average, weighted_coverage

#: A gap between rows is told of when it is so many times as long as the usual, and so many seconds.
GAP_RATIO, GAP_SECONDS = 5.0, 2.0


@dataclass(frozen=True)
class OwnFeatures:
    """A table of features over film time.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_features), float64
    names : tuple of str
    onsets : ndarray of shape (n_rows,)
        Film times in seconds.
    offsets : ndarray of shape (n_rows,) or None
        Where each row holds from its onset to its offset; None where rows are points of a function
        of time, which is linear between them.
    """

    values: np.ndarray
    names: tuple[str, ...]
    onsets: np.ndarray
    offsets: np.ndarray | None

    @property
    def end(self) -> float:
        """Film time in seconds at which the table ends."""
        if self.offsets is not None:
            return float(self.offsets.max())
        half = np.median(np.diff(self.onsets)) / 2 if len(self.onsets) > 1 else 0.0
        return float(self.onsets[-1] + half)


def read_own_features(path: str | Path, times: str | Path | None = None) -> OwnFeatures:
    """Read a table of features.

    Parameters
    ----------
    path : str or Path
        TSV with the column time, or onset and duration, and a column a feature; NetCDF (HDF5) with
        one variable of the dimensions time and feature; or .npy.
    times : str or Path, optional
        .npy of the rows' film times, for a .npy.

    Raises
    ------
    InputError
        When it is none of these, has no feature, values that are no numbers, or times that do not
        increase.
    """
    path = Path(path)
    if path.suffix == ".npy":
        found = _read_npy(path, times)
    elif path.suffix in (".nc", ".h5", ".hdf5"):
        found = _read_netcdf(path)
    else:
        found = _read_tsv(path)
    _check(found, path)
    return found


def _read_tsv(path: Path) -> OwnFeatures:
    table = read_tsv(path)
    timed = [name for name in ("time", "onset", "duration") if name in table.columns]
    if timed not in (["time"], ["onset", "duration"]):
        raise InputError(
            path,
            f"has the columns {', '.join(table.columns)}",
            (
                "a table of features has the column time, or onset and duration, in seconds of "
                "film time"
            ),
        )
    names = tuple(name for name in table.columns if name not in timed)
    if not names or not table.rows:
        raise InputError(path, f"has no {'row' if names else 'feature'}", "add one")
    columns = [_column(table, name) for name in names]
    onsets = _column(table, timed[0])
    offsets = onsets + _column(table, "duration") if len(timed) == 2 else None
    return OwnFeatures(np.stack(columns, axis=1), names, onsets, offsets)


def _column(table: Table, name: str) -> np.ndarray:
    return np.array(numbers(table, name), dtype=float)


def _read_npy(path: Path, times: str | Path | None) -> OwnFeatures:
    if times is None:
        raise InputError(
            path, "an .npy has no times", "name the .npy of its rows' film times by 'times'"
        )
    arrays = []
    for one in (path, Path(times)):
        try:
            arrays.append(np.load(one, allow_pickle=False))
        except (OSError, ValueError) as fault:
            raise InputError(one, f"is no array ({fault})", "save it by numpy.save") from None
    values, onsets = arrays
    if onsets.ndim != 1 or values.ndim != 2 or len(values) != len(onsets):
        raise InputError(
            path,
            f"its shape is {values.shape}, and {times} has {onsets.shape}",
            "give (rows, features) and (rows,)",
        )
    names = tuple(f"feature {number}" for number in range(values.shape[1]))
    return OwnFeatures(_floats(values, path), names, _floats(onsets, Path(times)), None)


def _floats(values: np.ndarray, path: Path) -> np.ndarray:
    if values.dtype.kind not in "fiub":
        raise InputError(path, f"holds {values.dtype}, not numbers", "save it as float32")
    return values.astype(float)


def _read_netcdf(path: Path) -> OwnFeatures:
    if not h5py.is_hdf5(path):
        raise InputError(path, "is no NetCDF-4 file", "save it by xarray's to_netcdf")
    with xr.open_dataset(path, engine="h5netcdf") as dataset:
        tables = [a for a in dataset.data_vars.values() if set(a.dims) == {"time", "feature"}]
        if len(tables) != 1 or "time" not in tables[0].coords:
            raise InputError(
                path,
                (
                    "has no single variable of the dimensions time and feature with the "
                    "coordinate time"
                ),
                "give it one",
            )
        table = tables[0].transpose("time", "feature").load()
    names = table["feature"].values if "feature" in table.coords else range(table.shape[1])
    return OwnFeatures(
        _floats(table.values, path),
        tuple(str(name) for name in names),
        _floats(table["time"].values, path),
        None,
    )


def _check(table: OwnFeatures, path: Path) -> None:
    bad = ~np.isfinite(table.values)
    if bad.any():
        row, column = np.unravel_index(int(bad.argmax()), bad.shape)
        raise InputError(
            path,
            (
                f"has {int(bad.sum())} values that are no numbers, the first in row {row + 1} of "
                f"{table.names[column]}"
            ),
            "fill them in, or leave the feature out",
        )
    if not np.isfinite(table.onsets).all():
        raise InputError(path, "has times that are no numbers", "correct them")
    if table.offsets is not None:
        if (table.offsets <= table.onsets).any():
            row = int(np.argmax(table.offsets <= table.onsets))
            raise InputError(path, f"row {row + 1} has no duration", "correct it")
    elif (np.diff(table.onsets) <= 0).any():
        row = int(np.argmax(np.diff(table.onsets) <= 0)) + 1
        raise InputError(
            path,
            (
                f"its times do not increase in row {row + 1} ({table.onsets[row]:g} s after "
                f"{table.onsets[row - 1]:g} s)"
            ),
            "put the rows in order of time, each time once",
        )


def gaps_of(table: OwnFeatures) -> list[tuple[float, float]]:
    """Return stretches without a row that are far longer than the usual step, film times in s."""
    if table.offsets is not None or len(table.onsets) < 3:
        return []
    steps = np.diff(table.onsets)
    long = np.flatnonzero((steps > GAP_RATIO * np.median(steps)) & (steps > GAP_SECONDS))
    return [(float(table.onsets[i]), float(table.onsets[i + 1])) for i in long]


def own_features_at_volumes(
    table: OwnFeatures, *, timing: Timing, duration: float, attributes: dict[str, str]
) -> xr.DataArray:
    """Average a table over each TR.

    Parameters
    ----------
    table : OwnFeatures
    timing : Timing
        TR and onset of the film.
    duration : float
        Length of the film, seconds.
    attributes : dict
        Of the result.

    Returns
    -------
    DataArray of float32, dims (time, feature)
        The exact mean over each TR: of the function that is linear between the points; or of what
        the rows say while they last, 0 in between, rows that overlap adding up.
    """
    edges = timing.edges(timing.n_rows(duration))
    if table.offsets is None:
        values = average(table.onsets, table.values, edges)
    else:
        values = weighted_coverage(table.onsets, table.offsets, table.values, edges)
    return volume_table(
        values,
        table.names,
        timing=timing,
        duration=duration,
        attributes={"resampled": "mean over each TR", **attributes},
    )
