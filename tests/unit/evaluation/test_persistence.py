"""The volume before: its correlation by hand, and its error on volumes scaled to 0 and 1."""

import numpy as np
import pytest
import xarray as xr
from scipy.signal import lfilter

from stim2bold.evaluation.persistence import persistence_error, persistence_r


def test_the_correlation_is_that_of_neighbouring_volumes():
    rng = np.random.default_rng(0)
    values = lfilter([1], [1, -0.6], rng.standard_normal((4000, 5)), axis=0)
    times = (np.arange(len(values)) + 0.5) * 0.608
    bold = xr.DataArray(values, dims=("time", "voxel"), coords={"time": times})
    everything = {float(t): 0 for t in times.round(3)}
    by_hand = [np.corrcoef(v[1:], v[:-1])[0, 1] for v in values.T]
    assert persistence_r(bold, everything) == pytest.approx(np.mean(by_hand), abs=1e-6)
    assert persistence_r(bold, everything) == pytest.approx(0.6, abs=0.03)
    # Of noise the volume before tells nothing; only held-out rows count.
    noise = bold.copy(data=rng.standard_normal(values.shape))
    held = {float(t): int(t) // 100 for t in times.round(3)[1000:3000]}
    assert abs(persistence_r(noise, held)) < 0.05


def test_the_error_is_of_volumes_scaled_by_the_whole_series():
    series = np.zeros((2, 1, 1, 3))
    series[0, 0, 0] = (10, 12, 10)
    series[1, 0, 0] = (0, 50, 100)
    only_first = np.array([True, False]).reshape(2, 1, 1)
    assert persistence_error(series, only_first) == pytest.approx(0.02**2)
    assert persistence_error(series + 7, only_first) == pytest.approx(0.02**2)
