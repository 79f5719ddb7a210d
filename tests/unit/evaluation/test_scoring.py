import numpy as np
import pytest
import xarray as xr
from scipy.stats import pearsonr
from shipped import shipped

from stim2bold.evaluation.scoring import EvaluationSettings, score_unit, training_selection

RNG = np.random.default_rng(0)


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
    blocks = mean + (target.time % 40 < 20)
    return (
        target,
        {"mean": mean, "blocks": blocks, "ridge": ridge},
        xr.DataArray(strength, attrs={"chance_spread": 1.0}),
    )


def test_scores_of_a_unit():
    target, predictions, strength = arrays()
    signal = np.arange(50) < 25
    table, voxels = score_unit(
        target,
        predictions,
        strength=strength,
        settings=shipped(EvaluationSettings, top_share=0.1),
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
    # A constant prediction has no correlation; what it explains beyond the training mean is 0.
    for measure in ("r", "r_top", "p", "significant", "r_within", "identification"):
        assert np.isnan(r["mean", "all", measure]), measure
    assert r["mean", "all", "r2"] == 0
    assert set(table.fold) == {"0", "1", "all"}
    n = table.set_index(["model", "fold", "measure"]).n
    assert n["ridge", "0", "r_top"] == 5
    assert n["ridge", "all", "r_signal"] == 25
    assert voxels["r"].dims == ("model", "voxel")
    for name in ("r", "p", "q", "p_max"):
        assert np.isnan(voxels[name].sel(model="mean")).all()
        assert np.isfinite(voxels[name].sel(model="ridge")).all()
    assert float(voxels["r"].sel(model="ridge").mean()) == pytest.approx(
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
    # A training mean has a level of its own for each frame of a volume; it says nothing of time.
    mean = xr.zeros_like(target) + np.arange(6.0)[:, None]
    table, columns = score_unit(
        target,
        {"mean": mean, "blocks": xr.zeros_like(target), "vae": guess},
        strength=xr.DataArray(np.zeros((2, 12)), attrs={"chance_spread": 1.0}),
        settings=shipped(EvaluationSettings, block=2.0, segment=4.0),
    )
    r = table.set_index(["model", "fold", "measure"]).value
    flat = [
        pearsonr(target.values[:10, :, m].ravel(), guess.values[:10, :, m].ravel()).statistic
        for m in range(2)
    ]
    assert r["vae", "0", "r"] == pytest.approx(np.mean(flat))
    assert columns["r"].dims == columns["q"].dims == ("model", "mel")
    assert (columns["q"].sel(model="vae") < 0.05).all()
    assert np.isnan(columns["q"].sel(model="mean")).all()
    assert r["vae", "all", "p"] < 0.05 and np.isnan(r["mean", "all", "p"])
    assert r["vae", "all", "r_low"] < r["vae", "all", "r"] < r["vae", "all", "r_high"]
    assert np.isnan(r["mean", "all", "identification"])


def test_selection_takes_the_strongest_of_each_fold():
    strength = np.array([[0.1, 0.9, 0.5, 0.2], [0.8, 0.1, 0.1, 0.7]])
    mask = training_selection(strength, share=0.5)
    np.testing.assert_array_equal(mask, [[False, True, True, False], [True, False, False, True]])


def test_within_blocks_the_label_of_the_block_scores_nothing():
    target, predictions, strength = arrays()
    course = (target.time % 40 < 20).astype(float)
    measured = target + 2 * course
    # One model knows the block and nothing else, the other knows the rest too.
    models = predictions | {
        "label": predictions["mean"] + 3 * course,
        "ridge": predictions["ridge"] + 2 * course,
    }
    kinds = xr.DataArray(np.stack([course, 1 - course], axis=1), dims=("time", "kind"))
    table, _ = score_unit(
        measured,
        models,
        strength=strength,
        settings=shipped(EvaluationSettings, segment=4.0),
        kinds=kinds,
    )
    r = table[table.fold == "all"].set_index(["model", "measure"]).value
    assert r["label", "r"] > 0.5
    for model in ("label", "blocks"):
        assert np.isnan([r[model, "r_within"], r[model, "p_within"]]).all()
        assert np.isnan(r[model, "identification_within"])
    # Half of its voxels are right, with as much noise as signal.
    assert r["ridge", "r_within"] == pytest.approx(0.5 / np.sqrt(2), abs=0.05)
    assert r["ridge", "p_within"] < 0.01
    assert r["ridge", "r"] > r["ridge", "r_within"] + 0.2
    assert r["ridge", "identification_within"] > 0.9
    assert r["ridge", "p_identification_within"] < 0.01
    chance = [r["ridge", f"identification_within_chance{end}"] for end in ("_low", "", "_high")]
    assert 0.1 < chance[0] < chance[1] < chance[2] < 0.9
    assert chance[1] == pytest.approx(0.5, abs=0.1)


def test_identification_is_scored_at_several_lengths():
    target, predictions, strength = arrays()
    settings = shipped(EvaluationSettings, segment=4.0, other_segments=(2.0, 30.0), ways=5)
    table, _ = score_unit(target, predictions, strength=strength, settings=settings)
    found = table[table.model == "ridge"].set_index("measure")
    assert found.value["identification"] == found.value["identification_of_5"] == 1
    assert found.n["identification"] == 20 and found.n["identification_2s"] == 40
    assert "identification_30s" not in found.index
    assert found.value["identification_chance"] == pytest.approx(0.5, abs=0.05)
    assert found.value["identification_of_5_2s_chance"] == pytest.approx(0.2, abs=0.05)
    assert found.value["p_identification_of_5_2s"] == pytest.approx(1 / 1001)


def test_chance_spread_widens_r_and_leaves_identification_as_it_is():
    target, predictions, strength = arrays()
    found = {}
    for spread in (1.0, 2.0):
        table, _ = score_unit(
            target,
            predictions,
            strength=strength.assign_attrs(chance_spread=spread),
            settings=shipped(EvaluationSettings, segment=4.0, other_segments=()),
        )
        table = table[(table.model == "ridge") & (table.fold == "all")]
        found[spread] = table.set_index("measure").value
    width = {spread: one["r_high"] - one["r_low"] for spread, one in found.items()}
    assert width[2.0] == pytest.approx(2 * width[1.0])
    for end in ("low", "high"):
        name = f"identification_chance_{end}"
        assert found[2.0][name] == found[1.0][name], name
    assert found[1.0]["identification_chance_low"] < found[1.0]["identification_chance_high"]


def test_a_column_that_does_not_vary_drops_out_of_the_mean_and_is_counted():
    target, predictions, strength = arrays()
    still = predictions["ridge"].copy(deep=True)
    still[:, 10:] = 3.0
    table, voxels = score_unit(
        target,
        predictions | {"still": still},
        strength=strength,
        settings=shipped(EvaluationSettings, surrogates=50, draws=50),
    )
    found = table[table.fold == "all"].set_index(["model", "measure"])
    alone = float(voxels["r"].sel(model="ridge")[:10].mean())
    assert found.value["still", "r"] == pytest.approx(alone, abs=1e-6)
    assert found.n["still", "r"] == found.n["still", "p"] == 10
    assert np.isnan(voxels["q"].sel(model="still")[10:]).all()
    assert np.isfinite(voxels["q"].sel(model="still")[:10]).all()
    # Surrogates of all models and measures are kept, for the group.
    null = voxels["null"].sel(measure="r")
    assert np.isnan(null.sel(model="mean")).all()
    assert abs(float(null.sel(model="ridge").mean())) < 0.05
