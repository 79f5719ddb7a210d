import numpy as np
import pytest
import xarray as xr

from stim2bold.evaluation.ceiling_normalised import normalised, normalised_table

CEILING = xr.Dataset(
    {
        "r": ("voxel", [0.5, 0.4, 0.05, 0.6, np.nan, 0.2]),
        "q": ("voxel", [0.01, 0.001, 0.001, 0.2, np.nan, 0.04]),
    }
)
R = np.array([0.25, 0.5, 0.05, 0.3, 0.3, np.nan])


def test_r_is_divided_where_there_is_a_ceiling_and_a_score():
    # A small ceiling, one that may be chance, none, and no score have no ratio; above 1 stands.
    np.testing.assert_allclose(normalised(R, CEILING), [0.5, 1.25, *[np.nan] * 4])


def test_the_share_of_a_participant_is_that_of_the_means():
    table = normalised_table({"vae": R, "mean": np.full(6, np.nan)}, CEILING).set_index("model")
    assert table.loc["vae", "share"] == pytest.approx(0.75 / 0.9)
    assert table.loc["vae", "n"] == 2 and table.loc["mean", "n"] == 0
    assert np.isnan(table.loc["mean", ["r", "ceiling", "share"]].astype(float)).all()
