"""A response that is late is found to be late, and in the space that has it."""

import numpy as np
import pytest
import xarray as xr
from planted_problem import TR, fold_content
from scipy.signal import lfilter
from shipped import shipped

from stim2bold.models import directions, flexible_delays, folds, hrf
from stim2bold.models.predictions import usable
from stim2bold.models.ridge import RidgeSettings, predict_ridge

#: Rows by which the response to the second space is late, 3.6 s.
LATE = 6
SETTINGS = shipped(RidgeSettings, components=6)


def late(series, rows):
    """The series that many rows later."""
    return np.concatenate([np.zeros((rows, series.shape[1])), series[:-rows]]) if rows else series


@pytest.fixture(scope="module")
def planted():
    """Two spaces of own courses: 20 voxels of the first, 20 of the second (late), 20 of none."""
    content = fold_content(n_blocks=13, seconds=30.0)
    rng = np.random.default_rng(0)
    times = folds.row_times(content["n_rows"], tr=TR, film_onset=0.0)
    response, spaces = hrf.film_to_bold(TR, reach=9.0), []
    bold = 1.5 * rng.standard_normal((len(times), 60))
    for number, delay in enumerate((0, LATE)):
        courses = lfilter([1.0], [1, -0.6], rng.standard_normal((len(times), 4)), axis=0)
        mixed = (courses @ rng.standard_normal((4, 12))).astype(np.float32)
        spaces.append(
            xr.DataArray(mixed, dims=("time", "feature"), coords={"time": times}, name=f"{number}")
        )
        signal = late(response.apply(courses), delay) @ rng.standard_normal((4, 20))
        bold[:, 20 * number : 20 * number + 20] += signal / signal.std(axis=0)
    target = xr.DataArray(
        bold.astype(np.float32), dims=("time", "voxel"), coords={"time": times}, name="bold"
    )
    problem = directions.assemble("film2bold", source=spaces, target=target, content=content)
    return problem, folds.read_folds(content)


def r_of(problem, fitted):
    truth = problem.target[fitted.rows - problem.rows[0]]
    return np.array(
        [np.corrcoef(a, b)[0, 1] for a, b in zip(truth.T, fitted.values.T, strict=True)]
    )


def test_the_late_space_alone_gets_a_flexible_response(planted):
    problem, splits = planted
    found = flexible_delays.predict_flexible(problem, splits, SETTINGS)
    assert [set(chosen) for chosen in found.flexible].count({1}) > len(splits) / 2
    assert all(1 in chosen for chosen in found.flexible)
    ridge = predict_ridge(problem, splits, SETTINGS)
    np.testing.assert_allclose(found.fixed.values, ridge.values, atol=1e-5)
    fixed, flexible = (
        r_of(problem, ridge),
        r_of(problem, found.fitted),
    )
    # What is late is predicted better, what is not as well, and of noise nothing is.
    assert flexible[20:40].mean() > fixed[20:40].mean() + 0.1
    assert abs(flexible[:20].mean() - fixed[:20].mean()) < 0.03
    assert abs(flexible[40:].mean()) < 0.1


def test_with_no_flexible_space_it_is_ridge(planted):
    problem, splits = planted
    train, _ = usable(problem, splits[0])
    pair = flexible_delays.designs(problem, train, SETTINGS)
    columns = pair[0].apply(problem.source), flexible_delays.stretched_columns(problem, pair[1])
    mine = flexible_delays.regressors(*columns, pair[0].components, ())
    np.testing.assert_array_equal(mine, pair[0].apply(problem.source))
    # All together: each space once, of the same size in all.
    both = flexible_delays.regressors(*columns, pair[0].components, (0, 1))[train]
    assert both.shape[1] == sum(pair[0].components) * len(pair[1].filters.weights)
    size = (mine[train] ** 2).mean(axis=0).sum()
    assert (both**2).mean(axis=0).sum() == pytest.approx(size, rel=0.05)


def test_the_best_delay_is_as_late_as_was_planted(planted):
    problem, splits = planted
    delays, parts = flexible_delays.predict_by_delay(problem, splits, SETTINGS)
    assert (np.diff(delays) > 0).all() and delays[0] > 0 and delays[-1] < problem.reach
    shares = flexible_delays.delay_shares(problem, splits, parts)
    np.testing.assert_allclose(shares[:, :40].sum(axis=0), 1, rtol=1e-5)
    found = flexible_delays.best_delay(delays, shares)
    apart = np.median(found[20:40]) - np.median(found[:20])
    assert apart == pytest.approx(LATE * TR, abs=0.7)
    # The canonical response peaks at 5 s.
    assert 4 < np.median(found[:20]) < 6.5


def test_parts_sum_to_what_ridge_predicts(planted):
    problem, splits = planted
    _, parts = flexible_delays.predict_by_delay(problem, splits[:1], SETTINGS)
    train, test = usable(problem, splits[0])
    fixed, stretched = flexible_delays.designs(problem, train, SETTINGS)
    columns = flexible_delays.regressors(
        fixed.apply(problem.source),
        flexible_delays.stretched_columns(problem, stretched),
        fixed.components,
        (0, 1),
    )
    model = flexible_delays.unfitted(problem, splits[0], SETTINGS)
    *_, values = flexible_delays.fit_fold(model, problem, splits[0], columns)
    mean = problem.target[train - problem.rows[0]].mean(axis=0)
    np.testing.assert_allclose(parts[0].sum(axis=0) + mean, values, atol=1e-3)


def test_what_agrees_nowhere_has_no_delay():
    shares = np.array([[0.5, np.nan], [0.7, np.nan], [-0.2, np.nan]])
    found = flexible_delays.best_delay(np.array([1.0, 2.0, 3.0]), shares)
    assert found[0] == pytest.approx((0.5 + 1.4) / 1.2) and np.isnan(found[1])
