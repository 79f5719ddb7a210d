import numpy as np
import pandas as pd
import pytest
import xarray as xr
from shipped import shipped

from stim2bold.evaluation.judging import EvaluationSettings
from stim2bold.evaluation.pooled import groups, score_pooled, sizes

N_ROWS, N_BANDS = 240, 6
SETTINGS = shipped(EvaluationSettings, segment=10.0, surrogates=200)


def test_sizes():
    assert [sizes(n) for n in (1, 2, 3, 8, 30)] == [
        *([1], [1, 2], [1, 2, 3], [1, 2, 4, 8]),
        [1, 2, 4, 8, 16, 30],
    ]


def test_groups_are_all_there_are_or_some_that_differ():
    assert groups(3, 2, seed=1) == [(0, 1), (0, 2), (1, 2)]
    drawn = groups(30, 8, seed=1)
    assert len(set(drawn)) == len(drawn) == 20
    assert all(len(set(group)) == 8 for group in drawn)
    assert drawn == groups(30, 8, seed=1) != groups(30, 8, seed=2)


def film(n_brains, *, noise, seed=0):
    """Return sound, its kinds of block, and predictions with each brain's own noise."""
    rng = np.random.default_rng(seed)
    shape = (N_ROWS, 1, N_BANDS)
    coords = {
        "time": np.arange(N_ROWS) + 0.5,
        "row": ("time", np.arange(N_ROWS)),
        "fold": ("time", np.repeat([0, 1], N_ROWS // 2)),
    }
    like = {"dims": ("time", "frame", "mel"), "coords": coords}
    kind = np.arange(N_ROWS) // 30 % 2
    blocks = xr.DataArray(np.broadcast_to(kind[:, None, None] * 1.0, shape).copy(), **like)
    target = xr.DataArray(rng.standard_normal(shape), **like) + 3 * blocks
    mean = xr.zeros_like(target)
    own = [target + noise * rng.standard_normal(shape) for _ in range(n_brains)]
    none = [xr.DataArray(rng.standard_normal(shape), **like) for _ in range(n_brains)]
    predictions = {
        "mean": [mean] * n_brains,
        "blocks": [blocks] * n_brains,
        "known": own,
        "none": none,
    }
    kinds = xr.DataArray(np.stack([kind == 0, kind == 1], axis=1) * 1.0)
    return target, predictions, kinds


def of(table: pd.DataFrame, model: str, measure: str) -> pd.DataFrame:
    """Return one measure of a model, by number of brains."""
    part = table[(table["model"] == model) & (table["measure"] == measure)]
    return part.set_index("brains")


def test_brains_with_noise_of_their_own_tell_more_together():
    target, predictions, kinds = film(8, noise=4.0)
    table = score_pooled(target, predictions, kinds=kinds, settings=SETTINGS)
    assert set(table["model"]) == {"known", "none"}
    within = of(table, "known", "r_within")
    # Of signal of unit variance beneath noise of which averaging leaves one part in n.
    for n in (1, 2, 4, 8):
        assert within["value"][n] == pytest.approx(1 / np.sqrt(1 + 16 / n), abs=0.05)
    assert within["groups"].to_dict() == {1: 8, 2: 20, 4: 20, 8: 1}
    assert (within["low"] <= within["value"]).all() and within["low"][8] == within["high"][8]
    told = of(table, "known", "identification_within")
    assert told["value"][1] < told["value"][4] <= told["value"][8] and told["p"][8] < 0.01
    assert told["chance_low"][8] < 0.5 < told["chance_high"][8]
    # The kind of block alone makes r, and tells no segment from others of its kind.
    assert of(table, "known", "r")["value"][1] > within["value"][1] + 0.1


def test_brains_that_know_nothing_know_nothing_together():
    target, predictions, kinds = film(8, noise=4.0)
    table = score_pooled(target, predictions, kinds=kinds, settings=SETTINGS)
    assert abs(of(table, "none", "r_within")["value"]).max() < 0.1
    assert of(table, "none", "identification_within")["p"].min() > 0.05


def test_all_sizes_are_scored_on_the_rows_that_all_have(caplog):
    target, predictions, kinds = film(2, noise=1.0)
    short = {name: [one[:200] for one in parts] for name, parts in predictions.items()}
    both = score_pooled(target, short, kinds=kinds, settings=SETTINGS)
    assert not caplog.records
    # What the second says where the first says nothing does not count.
    one_is = {name: [short[name][0], parts[1]] for name, parts in predictions.items()}
    one = score_pooled(target, one_is, kinds=kinds, settings=SETTINGS)
    pd.testing.assert_frame_equal(one, both)
    assert set(one["volumes"]) == {200}
    assert "on 200 held-out volumes that all participants have, of 200 to 240" in caplog.text


def test_without_a_row_in_common_nothing_is_scored(caplog):
    target, predictions, kinds = film(2, noise=1.0)
    apart = {name: [parts[0][:120], parts[1][120:]] for name, parts in predictions.items()}
    table = score_pooled(target, apart, kinds=kinds, settings=SETTINGS)
    assert table.empty and "measure" in table and "on 0 held-out volumes" in caplog.text
