import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.stats import ttest_1samp

from stim2bold.evaluation.summary import summarise


def test_summary_has_one_row_a_direction_and_model():
    rows = []
    for unit, shift in (("sub-01", 0.0), ("sub-02", 0.1)):
        for model, r in (("mean", 0.0), ("ridge", 0.2), ("vae", 0.25)):
            for fold in ("0", "all"):
                rows.append((unit, "film2bold", model, fold, "r", r + shift * (model != "mean")))
            rows.append((unit, "film2bold", model, "all", "p", 0.01 if shift else 0.2))
    rows.append(("film", "video2audio", "vae", "all", "r", 0.5))
    rows.append(("film", "video2audio", "vae", "all", "p", 0.003))
    table = pd.DataFrame(rows, columns=["unit", "direction", "model", "fold", "measure", "value"])
    out = summarise(table.assign(unit_of_measure="correlation", n=10)).set_index(
        ["direction", "model"]
    )
    assert len(out) == 4
    vae = out.loc["film2bold", "vae"]
    assert vae.n == 2
    assert vae.r == pytest.approx(0.30)
    assert vae.r_spread == pytest.approx(np.std([0.25, 0.35], ddof=1))
    assert vae.skill_over_ridge == pytest.approx(0.05)
    assert vae.skill_over_mean == pytest.approx(0.30)
    assert np.isnan(out.loc["video2audio", "vae"].r_spread)
    # One unit has its own p; of several, the significant are counted.
    assert out.loc["video2audio", "vae"].p == 0.003
    assert np.isnan(out.loc["video2audio", "vae"].p_participants)
    assert vae.units_significant == 1
    # Participants as a random sample: Student's t.
    expected = ttest_1samp([0.25, 0.35], 0, alternative="greater").pvalue
    assert vae.p_participants == pytest.approx(expected)
    # What the film would give is known by the surrogates alone.
    assert np.isnan(vae.p)


def scores(values, *, direction="film2bold", measures=("r", "p")):
    rows = [
        (unit, direction, model, "all", measure, value)
        for unit, models in values.items()
        for model, found in models.items()
        for measure, value in zip(measures, found, strict=True)
    ]
    table = pd.DataFrame(rows, columns=["unit", "direction", "model", "fold", "measure", "value"])
    return table.assign(unit_of_measure="correlation", n=10)


def null(values, model="vae", measure="r"):
    return xr.DataArray(
        np.array(values)[None, None],
        dims=("model", "measure", "surrogate"),
        coords={"model": [model], "measure": [measure]},
    )


def test_of_the_film_as_a_sample_p_counts_the_means_of_the_same_surrogates():
    table = scores({"sub-01": {"vae": (0.3, 0.01)}, "sub-02": {"vae": (0.1, 0.3)}})
    drawn = np.linspace(-0.4, 0.4, 9)
    for other, above in ((drawn, 3), (-drawn, 0)):
        nulls = {("film2bold", "sub-01"): null(drawn), ("film2bold", "sub-02"): null(other)}
        row = summarise(table, nulls).iloc[0]
        # The mean is 0.2. Of surrogates that go together 0.2, 0.3 and 0.4 reach it; where one
        # goes up when the other goes down, none does.
        assert row.p == pytest.approx((1 + above) / 10)


def test_what_has_no_score_is_missing_in_the_summary():
    table = scores(
        {
            "sub-01": {"mean": (np.nan, np.nan), "vae": (0.3, 0.01)},
            "sub-02": {"mean": (np.nan, np.nan), "vae": (0.1, 0.3)},
        }
    )
    out = summarise(table).set_index("model")
    assert np.isnan(
        [out.loc["mean", name] for name in ("r", "r_spread", "p", "p_participants")]
    ).all()
    assert out.loc["mean", "units_significant"] == 0 and out.loc["mean", "n"] == 2
    assert "skill_over_mean" not in out.columns


def test_sound_is_headed_by_what_is_known_within_blocks_and_the_label_is_an_oracle():
    measures = ("r", "p", "r_within", "p_within")
    table = scores(
        {
            "sub-01": {
                "blocks": (0.32, 0.001, np.nan, np.nan),
                "ridge": (0.2, 0.001, 0.01, 0.4),
                "vae": (0.25, 0.001, 0.04, 0.1),
            }
        },
        direction="bold2audio",
        measures=measures,
    )
    out = summarise(table).set_index("model")
    assert list(out.loc[["blocks", "ridge", "vae"], "role"]) == ["oracle", "baseline", "model"]
    assert set(out.headline) == {"r_within"}
    assert out.loc["vae", "skill_over_ridge"] == pytest.approx(0.03)
    assert "skill_over_blocks" not in out.columns
    # Of BOLD the label is a baseline like any other.
    brain = summarise(table.assign(direction="film2bold")).set_index("model")
    assert brain.loc["blocks", "role"] == "baseline"
    assert brain.loc["vae", "skill_over_blocks"] == pytest.approx(-0.07)
