"""What others' brains did at the same moments of the film, as a source to predict a brain from."""

from collections.abc import Callable, Iterator

import numpy as np
import xarray as xr

from stim2bold.io.bold_grid import check_grid, places_of
from stim2bold.runtime.errors import InputError


def means_of_others(
    read: Callable[[str], xr.DataArray], names: list[str]
) -> Iterator[tuple[str, xr.DataArray]]:
    """Give, for each participant, the mean BOLD of the others.

    Nothing is fitted: the mean is that of per cent signal change.

    Parameters
    ----------
    read : callable
        Returns a participant's BOLD table, (time, voxel) with i, j and k, by name.
    names : list of str
        At least two participants.

    Yields
    ------
    name : str
    mean : DataArray, dims (time, voxel)
        At the film times that all have, and at the voxels that at least half of the others have.

    Raises
    ------
    InputError
        When grids differ, or the participants have no film time or no voxel in common.
    """
    first = read(names[0])
    shape = tuple(int(n) for n in first.attrs["shape"])
    times = first["time"].values.round(3)
    for name in names[1:]:
        times = np.intersect1d(times, read(name)["time"].values.round(3))
        if not times.size:
            raise InputError(
                name,
                "has no volume of the film in common with the participants before it",
                "leave it out by exclude",
            )
    total = np.zeros((len(times), int(np.prod(shape))), dtype=np.float32)
    count = np.zeros(total.shape[1], dtype=int)
    for name in names:
        table = read(name)
        check_grid(name, table, first)
        here = places_of(table)
        total[:, here] += _at(table, times)
        count[here] += 1
    for name in names:
        table = read(name)
        here = places_of(table)
        own = np.zeros_like(total)
        own[:, here] = _at(table, times)
        others = count.copy()
        others[here] -= 1
        kept = np.flatnonzero(others >= max(1, (len(names) - 1) / 2))
        if not kept.size:
            raise InputError(name, "the others' masks share no voxel", "look at their images")
        index = np.unravel_index(kept, shape)
        yield (
            name,
            xr.DataArray(
                (total[:, kept] - own[:, kept]) / others[kept],
                dims=("time", "voxel"),
                coords={"time": times}
                | dict(zip("ijk", (("voxel", axis) for axis in index), strict=True)),
                name="bold",
                attrs={
                    "units": "percent signal change",
                    "affine": first.attrs["affine"],
                    "shape": first.attrs["shape"],
                    "source": f"mean over {', '.join(n for n in names if n != name)}",
                },
            ),
        )


def _at(table: xr.DataArray, times: np.ndarray) -> np.ndarray:
    return table.values[np.isin(table["time"].values.round(3), times)]
