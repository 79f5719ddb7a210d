import numpy as np
import pandas as pd
import pytest

from stim2bold.evaluation.metrics import voxel_r
from stim2bold.report.timelines import region_data, windows_of

TR = 0.5


def test_windows_are_told_in_seconds_of_the_film():
    values = np.zeros(100)
    values[40:50], values[70:80] = 2, -1
    times = 3 + (np.arange(100) + 0.5) * TR
    high, low = windows_of(values, times, np.arange(100) // 60, tr=TR, seconds=5.0)
    assert high[0] == [23.0, 28.0, 2.0] and low[0] == [38.0, 43.0, -1.0]


def test_moments_of_a_region_are_of_models_that_vary():
    rng = np.random.default_rng(0)
    series = pd.DataFrame({"region": "V1", "time": (np.arange(60) + 0.5) * TR, "fold": 0})
    series["measured"] = rng.standard_normal(60)
    series["vae"] = series["measured"] * np.where(np.arange(60) < 30, 1, -1)
    series["ridge"] = 0.0
    scores = pd.DataFrame({"model": ["vae", "ridge"], "voxels": 9, "r": [0.1, np.nan]})
    data = region_data(series, scores, tr=TR, seconds=15.0)
    assert data["scores"] == [{"model": "vae", "r": 0.1}] and data["voxels"] == 9
    assert set(data["series"]) == {"measured", "vae", "ridge"} and set(data["moments"]) == {"vae"}
    (best,), (worst,) = data["moments"]["vae"]["best"], data["moments"]["vae"]["worst"]
    assert best[:2] == [0.0, 15.0] and worst[:2] == [15.0, 30.0]
    # Two windows that fill the film: their mean is r.
    r = voxel_r(series[["measured"]].values, series[["vae"]].values, series["fold"].values)[0]
    assert (best[2] + worst[2]) / 2 == pytest.approx(r, abs=0.01)
