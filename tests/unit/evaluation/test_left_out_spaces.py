"""What is lost without a feature space: planted parts, and nothing where nothing is planted."""

import numpy as np
import pytest
import xarray as xr
from planted_problem import TR, fold_content
from scipy.signal import lfilter
from shipped import shipped

from stim2bold.evaluation.left_out_spaces import left_out, losses, without_spaces
from stim2bold.models import directions, folds, hrf
from stim2bold.models.ridge import RidgeSettings

PLANTED = np.array([0.45, 0.25, 0.0])


@pytest.fixture(scope="module")
def found():
    """Voxels of which the first space tells 45 % and the second 25 % of the variance; 10 silent."""
    content = fold_content(n_blocks=14, seconds=30.0)
    rng = np.random.default_rng(0)
    times = folds.row_times(content["n_rows"], tr=TR, film_onset=0.0)
    response = hrf.film_to_bold(TR, reach=12.0)
    spaces, bold = [], np.zeros((len(times), 40))
    for number, part in enumerate(PLANTED):
        courses = lfilter([1.0], [1, -0.6], rng.standard_normal((len(times), 4)), axis=0)
        spaces.append(
            xr.DataArray(
                (courses @ rng.standard_normal((4, 20))).astype(np.float32),
                dims=("time", "feature"),
                coords={"time": times},
                name=f"space{number}",
            )
        )
        signal = response.apply(courses) @ rng.standard_normal((4, 40))
        bold += np.sqrt(part) * signal / signal.std(axis=0)
    bold[:, 30:] = 0
    noise = rng.standard_normal(bold.shape)
    bold += np.where(np.arange(40) < 30, np.sqrt(1 - PLANTED.sum()), 1.0) * noise
    target = xr.DataArray(
        bold.astype(np.float32), dims=("time", "voxel"), coords={"time": times}, name="bold"
    )
    problem = directions.assemble("film2bold", source=spaces, target=target, content=content)
    splits = folds.read_folds(content)
    return problem, left_out(
        problem, splits, shipped(RidgeSettings, draws=2), [[0], [1], [2], [0, 1]]
    )


def test_what_is_lost_is_what_was_planted(found):
    _, result = found
    lost = result.by_voxel[:, :30].mean(axis=1)
    np.testing.assert_allclose(lost[:3], PLANTED, atol=0.06)
    assert lost[3] == pytest.approx(PLANTED[:2].sum(), abs=0.05)
    np.testing.assert_allclose(result.by_voxel[:, 30:].mean(axis=1), 0, atol=0.02)


def test_the_interval_holds_the_loss(found):
    _, result = found
    loss, (low, high) = losses(result, result.rows // 33, seed=0)
    assert loss[0] == pytest.approx(result.by_voxel[0].mean(), abs=1e-6)
    assert (low <= loss).all() and (loss <= high).all()
    assert low[0] > 0 and high[2] < 0.05


def test_a_space_is_taken_out_with_its_columns(found):
    problem, _ = found
    less = without_spaces(problem, [1])
    assert less.spaces == (20, 20) and less.source.shape[1] == 40
    np.testing.assert_array_equal(less.source[:, 20:], problem.source[:, 40:])
