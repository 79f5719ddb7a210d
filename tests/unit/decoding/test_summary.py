import numpy as np
import pandas as pd
from scipy.stats import kstest, ttest_1samp

from stim2bold.decoding.summary import film_p, summarise_decoding


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
    expected = ttest_1samp(0.3 + 0.01 * np.arange(6), 0, alternative="greater").pvalue
    assert np.isclose(face["p_participants"], expected) and face["units_significant"] == 6
    # Of the film as a sample nothing is known without its shifts.
    assert np.isnan(face["p"])
    assert ("rain", "average_precision") not in table.index
    assert np.isnan(table.loc[("all", "average_precision"), "units_significant"])
    rank = table.loc[("film", "median_rank")]
    assert rank["p_participants"] < 0.02 and rank["units_significant"] == 5
    assert rank["value"] == 13.5 and np.isnan(rank["p"])


def test_the_film_as_a_sample_is_judged_by_the_same_draws_in_all_units():
    clips = pd.concat([clip_table(f"sub-{i}", 10.0, 0.01) for i in range(2)])
    drawn = [pd.Series([8.0, 12.0, 20.0, 30.0]), pd.Series([30.0, 20.0, 12.0, 9.0])]
    nulls = pd.concat(
        pd.DataFrame({"draw": range(4), "value": values}).assign(
            unit=f"sub-{i}", candidates="film", measure="median_rank"
        )
        for i, values in enumerate(drawn)
    )
    p = summarise_decoding(pd.DataFrame(), clips, nulls=nulls)["p"].iloc[0]
    # Each unit has a shift below 10 (smaller is better); their mean has none.
    assert p == 1 / 5
    labels = pd.concat([label_table(f"sub-{i}", 0.6, 0.04) for i in range(2)])
    table = summarise_decoding(labels, pd.DataFrame(), film={"bold": {"face": 0.3}})
    assert table.set_index("item").loc["face", "p"].iloc[0] == 0.3


def timelines_of(seed, *, knows=0.0, n=240, units=6):
    """Decoders of as many units that err alike, and know the label or not."""
    rng = np.random.default_rng(seed)
    onset, fold = np.arange(n) * 1.0, np.repeat(range(4), n // 4)
    course = np.convolve(rng.standard_normal(n), np.ones(8), "same")
    common = np.convolve(rng.standard_normal(n), np.ones(8), "same")
    odds = [knows * course + common + rng.standard_normal(n) for _ in range(units)]
    whole = {"onset": onset, "fold": fold, "label": "face", "present": (course > 1.5).astype(int)}
    return [pd.DataFrame(whole).assign(probability=1 / (1 + np.exp(-one))) for one in odds]


def test_what_a_wrong_film_shows_in_everybody_is_not_found():
    # All decoders err alike: they saw the same film, which has nothing to do with the label.
    found = [film_p(timelines_of(seed), spread=1.0) for seed in range(200)]
    p = np.array([one["face"] for one in found])
    assert kstest(p, "uniform").pvalue > 0.01
    # The tail, too: 2 of 200 expected.
    assert (p < 0.01).sum() <= 6
    assert film_p(timelines_of(0, knows=1.0), spread=1.0)["face"] < 1e-4


def test_labels_and_their_mean_are_judged_where_all_units_have_them():
    first, second = timelines_of(1, knows=1.0), timelines_of(2)
    both = [
        pd.concat([one, other.assign(label="rain")])
        for one, other in zip(first, second, strict=True)
    ]
    found = film_p(both, spread=1.3)
    assert found.keys() == {"face", "rain", "all"}
    assert found["face"] < found["all"] < found["rain"]
    short = [both[0], both[1][both[1]["label"] == "face"]]
    assert film_p(short, spread=1.3).keys() == {"face", "all"}


def test_one_unit_keeps_its_own_p_and_nothing_is_nothing():
    table = summarise_decoding(label_table("film", 0.9, 0.2), pd.DataFrame())
    face = table.set_index(["item", "measure"]).loc[("face", "average_precision")]
    assert face["p"] == 0.01 and np.isnan(face["spread"]) and face["units_significant"] == 0
    assert summarise_decoding(pd.DataFrame(), pd.DataFrame()).empty
