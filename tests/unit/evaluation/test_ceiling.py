import numpy as np
import pytest
import xarray as xr
from scipy.signal import lfilter

from stim2bold.evaluation.ceiling import add_up, leave_one_out
from stim2bold.evaluation.metrics import correlation, voxel_r
from stim2bold.runtime.errors import InputError

OPTIONS = {"seed": 0, "surrogates": 199, "draws": 199, "block": 20.0}


def participants(n=4, shared=0.5, seed=0):
    """A common signal in the first half of the voxels; the last participant lacks two voxels."""
    rng = np.random.default_rng(seed)
    common = lfilter([1.0], [1, -0.8], rng.standard_normal((300, 40)), axis=0)
    common /= common.std(axis=0)
    ijk = np.unravel_index(np.arange(40), (5, 4, 3))
    tables = {}
    for number in range(n):
        noise = lfilter([1.0], [1, -0.5], rng.standard_normal((300, 40)), axis=0)
        noise /= noise.std(axis=0)
        values = noise.copy()
        values[:, :20] = np.sqrt(shared) * common[:, :20] + np.sqrt(1 - shared) * noise[:, :20]
        tables[f"sub-{number}"] = xr.DataArray(
            50 + 3 * values,
            dims=("time", "voxel"),
            coords={
                "time": (np.arange(300) + 0.5) * 0.608,
                **{a: ("voxel", v) for a, v in zip("ijk", ijk, strict=True)},
            },
            attrs={"shape": [5, 4, 3], "affine": np.eye(4).ravel()},
        )
    tables[f"sub-{n - 1}"] = tables[f"sub-{n - 1}"].isel(voxel=slice(2, None))
    return tables


def test_it_is_the_correlation_with_the_mean_of_the_others():
    tables = participants()
    everyone = add_up(tables.get, list(tables))
    voxels, (mean, low, high) = leave_one_out(tables["sub-1"], everyone, **OPTIONS)
    z = {
        name: (t.values - t.values.mean(axis=0)) / t.values.std(axis=0)
        for name, t in tables.items()
    }
    others = z["sub-0"][:, 2:] + z["sub-2"][:, 2:] + z["sub-3"]
    expected = correlation(tables["sub-1"].values[:, 2:], others)
    np.testing.assert_allclose(voxels["r"][2:], expected, atol=1e-5)
    # Two of the others have the first voxels.
    expected = correlation(tables["sub-1"].values[:, :2], z["sub-0"][:, :2] + z["sub-2"][:, :2])
    np.testing.assert_allclose(voxels["r"][:2], expected, atol=1e-5)
    assert low < mean < high and mean == pytest.approx(float(voxels["r"].mean()), abs=1e-5)
    assert ((voxels["low"] <= voxels["r"]) & (voxels["r"] <= voxels["high"])).mean() > 0.9


def test_planted_voxels_have_a_ceiling_as_theory_says_and_the_others_none():
    tables = participants(shared=0.5)
    everyone = add_up(tables.get, list(tables))
    voxels, _ = leave_one_out(tables["sub-0"], everyone, **OPTIONS)
    # One with the mean of three, the signal a share rho of each variance.
    rho, n = 0.5, 3
    theory = rho / np.sqrt(rho + (1 - rho) / n)
    assert float(voxels["r"][2:20].mean()) == pytest.approx(theory, abs=0.05)
    assert (voxels["q"][2:20] < 0.05).mean() > 0.9
    assert (voxels["q"][20:] < 0.05).mean() < 0.15
    assert abs(float(voxels["r"][20:].mean())) < 0.05


def test_where_too_few_others_have_a_voxel_there_is_no_ceiling():
    tables = participants(n=3)
    everyone = add_up(tables.get, list(tables))
    voxels, _ = leave_one_out(tables["sub-0"], everyone, **OPTIONS)
    for name in ("r", "low", "high", "q"):
        assert np.isnan(voxels[name][:2]).all() and np.isfinite(voxels[name][2:]).all()


def test_it_is_scored_as_models_are_on_the_rows_of_the_folds():
    tables = participants()
    times = np.round(tables["sub-0"].time.values, 3)
    folds = {float(time): i // 80 for i, time in enumerate(times) if i < 240}
    everyone = add_up(tables.get, list(tables), folds)
    np.testing.assert_array_equal(everyone.times, times[:240])
    voxels, _ = leave_one_out(tables["sub-1"], everyone, **OPTIONS)
    part = {name: table.values[:240] for name, table in tables.items()}
    z = {name: (v - v.mean(axis=0)) / v.std(axis=0) for name, v in part.items()}
    others = z["sub-0"][:, 2:] + z["sub-2"][:, 2:] + z["sub-3"]
    expected = voxel_r(part["sub-1"][:, 2:], others, np.arange(240) // 80)
    np.testing.assert_allclose(voxels["r"][2:], expected, atol=1e-5)


def test_another_grid_is_refused():
    tables = participants()
    tables["sub-2"].attrs = tables["sub-2"].attrs | {"affine": 2 * np.eye(4).ravel()}
    with pytest.raises(InputError, match="sub-2: its BOLD lies on another grid"):
        add_up(tables.get, list(tables))


def test_participants_are_compared_at_the_same_moments_of_the_film():
    tables = participants()
    everyone = add_up(tables.get, list(tables))
    late = {**tables, "sub-1": tables["sub-1"].isel(time=slice(40, 280))}
    later = add_up(late.get, list(late))
    assert len(later.times) == 240
    whole, _ = leave_one_out(tables["sub-0"], everyone, **OPTIONS)
    part, _ = leave_one_out(tables["sub-0"], later, **OPTIONS)
    # Rows that do not fit each other would leave nothing of it.
    assert np.corrcoef(whole["r"], part["r"])[0, 1] > 0.9
    none = {**tables, "sub-2": tables["sub-2"].assign_coords(time=tables["sub-2"].time + 1e4)}
    with pytest.raises(InputError, match="sub-2: has 0 volumes of the film in common"):
        add_up(none.get, list(none))
