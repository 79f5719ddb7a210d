"""What is predicted from what: source and target of each direction, on the rows they share."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from stim2bold.io.arrays import read_array
from stim2bold.models import hrf
from stim2bold.preprocessing.scan_clock import row_positions
from stim2bold.runtime.errors import InputError


def is_bold(table: xr.DataArray) -> bool:
    """Tell a table of BOLD, whose columns are voxels, from one of the film."""
    return "voxel" in table.dims


@dataclass(frozen=True)
class Problem:
    """Source and target of one unit on rows of the fold file.

    Parameters
    ----------
    direction : str
        Its name, for messages.
    source : ndarray of shape (n_source_rows, n_features)
        Float32, contiguous rows from `first_row` on: it may have rows that the target has not.
    spaces : tuple of int
        Columns of each feature space in `source`, in their order.
    first_row : int
        Row number of the source's first row.
    target : ndarray of shape (n_rows, n_targets)
        Float32, all target dimensions but time flattened.
    rows : ndarray of shape (n_rows,)
        Row numbers at which both exist.
    target_array : DataArray
        The target as it was read, restricted to `rows`: its names, coordinates and attributes.
    tr, reach : float
        Seconds from row to row, and the seconds that the haemodynamic delay may span.
    past, future : bool
        Whether a row looks `reach` seconds into the past (BOLD from the film) or into the future
        (the film from BOLD).
    """

    direction: str
    source: np.ndarray
    spaces: tuple[int, ...]
    first_row: int
    target: np.ndarray
    rows: np.ndarray
    target_array: xr.DataArray
    tr: float
    reach: float
    past: bool = False
    future: bool = False

    def filters(self, *, bins: int = 5) -> hrf.FilterBank:
        """Return the filters that carry the source over the haemodynamic delay."""
        if self.past:
            return hrf.film_to_bold(self.tr, reach=self.reach)
        if self.future:
            return hrf.bold_to_film(self.tr, reach=self.reach, bins=bins)
        return hrf.around(1)

    @property
    def extent(self) -> tuple[float, float]:
        """Seconds before and after a row that its regressors look at."""
        return self.filters().extent(self.tr)


def row_numbers(times: np.ndarray, *, tr: float, film_onset: float, name: str) -> np.ndarray:
    """Return the row number of each film time.

    Raises
    ------
    InputError
        When the times are not consecutive volume middles.
    """
    exact = row_positions(times, TR=tr, film_onset=film_onset)
    rows = np.round(exact).astype(int)
    # Times are stored as seconds; a tenth of a TR is far beyond their rounding.
    if rows.size == 0 or np.abs(exact - rows).max() > 0.1 or (np.diff(rows) != 1).any():
        raise InputError(
            name,
            f"its times are not the middles of consecutive volumes of {tr} s",
            "check timing.film_onset and make the table again",
        )
    return rows


def assemble(
    direction: str,
    *,
    source: Sequence[xr.DataArray],
    target: xr.DataArray,
    content: dict[str, Any],
) -> Problem:
    """Bring source and target of a direction together on the rows they share.

    Parameters
    ----------
    direction : str
        Its name, for messages.
    source : sequence of DataArray
        One or several feature spaces; first dimension time, with film seconds as coordinate.
    target : DataArray
        Likewise.
    content : dict
        The fold file.

    Raises
    ------
    InputError
        When a table has missing values, times off the volumes, or no row of the other.
    """
    *source_rows, target_rows = (
        checked_rows(array, content, name=f"{direction}, table {array.name}")
        for array in (*source, target)
    )
    known = functools.reduce(np.intersect1d, source_rows)
    rows = np.intersect1d(known, target_rows)
    if rows.size == 0:
        raise InputError(direction, "source and target share no row", "check timing.film_onset")
    # Slices, not copies: a long recording is a gigabyte.
    kept = target.isel(time=stretch(rows, target_rows))
    parts = [
        array.values[stretch(known, own)].reshape(len(known), -1)
        for array, own in zip(source, source_rows, strict=True)
    ]
    whole = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
    return Problem(
        direction=direction,
        source=np.asarray(whole, dtype=np.float32),
        spaces=tuple(part.shape[1] for part in parts),
        first_row=int(known[0]),
        target=np.asarray(kept.values.reshape(len(rows), -1), dtype=np.float32),
        rows=rows,
        target_array=kept,
        tr=content["TR"],
        reach=content["reach"],
        past=is_bold(target) and not is_bold(source[0]),
        future=is_bold(source[0]) and not is_bold(target),
    )


def stretch(rows: np.ndarray, known: np.ndarray) -> slice:
    """Return where consecutive row numbers lie among others."""
    first = int(rows[0] - known[0])
    return slice(first, first + len(rows))


def read_problem(
    direction: str, *, source: Sequence[Path], target: Path, content: dict[str, Any]
) -> Problem:
    """Read the tables of a direction and bring them together, see `assemble`.

    Parameters
    ----------
    direction : str
        Its name, for messages.
    source : sequence of Path
        Tables of feature spaces.
    target : Path
        Table.
    content : dict
        The fold file.
    """
    return assemble(
        direction,
        source=[read_array(path) for path in source],
        target=read_array(target),
        content=content,
    )


def checked_rows(array: xr.DataArray, content: dict[str, Any], *, name: str) -> np.ndarray:
    """Return the row number of each row of a table without missing values."""
    bad = ~np.isfinite(array.values.reshape(len(array.time), -1))
    if bad.any():
        row, column = np.unravel_index(int(bad.argmax()), bad.shape)
        raise InputError(
            name,
            (
                f"has values that are no numbers: {int(bad.sum())} of {bad.size}, the first at "
                f"{float(array.time.values[row]):g} s of the film, column {column}"
            ),
            "mend what it was made from, delete it and run again",
        )
    return row_numbers(
        array.time.values, tr=content["TR"], film_onset=content["film_onset"], name=name
    )


def held_out(
    problem: Problem, values: np.ndarray, *, rows: np.ndarray, fold: np.ndarray
) -> xr.DataArray:
    """Return predictions as an array named and laid out like the target.

    Parameters
    ----------
    problem : Problem
    values : ndarray of shape (n_predicted, n_targets)
    rows : ndarray of shape (n_predicted,)
        Row numbers.
    fold : ndarray of shape (n_predicted,)
        Number of the fold that predicted each row.
    """
    order = np.argsort(rows, kind="stable")
    like = problem.target_array.isel(time=rows[order] - problem.rows[0])
    out = like.copy(data=values[order].reshape(like.shape).astype(np.float32))
    out = out.assign_coords(
        fold=("time", fold[order].astype(np.int32)), row=("time", rows[order].astype(np.int32))
    )
    return out.rename("prediction")
