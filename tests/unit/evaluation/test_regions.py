import numpy as np
import pytest
import xarray as xr
from nilearn.datasets import load_mni152_brain_mask

from stim2bold.evaluation import regions


@pytest.fixture(scope="module")
def study():
    """Every brain voxel of 6 mm; a signal within 10 mm of the auditory landmark alone."""
    mask = load_mni152_brain_mask(resolution=6)
    ijk = np.argwhere(np.asarray(mask.dataobj) > 0)
    rng = np.random.default_rng(0)
    values = rng.normal(size=(120, len(ijk))).astype(np.float32)
    coords = {axis: ("voxel", ijk[:, n]) for n, axis in enumerate("ijk")}
    coords |= {"time": (np.arange(120) + 0.5) * 0.608}
    bold = xr.DataArray(values, dims=("time", "voxel"), coords=coords)
    bold.attrs |= {"affine": mask.affine.ravel(), "shape": mask.shape}
    signal = np.sin(np.arange(120) / 5)
    heard = regions.regions_of(bold)["auditory cortex (Heschl's gyrus)"]
    bold[:, heard] += 3 * signal[:, None]
    # Loud voxels must not speak for the quiet ones.
    bold[:, np.flatnonzero(heard)[:3]] *= 1000
    return bold, heard, signal


def test_regions_lie_on_both_sides_round_their_landmark(study):
    bold, heard, _ = study
    affine = np.reshape(bold.attrs["affine"], (4, 4))
    ijk = np.column_stack([bold[axis].values for axis in "ijk"])
    world = ijk[heard] @ affine[:3, :3].T + affine[:3, 3]
    assert (world[:, 0] < 0).any() and (world[:, 0] > 0).any()
    assert np.abs(np.abs(world) - (50, 20, 6)).max() <= regions.RADIUS
    assert len(regions.regions_of(bold)) == len(regions.LANDMARKS)


def test_series_and_scores_find_the_planted_region(study):
    bold, heard, signal = study
    guess = xr.zeros_like(bold) + signal[:, None] + np.arange(bold.sizes["voxel"])
    fold = (np.arange(120) >= 60).astype(int)
    guess = guess.isel(time=slice(10, 110)).assign_coords(fold=("time", fold[10:110]))
    strength = np.zeros((2, bold.sizes["voxel"]))
    strength[:, heard] = 1
    series, scores = regions.region_series(
        bold, {"vae": guess}, xr.DataArray(strength), share=heard.mean()
    )
    r = scores.set_index("region")["r"]
    assert r["auditory cortex (Heschl's gyrus)"] > 0.9
    assert r[regions.BEST] == pytest.approx(r["auditory cortex (Heschl's gyrus)"])
    assert abs(r["early visual cortex"]) < 0.5
    own = series[series["region"] == regions.BEST]
    assert len(own) == 100 and list(own["fold"]) == list(fold[10:110])
    np.testing.assert_allclose(own["time"], bold["time"].values[10:110])
    assert np.corrcoef(own["measured"], signal[10:110])[0, 1] > 0.9
    assert own["measured"].std() < 2, "in standard deviations"


def test_the_best_voxels_are_chosen_fold_by_fold(study):
    bold, _, _ = study
    guess = bold.assign_coords(fold=("time", (np.arange(120) >= 60).astype(int)))
    strength = np.zeros((2, bold.sizes["voxel"]))
    strength[0, 0] = strength[1, 1] = 1
    series, _ = regions.region_series(bold, {"vae": guess}, xr.DataArray(strength), share=1e-9)
    best = series[series["region"] == regions.BEST]["measured"].to_numpy()
    standard = (bold - bold.mean("time")) / bold.std("time")
    np.testing.assert_allclose(best[:60], standard.values[:60, 0], atol=1e-4)
    np.testing.assert_allclose(best[60:], standard.values[60:, 1], atol=1e-4)
