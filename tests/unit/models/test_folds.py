import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shipped import shipped

from stim2bold.models.circular_shifts import block_period
from stim2bold.models.folds import FoldSettings, as_ranges, from_ranges, make_folds, read_folds
from stim2bold.runtime.errors import InputError

TR = 0.608


def blocks(n, seconds, last=None):
    durations = [seconds] * n
    durations[-1] = last or seconds
    kinds = (["music", "speech"] * n)[:n]
    onsets = np.arange(n) * seconds
    return pd.DataFrame({"onset": onsets, "duration": durations, "trial_type": kinds})


@pytest.mark.parametrize(
    ("seconds", "n_rows", "last"), [(30.0, 641, 29.728), (12.0, 256, None), (30.0, 642, 29.728)]
)
def test_both_shapes_of_the_data_set(seconds, n_rows, last):
    content = make_folds(
        blocks(13, seconds, last),
        n_rows=n_rows,
        tr=TR,
        film_onset=0.0,
        settings=shipped(FoldSettings),
    )
    folds = read_folds(content)
    assert len(folds) == 6
    # Every row of the film is tested once; the odd music block is with the last pair.
    tested = np.concatenate([fold.test for fold in folds])
    assert sorted(tested) == list(range(n_rows))
    assert content["folds"][-1]["blocks"] == ["music", "speech", "music"]
    assert content["folds"][0]["blocks"] == ["music", "speech"]
    for fold in folds:
        distance = np.abs(fold.train[:, None] - fold.test[None]).min(axis=1)
        # From the edge of a training row to the edge of the nearest test row, at worst half a TR
        # inside the interval: middle to middle at least gap + TR / 2.
        assert distance.min() * TR >= 12.0
        everything = np.concatenate([fold.train, fold.test, fold.gap])
        assert sorted(everything) == list(range(n_rows))
        inner_tests = np.concatenate([split.test for split in fold.inner])
        assert sorted(inner_tests) == list(fold.train)
        for split in fold.inner:
            assert set(split.train) <= set(fold.train)
            gap = np.abs(split.train[:, None] - split.test[None]).min()
            assert gap * TR >= 12.0


def test_a_long_film_has_folds_of_several_neighbouring_pairs():
    content = make_folds(
        blocks(240, 30.0), n_rows=11842, tr=TR, film_onset=0.0, settings=shipped(FoldSettings)
    )
    folds = read_folds(content)
    assert len(folds) == 12
    assert [fold.intervals[0] for fold in folds] == [
        (600.0 * i, 600.0 * (i + 1)) for i in range(12)
    ]
    assert len(content["folds"][0]["blocks"]) == 20
    # Blocks come again after a pair, whatever is held out together.
    assert block_period(content) == 60.0
    tested = np.concatenate([fold.test for fold in folds])
    assert sorted(tested) == list(range(11842))
    for fold in folds:
        assert np.abs(fold.train[:, None] - fold.test[[0, -1]]).min() * TR >= 12.0
    # As many pairs as folds, or fewer, are held out one by one.
    few = make_folds(
        blocks(24, 30.0), n_rows=1184, tr=TR, film_onset=0.0, settings=shipped(FoldSettings)
    )
    assert [fold["interval"] for fold in few["folds"]][1] == [60.0, 120.0]


def test_film_that_starts_after_the_scan():
    onset = 6.08
    events = blocks(8, 30.0).assign(onset=lambda table: table.onset + onset)
    content = make_folds(
        events, n_rows=405, tr=TR, film_onset=onset, settings=shipped(FoldSettings)
    )
    folds = read_folds(content)
    assert content["folds"][0]["interval"] == [0.0, 60.0]
    # Ten volumes pass before the film: they belong to nothing.
    assert folds[0].test[0] == 10
    used = np.concatenate([np.concatenate([f.train, f.test, f.gap]) for f in folds])
    assert used.min() == 10


def test_refusals():
    with pytest.raises(InputError, match="three"):
        make_folds(
            blocks(5, 30.0), n_rows=246, tr=TR, film_onset=0.0, settings=shipped(FoldSettings)
        )
    with pytest.raises(InputError, match="reach"):
        shipped(FoldSettings, gap=12.0, reach=14.0)
    with pytest.raises(InputError, match="nothing is left"):
        make_folds(
            blocks(6, 12.0),
            n_rows=118,
            tr=TR,
            film_onset=0.0,
            settings=shipped(FoldSettings, gap=50.0, reach=12.0),
        )
    with pytest.raises(TypeError):
        shipped(FoldSettings, gaps=12.0)


@settings(max_examples=50, deadline=None)
@given(st.sets(st.integers(0, 60)))
def test_ranges_hold_the_same_rows(rows):
    rows = sorted(rows)
    ranges = as_ranges(np.array(rows, dtype=int))
    assert list(from_ranges(ranges)) == rows
    assert all(a[1] < b[0] for a, b in zip(ranges, ranges[1:], strict=False))
