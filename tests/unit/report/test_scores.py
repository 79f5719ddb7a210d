import numpy as np
import pandas as pd
import pytest

from stim2bold.report import scores as report_scores

SUMMARY = pd.DataFrame(
    {
        "direction": ["film2bold"] * 4,
        "model": ["mean", "vae", "ridge", "own-model"],
        "n": [2, 2, 2, 2],
        "r": [np.nan, 0.21, 0.19, -0.05],
        "r_spread": [np.nan, 0.02, 0.01, 0.01],
        "r_low": [np.nan, 0.15, 0.12, -0.1],
        "r_high": [np.nan, 0.27, 0.26, 0.0],
        "p": [np.nan, 0.004, 0.25, 0.9],
        "p_participants": [np.nan, 0.03, 0.2, 0.8],
        "units_significant": [0, 2, 1, 0],
        "identification": [0.5, 0.83, 0.8, 0.5],
        "p_over_ridge": [np.nan, 0.25, np.nan, np.nan],
    }
)
CEILING = pd.DataFrame(
    [("a", 0.1, 0.05, 0.15, 9), ("b", 0.74, 0.25, 0.95, 9)],
    columns=["unit", "r", "r_low", "r_high", "n"],
)


def test_models_stand_in_their_order_and_unknown_ones_at_the_end():
    columns = report_scores.model_columns(SUMMARY)
    assert list(columns) == ["vae", "ridge", "mean", "own-model"]
    assert columns["own-model"] == "own-model"


def test_cells_hold_the_scores_and_their_share_of_the_largest():
    (row,) = report_scores.verdict_table(SUMMARY, CEILING)
    assert row["n"] == 2 and row["models"]["mean"]["r"] is None
    # The largest number is the upper end of the ceiling's interval, 0.55.
    assert row["ceiling"]["r"] == pytest.approx(0.42) and row["ceiling"]["high_share"] == 1
    assert row["ceiling"]["share"] == pytest.approx(0.42 / 0.55)
    vae = row["models"]["vae"]
    shares = [vae[name] for name in ("low_share", "share", "high_share")]
    assert shares == pytest.approx([0.15 / 0.55, 0.21 / 0.55, 0.27 / 0.55])
    assert row["models"]["own-model"]["share"] == 0, "a bar has no negative length"
    assert row["models"]["vae"]["p"] == 0.004
    (row,) = report_scores.verdict_table(SUMMARY, None)
    assert row["ceiling"] is None and row["models"]["vae"]["high_share"] == 1
    (row,) = report_scores.verdict_table(SUMMARY.assign(direction="bold2audio"), CEILING)
    assert row["ceiling"] is None, "what others' brains tell is no ceiling of sound"


def test_verdict_compares_with_the_best_baseline():
    assert report_scores.verdict(SUMMARY.set_index("model")) == (
        "The VAE (r = 0.210) is 0.020 above the best baseline, ridge (r = 0.190; p of being above "
        "it 0.250, participants as the sample). The VAE: p = 0.004 for the film as a random "
        "sample; p = 0.030 for participants as one; significant in 2 of 2 participants."
    )
    alone = SUMMARY.drop(columns="p_over_ridge").set_index("model")
    assert "ridge (r = 0.190). The VAE" in report_scores.verdict(alone)


def test_sound_is_judged_within_blocks_and_the_label_stands_apart():
    summary = SUMMARY.assign(direction="bold2audio", r_within=[np.nan, 0.01, 0.03, -0.1])
    summary["p_within"], summary["identification_within"] = [np.nan, 0.3, 0.2, 0.8], 0.52
    label = summary.iloc[[2]].assign(model="blocks", r=0.316, r_within=np.nan, p_within=np.nan)
    summary = pd.concat([summary, label], ignore_index=True)
    (row,) = report_scores.verdict_table(summary, None)
    assert row["models"]["vae"]["r"] == 0.01 and row["models"]["vae"]["p"] == 0.3
    assert row["models"]["vae"]["identification"] == 0.52 and not row["models"]["vae"]["oracle"]
    assert row["models"]["blocks"]["r"] == 0.316 and row["models"]["blocks"]["oracle"]
    assert "within blocks" in row["headline"]
    assert "(r within blocks = 0.010) is 0.020 below the best baseline, ridge" in row["verdict"]
    assert "An oracle, the block label" in row["verdict"] and "r = 0.316" in row["verdict"]
    (brain,) = report_scores.verdict_table(summary.assign(direction="film2bold"), None)
    assert "best baseline, block label (r = 0.316" in brain["verdict"]
    assert not brain["models"]["blocks"]["oracle"]


def test_verdict_without_a_vae_or_a_baseline():
    rows = SUMMARY.set_index("model")
    assert "no score" in report_scores.verdict(rows.loc[["ridge"]])
    assert "no baseline" in report_scores.verdict(rows.loc[["vae", "mean"]])


def test_the_ceiling_is_told_or_said_to_be_missing():
    sentence = report_scores.ceiling_sentence(CEILING)
    assert "r = 0.420 (0.150 to 0.550" in sentence and "lower bound" in sentence
    assert "not available" in report_scores.ceiling_sentence(CEILING[:0])
    assert report_scores.ceiling_sentence(None) is None


def test_a_participants_scores_are_those_over_all_folds():
    table = pd.DataFrame(
        [("vae", fold, "r", r) for fold, r in (("0", 0.9), ("all", 0.2))]
        + [("vae", "all", "p", 0.01), ("ridge", "all", "r", 0.1)],
        columns=["model", "fold", "measure", "value"],
    )
    scores = report_scores.unit_scores(table, "film2bold")
    assert scores["vae"]["r"] == 0.2 and scores["vae"]["p"] == 0.01
    assert scores["ridge"]["p"] is None


def test_shares_are_averaged_over_participants_in_their_order():
    tables = [
        pd.DataFrame({"space": ["b", "a"], "share": [0.6, 0.4], "low": 0.1, "high": [0.9, np.nan]}),
        pd.DataFrame({"space": ["b", "a"], "share": [0.8, 0.2], "low": 0.3, "high": [0.7, np.nan]}),
    ]
    first, second = report_scores.partition_rows(tables)
    expected = {"space": "b", "n": 2, "of": 2, "share": 0.7, "low": 0.2, "high": 0.8}
    assert first == pytest.approx(expected)
    assert second["share"] == pytest.approx(0.3) and second["high"] is None
    assert report_scores.partition_rows([]) == []


def test_shares_are_those_of_participants_who_have_them():
    some = pd.DataFrame({"space": ["b", "a"], "share": [0.6, 0.4], "low": 0.1, "high": 0.9})
    none = some.assign(share=np.nan, low=np.nan, high=np.nan)
    first, _ = report_scores.partition_rows([none, some, none])
    assert (first["n"], first["of"], first["share"]) == (1, 3, 0.6)
    first, _ = report_scores.partition_rows([none, none])
    assert first["n"] == 0 and first["share"] is None


def test_of_decoding_the_mean_over_labels_and_the_clips_are_told():
    columns = ["decoding", "origin", "item", "measure", "n", "value", "chance", "p"]
    table = pd.DataFrame(
        [
            ("labels", "bold", "all", "average_precision", 3, 0.4, 0.3, 0.02, 2),
            ("labels", "bold", "all", "labels_decoded", 3, 30, np.nan, np.nan, np.nan),
            ("labels", "bold", "face", "average_precision", 3, 0.5, 0.3, 0.01, 3),
            ("clips", "bold", "film", "top1", 3, 0.2, 0.1, np.nan, np.nan),
        ],
        columns=[*columns, "units_significant"],
    )
    labels, clips = report_scores.decoding_rows(table)
    assert labels["what"] == "labels" and labels["units"] == 2 and labels["n"] == 3
    assert clips["measure"] == "right clip first" and clips["units"] is None and clips["p"] is None
    assert report_scores.decoding_rows(None) == []
    pooled = table.drop(columns="units_significant").assign(brains=4, groups=20)
    labels, _ = report_scores.decoding_rows(pooled)
    assert (labels["brains"], labels["groups"], labels["units"]) == (4, 20, None)


def test_brains_together_by_their_number():
    measures = ("r_within", "identification", "identification_within")
    table = pd.DataFrame(
        [
            ("bold2audio", model, brains, 3 if brains == 1 else 1, measure, n + brains, 0.2, 0.04)
            for model in ("vae", "ridge")
            for brains in (1, 3)
            for n, measure in enumerate(measures)
        ],
        columns=["direction", "model", "brains", "groups", "measure", "value", "chance_low", "p"],
    ).assign(chance_high=0.8)
    one, all_three = report_scores.pooled_rows(table)
    assert (one["brains"], one["groups"], all_three["brains"]) == (1, 3, 3)
    assert list(one["models"]) == ["vae", "ridge"]
    # Within blocks, where there is that.
    assert all_three["models"]["vae"] == {
        **{"r": 3, "value": 5, "chance_low": 0.2, "chance_high": 0.8},
        "p": 0.04,
    }
    bare = table[table["measure"] != "identification_within"]
    assert report_scores.pooled_rows(bare)[0]["models"]["ridge"]["value"] == 2
    assert report_scores.pooled_rows(None) == []
