import numpy as np
import pandas as pd

from stim2bold.decoding_summary import summarise_decoding


def label_table(unit, precision, q):
    rows = [
        ("face", "all", "decoded", "average_precision", precision),
        ("face", "all", "decoded", "chance", 0.3),
        ("face", "all", "decoded", "p", 0.01),
        ("face", "all", "decoded", "q", q),
        ("face", "all", "decoded", "brier_skill", 0.2),
        ("face", "0", "decoded", "average_precision", 0.99),
        ("rain", "all", "too rare to fit", "rows_present", 4),
        ("all", "all", "decoded", "average_precision", precision),
        ("all", "all", "decoded", "chance", 0.3),
    ]
    table = pd.DataFrame(rows, columns=["label", "fold", "status", "measure", "value"])
    return table.assign(unit=unit, origin="bold")


def clip_table(unit, rank, p):
    return pd.DataFrame(
        {
            "unit": unit,
            "candidates": "film",
            "measure": ["median_rank"],
            "value": [rank],
            "chance": 20.0,
            "p": p,
        }
    )


def test_units_are_averaged_and_tested_against_chance():
    labels = pd.concat([label_table(f"sub-{i}", 0.6 + 0.01 * i, 0.04) for i in range(6)])
    clips = pd.concat([clip_table(f"sub-{i}", 10.0 + i, 0.01 * i) for i in range(8)])
    table = summarise_decoding(labels, clips).set_index(["item", "measure"])
    face = table.loc[("face", "average_precision")]
    assert face["n"] == 6 and np.isclose(face["value"], 0.625) and face["chance"] == 0.3
    assert np.isclose(face["spread"], np.std(0.01 * np.arange(6), ddof=1))
    # All six above chance: one of 64 flips is as good.
    assert 0.008 < face["p"] < 0.025 and face["units_significant"] == 6
    assert ("rain", "average_precision") not in table.index
    assert np.isnan(table.loc[("all", "average_precision"), "units_significant"])
    rank = table.loc[("film", "median_rank")]
    assert rank["p"] < 0.02 and rank["units_significant"] == 5 and rank["value"] == 13.5


def test_one_unit_keeps_its_own_p_and_nothing_is_nothing():
    table = summarise_decoding(label_table("film", 0.9, 0.2), pd.DataFrame())
    face = table.set_index(["item", "measure"]).loc[("face", "average_precision")]
    assert face["p"] == 0.01 and np.isnan(face["spread"]) and face["units_significant"] == 0
    assert summarise_decoding(pd.DataFrame(), pd.DataFrame()).empty
