import numpy as np
import pytest
import xarray as xr
from planted_problem import TR, fold_content, tables

from stim2bold.models.directions import assemble, held_out
from stim2bold.runtime.errors import InputError


@pytest.fixture(scope="module")
def content():
    return fold_content()


def test_rows_are_those_that_both_have(content):
    source, target, _ = tables(content)
    short = target.isel(time=slice(0, 200))
    late = source.isel(time=slice(5, None))
    problem = assemble("film2bold", source=[late], target=short, content=content)
    np.testing.assert_array_equal(problem.rows, np.arange(5, 200))
    assert problem.first_row == 5
    np.testing.assert_array_equal(problem.target[0], short.values[5])
    np.testing.assert_array_equal(problem.source[problem.rows[3] - problem.first_row], source[8])


def test_film_onset_moves_the_rows(content):
    source, target, _ = tables(content)
    moved = content | {"film_onset": 4 * TR}
    problem = assemble("film2bold", source=[source], target=target, content=moved)
    assert problem.rows[0] == 4


def test_sound_is_flattened_and_put_back(content):
    source, target, _ = tables(content)
    rng = np.random.default_rng(0)
    mel = xr.DataArray(
        rng.standard_normal((300, 3, 4)).astype(np.float32)[: target.sizes["time"]],
        dims=("time", "frame", "mel"),
        coords={"time": target.time[:300], "mel": [100.0, 200, 300, 400]},
    )
    problem = assemble("video2audio", source=[source], target=mel, content=content)
    rows = np.array([30, 31, 7])
    out = held_out(problem, problem.target[rows], rows=rows, fold=np.array([1, 1, 0]))
    assert out.dims == ("time", "frame", "mel")
    np.testing.assert_array_equal(out.values, mel.values[[7, 30, 31]])
    np.testing.assert_array_equal(out["fold"], [0, 1, 1])
    np.testing.assert_array_equal(out["row"], [7, 30, 31])
    np.testing.assert_array_equal(out["mel"], mel["mel"])


def test_delays_look_the_right_way_whatever_a_direction_is_called(content):
    features, bold, _ = tables(content)
    film = [features]

    def extent(source, target):
        return assemble("x", source=source, target=target, content=content).filters().extent(TR)

    assert extent(film, bold) == pytest.approx((-19 * TR, 0.0))
    assert extent([bold], features) == pytest.approx((0.0, 19 * TR))
    # One row before and one after: no delay, but not nothing.
    assert extent(film, features) == pytest.approx((-TR, TR))


def test_refusals(content):
    source, target, _ = tables(content)
    broken = target.copy()
    broken[3, 2] = np.nan
    time = f"{float(target.time[3]):g}"
    with pytest.raises(
        InputError, match=rf"no numbers: 1 of \d+, the first at {time} s.*column 2;"
    ):
        assemble("film2bold", source=[source], target=broken, content=content)
    shifted = target.assign_coords(time=target.time + 0.25)
    with pytest.raises(InputError, match="middles"):
        assemble("film2bold", source=[source], target=shifted, content=content)
    with pytest.raises(InputError, match="middles"):
        assemble("film2bold", source=[source[::2]], target=target, content=content)
    with pytest.raises(InputError, match="share no row"):
        assemble("film2bold", source=[source[:10]], target=target[20:], content=content)
