"""What the others' brains did: of all but the one, at what they share."""

import numpy as np
import pytest
import xarray as xr

from stim2bold.models.others import means_of_others
from stim2bold.runtime.errors import InputError

SHAPE = np.array([3, 2, 2])


def table(values, places, *, first=0):
    i, j, k = np.unravel_index(places, SHAPE)
    times = (np.arange(len(values)) + first + 0.5) * 0.608
    return xr.DataArray(
        np.asarray(values, np.float32),
        dims=("time", "voxel"),
        coords={"time": times, "i": ("voxel", i), "j": ("voxel", j), "k": ("voxel", k)},
        attrs={"affine": np.eye(4).ravel(), "shape": SHAPE},
    )


def test_each_gets_the_mean_of_the_others_at_shared_times_and_places():
    rng = np.random.default_rng(0)
    full = {name: rng.standard_normal((30, 12)) for name in "abcd"}
    places = {"a": [0, 1, 2], "b": [0, 1, 5], "c": [1, 2, 5], "d": [1, 5, 7]}
    tables = {name: table(full[name][:, at], at) for name, at in places.items()}
    # One was scanned later.
    tables["d"] = table(full["d"][4:][:, places["d"]], places["d"], first=4)
    found = dict(means_of_others(tables.__getitem__, list(tables)))
    mine = found["a"]
    at = np.ravel_multi_index([mine[axis].values for axis in "ijk"], SHAPE)
    # Of three others, at least two have these; that the one has it too does not matter.
    assert at.tolist() == [1, 5]
    np.testing.assert_allclose(
        mine.values[:, 0], np.mean([full[n][4:, 1] for n in "bcd"], axis=0), atol=1e-6
    )
    assert mine["time"].values[0] == pytest.approx(4.5 * 0.608, abs=1e-3)
    assert "mean over b, c, d" in mine.attrs["source"]


def test_of_two_each_gets_the_other():
    rng = np.random.default_rng(1)
    tables = {name: table(rng.standard_normal((10, 3)), [0, 1, 2]) for name in "ab"}
    found = dict(means_of_others(tables.__getitem__, ["a", "b"]))
    np.testing.assert_allclose(found["a"].values, tables["b"].values, atol=1e-6)


def test_without_common_film_or_voxels_it_is_refused_by_name():
    rows = np.random.default_rng(2).standard_normal((10, 2))
    apart = {"a": table(rows, [0, 1]), "b": table(rows, [0, 1], first=20)}
    with pytest.raises(InputError, match="b: has no volume"):
        list(means_of_others(apart.__getitem__, ["a", "b"]))
    spread = {"a": table(rows, [0, 1]), "b": table(rows, [2, 3]), "c": table(rows, [4, 5])}
    with pytest.raises(InputError, match="share no voxel"):
        four = spread | {"d": table(rows, [6, 7])}
        list(means_of_others(four.__getitem__, list(four)))
