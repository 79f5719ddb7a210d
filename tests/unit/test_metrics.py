import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.stats import pearsonr
from sklearn.metrics import r2_score

from stim2bold.metrics import (
    EvaluationSettings,
    correlation,
    explained,
    r_by_column,
    score_unit,
    summarise,
    training_selection,
    voxel_r,
)

RNG = np.random.default_rng(0)


def test_correlation_is_scipys():
    a, b = RNG.standard_normal((2, 30, 5))
    expected = [pearsonr(x, y).statistic for x, y in zip(a.T, b.T, strict=True)]
    np.testing.assert_allclose(correlation(a, b), expected, atol=1e-12)


def test_a_constant_has_no_correlation():
    a = RNG.standard_normal((30, 2))
    b = a.copy()
    b[:, 1] = 0.1
    r = correlation(a, b)
    assert r[0] == pytest.approx(1)
    assert np.isnan(r[1])


def test_explained_is_sklearns_when_the_mean_is():
    truth, guess = RNG.standard_normal((2, 40, 3))
    expected = r2_score(truth, guess, multioutput="raw_values")
    np.testing.assert_allclose(explained(truth, guess, mean=truth.mean(axis=0)), expected)
    np.testing.assert_allclose(explained(truth, truth, mean=truth.mean(axis=0)), 1)


def test_no_skill_scores_zero_over_folds():
    # Least squares of noise on a slow regressor, over many columns: the score over all held-out
    # rows must have mean zero. Plain correlation of the concatenated folds has not.
    n, folds = 300, np.repeat(np.arange(3), 100)
    x = np.sin(np.arange(n) / 8.0)[:, None]
    y = RNG.standard_normal((n, 4000))
    guess = np.empty_like(y)
    for number in range(3):
        train, test = folds != number, folds == number
        weights = x[train].T @ (y[train] - y[train].mean(axis=0)) / (x[train] ** 2).sum()
        guess[test] = x[test] @ weights + y[train].mean(axis=0)
    error = 3 / np.sqrt(4000 * 300)
    assert abs(voxel_r(y, guess, folds).mean()) < error
    assert correlation(y, guess).mean() < -3 * error


def arrays(n_voxels=50):
    fold = np.repeat([0, 1], 40)
    time = np.arange(80.0)
    coords = {
        "time": time,
        "fold": ("time", fold),
        "row": ("time", np.arange(80)),
        **{a: ("voxel", np.arange(n_voxels)) for a in "ijk"},
    }
    truth = RNG.standard_normal((80, n_voxels))
    like = {"dims": ("time", "voxel"), "coords": coords}
    target = xr.DataArray(truth, **like)
    good = truth + RNG.standard_normal(truth.shape)
    good[:, 25:] = RNG.standard_normal((80, n_voxels - 25))
    strength = np.zeros((2, n_voxels))
    strength[0, :5] = 1
    strength[1, 20:25] = 1
    ridge = xr.DataArray(good, **like)
    mean = xr.DataArray(np.zeros_like(truth), **like)
    return target, {"mean": mean, "ridge": ridge}, xr.DataArray(strength)


def test_scores_of_a_unit():
    target, predictions, strength = arrays()
    signal = np.arange(50) < 25
    table, _ = score_unit(
        target,
        predictions,
        strength=strength,
        settings=EvaluationSettings(top_share=0.1),
        signal=signal,
    )
    r = table.set_index(["model", "fold", "measure"]).value
    here = slice(0, 40)
    guess = predictions["ridge"].values
    by_hand = [pearsonr(target.values[here, v], guess[here, v]).statistic for v in range(50)]
    assert r["ridge", "0", "r"] == pytest.approx(np.mean(by_hand))
    # Top voxels differ from fold to fold: those that were best inside the fold's training rows.
    assert r["ridge", "0", "r_top"] == pytest.approx(np.mean(by_hand[:5]))
    last = [pearsonr(target.values[40:, v], guess[40:, v]).statistic for v in range(20, 25)]
    assert r["ridge", "1", "r_top"] == pytest.approx(np.mean(last))
    assert r["ridge", "all", "r_signal"] == pytest.approx(1 / np.sqrt(2), abs=0.05)
    assert r["ridge", "all", "r_signal"] > r["ridge", "all", "r"] + 0.2
    # A constant prediction scores nothing rather than dropping out.
    assert r["mean", "all", "r"] == 0
    assert r["mean", "all", "r2"] == 0
    assert set(table.fold) == {"0", "1", "all"}
    n = table.set_index(["model", "fold", "measure"]).n
    assert n["ridge", "0", "r_top"] == 5
    assert n["ridge", "all", "r_signal"] == 25
    voxels = r_by_column(target, predictions)
    assert voxels.dims == ("model", "voxel")
    assert np.isnan(voxels.sel(model="mean")).all()
    assert float(voxels.sel(model="ridge").mean()) == pytest.approx(
        r["ridge", "all", "r"], abs=1e-6
    )


def test_sound_is_scored_by_mel_band_over_frames():
    coords = {
        "time": np.arange(20.0),
        "fold": ("time", np.repeat([0, 1], 10)),
        "row": ("time", np.arange(20)),
        "mel": [50.0, 90],
    }
    like = {"dims": ("time", "frame", "mel"), "coords": coords}
    target = xr.DataArray(RNG.standard_normal((20, 6, 2)), **like)
    guess = target + RNG.standard_normal((20, 6, 2))
    mean = xr.zeros_like(target)
    table, columns = score_unit(
        target,
        {"mean": mean, "vae": guess},
        strength=xr.DataArray(np.zeros((2, 12))),
        settings=EvaluationSettings(block=2.0),
    )
    r = table.set_index(["model", "fold", "measure"]).value
    flat = [
        pearsonr(target.values[:10, :, m].ravel(), guess.values[:10, :, m].ravel()).statistic
        for m in range(2)
    ]
    assert r["vae", "0", "r"] == pytest.approx(np.mean(flat))
    assert columns["r"].dims == columns["q"].dims == ("model", "mel")
    assert (columns["q"].sel(model="vae") < 0.05).all()
    assert (columns["q"].sel(model="mean") == 1).all()
    assert r["vae", "all", "p"] < 0.05 < r["mean", "all", "p"]
    assert r["vae", "all", "r_low"] < r["vae", "all", "r"] < r["vae", "all", "r_high"]
    assert r["mean", "all", "identification"] == 0.5


def test_selection_takes_the_strongest_of_each_fold():
    strength = np.array([[0.1, 0.9, 0.5, 0.2], [0.8, 0.1, 0.1, 0.7]])
    mask = training_selection(strength, share=0.5)
    np.testing.assert_array_equal(mask, [[False, True, True, False], [True, False, False, True]])


def test_summary_has_one_row_a_direction_and_model():
    rows = []
    for unit, shift in (("sub-01", 0.0), ("sub-02", 0.1)):
        for model, r in (("mean", 0.0), ("ridge", 0.2), ("vae", 0.25)):
            for fold in ("0", "all"):
                rows.append((unit, "video2bold", model, fold, "r", r + shift * (model != "mean")))
            rows.append((unit, "video2bold", model, "all", "p", 0.01 if shift else 0.2))
    rows.append(("film", "video2audio", "vae", "all", "r", 0.5))
    rows.append(("film", "video2audio", "vae", "all", "p", 0.003))
    table = pd.DataFrame(rows, columns=["unit", "direction", "model", "fold", "measure", "value"])
    out = summarise(table.assign(unit_of_measure="correlation", n=10)).set_index(
        ["direction", "model"]
    )
    assert len(out) == 4
    vae = out.loc["video2bold", "vae"]
    assert vae.n == 2
    assert vae.r == pytest.approx(0.30)
    assert vae.r_spread == pytest.approx(np.std([0.25, 0.35], ddof=1))
    assert vae.skill_over_ridge == pytest.approx(0.05)
    assert vae.skill_over_mean == pytest.approx(0.30)
    assert np.isnan(out.loc["video2audio", "vae"].r_spread)
    # One unit has its own p; of several, the significant are counted and signs flipped.
    assert out.loc["video2audio", "vae"].p == 0.003
    assert vae.units_significant == 1
    assert vae.p == pytest.approx(0.25, abs=0.02)
    assert vae.p_over_ridge == pytest.approx(0.25, abs=0.02)
