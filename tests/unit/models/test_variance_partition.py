import numpy as np
import pytest
import xarray as xr
from planted_problem import TR, fold_content
from scipy.signal import lfilter
from shipped import shipped

from stim2bold.models import directions, folds, hrf
from stim2bold.models.predictions import usable
from stim2bold.models.ridge import RidgeSettings
from stim2bold.models.variance_partition import partition, shares

PLANTED = np.array([0.5, 0.3, 0.2])


@pytest.fixture(scope="module")
def split():
    """Three spaces of their own courses; 30 voxels of all three, 10 of the first, 10 of none."""
    content = fold_content(n_blocks=13, seconds=30.0)
    rng = np.random.default_rng(0)
    n_rows = content["n_rows"]
    times = folds.row_times(n_rows, tr=TR, film_onset=0.0)
    response = hrf.film_to_bold(TR, reach=12.0)
    spaces, signals = [], []
    for number in range(3):
        courses = lfilter([1.0], [1, -0.6], rng.standard_normal((n_rows, 6)), axis=0)
        mixed = courses @ rng.standard_normal((6, 40))
        spaces.append(
            xr.DataArray(
                mixed.astype(np.float32),
                dims=("time", "feature"),
                coords={"time": times},
                name=f"space{number}",
            )
        )
        signal = response.apply(courses) @ rng.standard_normal((6, 50))
        signals.append(signal / signal.std(axis=0))
    weight = np.tile(PLANTED[:, None], 50)
    weight[:, 30:40] = [[1], [0], [0]]
    weight[:, 40:] = 0
    bold = sum(np.sqrt(w) * signal for w, signal in zip(weight, signals, strict=True))
    bold = bold + rng.standard_normal(bold.shape)
    target = xr.DataArray(
        bold.astype(np.float32), dims=("time", "voxel"), coords={"time": times}, name="bold"
    )
    problem = directions.assemble("film2bold", source=spaces, target=target, content=content)
    splits = folds.read_folds(content)
    mixed = np.arange(50) < 30
    return problem, splits, partition(problem, splits, shipped(RidgeSettings), voxels=mixed)


def test_shares_are_the_planted(split):
    _, _, found = split
    share, (low, high) = shares(found.by_row, found.rows // 33, seed=0)
    assert share.sum() == pytest.approx(1)
    np.testing.assert_allclose(share, PLANTED, atol=0.05)
    assert (low < share).all() and (share < high).all()


def test_voxels_of_one_space_have_its_part_alone(split):
    _, _, found = split
    assert found.by_voxel[0, 30:40].mean() > 0.25
    assert abs(found.by_voxel[1:, 30:40].mean()) < 0.03
    assert abs(found.by_voxel[:, 40:].mean()) < 0.03


def test_only_training_rows_are_fitted(split):
    problem, splits, found = split
    for fold in splits:
        train, _ = usable(problem, fold)
        np.testing.assert_array_equal(found.fitted[fold.number], train)
    np.testing.assert_array_equal(np.sort(found.rows), np.arange(len(problem.rows)))


def test_nothing_explained_has_no_shares():
    share, interval = shares(-np.ones((6, 2)), np.arange(6), seed=0)
    assert np.isnan(share).all() and np.isnan(interval).all()


def test_what_may_be_nothing_is_not_divided():
    rng = np.random.default_rng(0)
    # Two spaces that cancel out but for a little: a part of that would be any number.
    by_row = rng.standard_normal((60, 2)) + [0.5, -0.45]
    assert by_row.sum() > 0
    share, interval = shares(by_row, np.arange(60) // 3, seed=0)
    assert np.isnan(share).all() and np.isnan(interval).all()
