import dataclasses

import numpy as np
import pandas as pd
import pytest
from planted_labels import CONTENT
from planted_problem import TR

from stim2bold.decoding.clips import Retrieval
from stim2bold.decoding.pooled import mean_timeline, pool_clips, pool_labels, pooled_table
from stim2bold.models.circular_shifts import block_period
from stim2bold.models.folds import read_folds

PERIOD = block_period(CONTENT)
LABELS = {"spread": 1.0, "fewest": 10, "period": PERIOD, "seed": 0}
CLIPS = {"seconds": 6.0, "tr": TR, "period": PERIOD, "draws": 200, "seed": 0}


def held_out():
    """Rows in order of time, and the fold of each."""
    pairs = [(row, fold.number) for fold in read_folds(CONTENT) for row in fold.test]
    return np.array(sorted(pairs)).T


def slow(rng, n, columns):
    """Courses that change within seconds."""
    steps = rng.standard_normal((n + 8, columns))
    return np.array([np.convolve(one, np.ones(8), "valid")[:n] for one in steps.T]).T / 3


def timelines(n_brains, *, knows, seed=0):
    """Decoders of as many brains, each with errors of its own."""
    rng = np.random.default_rng(seed)
    rows, fold = held_out()
    course = slow(rng, len(rows), 2)
    tables = []
    for _ in range(n_brains):
        odds = knows * course + 3 * slow(rng, len(rows), 2)
        for one in range(2):
            tables.append(
                pd.DataFrame(
                    {
                        "onset": rows * TR,
                        "duration": TR,
                        "fold": fold,
                        "label": f"label {one}",
                        "probability": 1 / (1 + np.exp(-odds[:, one])),
                        "present": (course[:, one] > 0.8).astype(int),
                    }
                )
            )
    return [pd.concat(tables[i : i + 2], ignore_index=True) for i in range(0, len(tables), 2)]


def retrievals(n_brains, *, knows, seed=0):
    """What as many brains say of the film, with errors and components of their own."""
    rng = np.random.default_rng(seed)
    rows, fold = held_out()
    film = slow(rng, len(rows), 4)
    found = []
    for _ in range(n_brains):
        # Each participant's training rows have components of their own: the same space, turned.
        turned = np.linalg.qr(rng.standard_normal((4, 4)))[0]
        told = (knows * film + 3 * slow(rng, len(rows), 4)) @ turned
        shown = {int(number): film @ turned for number in np.unique(fold)}
        found.append(Retrieval(told, rows, fold, shown, spread=1.0))
    return found


def test_log_odds_are_averaged_where_all_tell_of_a_label():
    first = pd.DataFrame({"label": "a", "onset": [0.0, 1.0, 2.0], "probability": [0.2, 0.5, 0.9]})
    second = pd.DataFrame({"label": ["a", "a", "b"], "onset": [1.0, 0.0, 0.0]})
    second["probability"] = [0.8, 0.2, 0.4]
    table = mean_timeline([first, second])
    assert table["onset"].tolist() == [0.0, 1.0] and set(table["label"]) == {"a"}
    # Odds of 1 and 4: their geometric mean is 2.
    assert table["probability"].tolist() == pytest.approx([0.2, 2 / 3])


def test_labels_are_told_better_together():
    table = pooled_table(list(pool_labels(timelines(8, knows=1.0), **LABELS)))
    assert table["brains"].tolist() == [1, 2, 4, 8] and table["groups"].tolist() == [8, 20, 20, 1]
    assert table["value"].is_monotonic_increasing
    assert table["value"].iloc[-1] > table["value"].iloc[0] + 0.1
    last = table.iloc[-1]
    assert last["p"] < 0.01 and last["n"] == 2 and last["low"] == last["high"] == last["value"]
    assert table["chance"].between(0.05, 0.5).all()


def test_labels_that_nobody_knows_are_not_known_together():
    p = [
        row["p"]
        for seed in range(20)
        for row in pool_labels(timelines(3, knows=0.0, seed=seed), **LABELS)
        if row["brains"] == 3
    ]
    assert sum(one < 0.05 for one in p) <= 4 and np.mean(p) == pytest.approx(0.5, abs=0.2)


def test_clips_are_found_better_together():
    table = pooled_table(list(pool_clips(retrievals(8, knows=1.0), **CLIPS)))
    for candidates in ("fold", "film"):
        own = table[(table["item"] == candidates) & (table["measure"] == "top1")]
        assert own["brains"].tolist() == [1, 2, 4, 8]
        assert own["value"].iloc[0] < own["value"].iloc[-1]
        assert own["value"].iloc[-1] > 2 * own["chance"].iloc[-1] and own["p"].iloc[-1] < 0.01


def test_clips_that_nobody_knows_are_not_known_together():
    p = [
        row["p"]
        for seed in range(20)
        for row in pool_clips(retrievals(2, knows=0.0, seed=seed), **CLIPS)
        if (row["brains"], row["measure"], row["item"]) == (2, "reciprocal_rank", "fold")
    ]
    assert sum(one < 0.05 for one in p) <= 4 and np.mean(p) == pytest.approx(0.5, abs=0.2)


def test_only_what_all_have_is_pooled(caplog):
    whole = retrievals(2, knows=1.0)
    short = whole[0].at(whole[0].rows[:300])
    assert len(short.rows) == 300 and short.film[0].shape == (300, 4)
    # What the second says where the first says nothing does not count.
    values = whole[1].values.copy()
    values[300:] = 0
    other = dataclasses.replace(whole[1], values=values)
    one, two = (pooled_table(list(pool_clips([short, x], **CLIPS))) for x in (whole[1], other))
    pd.testing.assert_frame_equal(one, two)
    assert "on 300 held-out volumes that all participants have" in caplog.text
    apart = [whole[0].at(whole[0].rows[:300]), whole[1].at(whole[1].rows[300:])]
    assert pooled_table(list(pool_clips(apart, **CLIPS))).empty


def test_without_a_label_in_common_none_is_scored():
    first, second = timelines(2, knows=1.0)
    apart = [first, second.assign(label=second["label"] + " of another")]
    for tables in (apart, [first, second[:0]]):
        table = pooled_table(list(pool_labels(tables, **LABELS)))
        assert (table["n"] == 0).all() and table[["value", "p"]].isna().all(axis=None)
