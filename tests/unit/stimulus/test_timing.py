import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from stim2bold.stimulus import feature_tables, timing
from stim2bold.stimulus.timing import Timing

SECONDS = st.floats(-5, 25, allow_nan=False)


def test_rows_of_the_target_data_set():
    clock = Timing(TR=0.608)
    assert clock.n_rows(641 * 0.608) == 641
    assert clock.n_rows(390.0) == 642
    assert Timing(TR=0.608, film_onset=6.08).n_rows(641 * 0.608) == 651
    assert Timing(TR=0.608, n_volumes=640).n_rows(390.0) == 640


def test_volume_middles_are_half_a_tr_after_their_start():
    clock = Timing(TR=2.0, film_onset=3.0)
    np.testing.assert_allclose(clock.centres(3), [-2.0, 0.0, 2.0])
    np.testing.assert_allclose(clock.edges(3), [-3.0, -1.0, 1.0, 3.0])
    assert timing.inside(clock.edges(6), 4.5).tolist() == [False, True, True, True, False, False]


@pytest.mark.parametrize("values", [{"TR": 0.0}, {"TR": float("nan")}, {"TR": 1, "n_volumes": 0}])
def test_impossible_timing_is_refused(values):
    with pytest.raises(ValueError):
        Timing(**values)


def test_unknown_key_is_refused():
    with pytest.raises(TypeError):
        Timing(TR=1.0, onset=2.0)


def test_samples_show_each_frame_of_a_film_of_the_same_rate_once():
    for rate in (24, 25, 30000 / 1001, 50):
        frames = np.arange(1000) / rate
        times = timing.sample_times(1000 / rate, rate)
        shown = np.searchsorted(frames, times, side="right") - 1
        np.testing.assert_array_equal(shown, np.arange(1000))


def test_interpolation_agrees_with_numpy_and_holds_the_ends():
    rng = np.random.default_rng(0)
    times = np.sort(rng.uniform(0, 10, 30))
    values = rng.normal(size=(30, 3))
    at = rng.uniform(-2, 12, 200)
    expected = np.stack([np.interp(at, times, column) for column in values.T], axis=1)
    np.testing.assert_allclose(timing.interpolate(times, values, at), expected, atol=1e-5)


def test_interpolation_at_a_row_is_that_row_exactly():
    times = np.arange(100) * 0.016
    values = np.random.default_rng(1).normal(size=(100, 2)).astype(np.float32)
    np.testing.assert_array_equal(timing.interpolate(times, values, times + 1e-12), values)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.05, 4.0), st.floats(-3.0, 3.0))
def test_average_is_the_integral_of_the_interpolant(seed, width, start):
    rng = np.random.default_rng(seed)
    times = np.sort(rng.uniform(0, 10, rng.integers(2, 12))) + np.arange(1) * 1e-3
    times = np.unique(times)
    values = rng.normal(size=(len(times), 2))
    edges = start + np.arange(5) * width
    got = timing.average(times, values, edges)
    # Midpoint rule on a grid fine enough for the tolerance.
    n = 4000
    for row in range(4):
        at = edges[row] + (np.arange(n) + 0.5) * width / n
        expected = [np.interp(at, times, column).mean() for column in values.T]
        np.testing.assert_allclose(got[row], expected, atol=2e-3 * np.abs(values).max())


def test_average_keeps_the_place_of_a_feature_that_is_its_own_time():
    clock = Timing(TR=0.608, film_onset=-1.3)
    times = (np.arange(2000) * 4 + 3.5) / 25
    rows = timing.average(times, times[:, np.newaxis], clock.edges(300))
    np.testing.assert_allclose(rows[:, 0], clock.centres(300), atol=1e-9)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(SECONDS, st.floats(0, 8)), max_size=12), st.floats(-3, 3))
def test_coverage_counts_overlapping_events_once(events, first):
    onsets = np.array([onset for onset, _ in events])
    offsets = np.array([onset + length for onset, length in events])
    edges = first + np.arange(9) * 2.0
    got = timing.coverage(onsets, offsets, edges)
    n = 20_000
    for row in range(8):
        at = edges[row] + (np.arange(n) + 0.5) * 2.0 / n
        covered = np.zeros(n, bool)
        for onset, offset in zip(onsets, offsets, strict=True):
            covered |= (at >= onset) & (at < offset)
        assert got[row] == pytest.approx(covered.mean(), abs=2e-3)


def test_rows_before_and_after_the_film_hold_and_are_marked():
    features = xr.DataArray(
        np.arange(10.0)[:, np.newaxis],
        dims=("time", "feature"),
        coords={"time": np.arange(10) + 0.5, "feature": [0]},
    )
    rows = feature_tables.at_volumes(features, timing=Timing(TR=1.0, film_onset=2.0), duration=10.0)
    assert rows.sizes["time"] == 12
    assert rows["inside"].values.tolist() == [0, 0] + [1] * 10
    assert rows.values[0, 0] == 0
    np.testing.assert_allclose(rows.values[3:11, 0], np.arange(1, 9), atol=1e-6)
