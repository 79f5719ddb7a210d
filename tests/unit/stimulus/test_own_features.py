"""Tables that a lab brings: what is read, refused, and where it lands in time."""

import numpy as np
import pytest
import xarray as xr

from stim2bold.runtime.errors import InputError
from stim2bold.stimulus.film_length import film_length
from stim2bold.stimulus.own_features import gaps_of, own_features_at_volumes, read_own_features
from stim2bold.stimulus.timing import Timing

TIMING = Timing(TR=0.608, film_onset=0.3)


def at_volumes(table, duration=12.0):
    return own_features_at_volumes(table, timing=TIMING, duration=duration, attributes={})


def test_the_same_function_by_each_way_of_writing_is_the_same(tmp_path):
    times = np.arange(0, 12.01, 0.25)
    values = np.stack([np.sin(times), times], axis=1)
    rows = [f"{t:g}\t{a:.9f}\t{b:.9f}" for t, (a, b) in zip(times, values, strict=True)]
    (tmp_path / "a b.tsv").write_text("\n".join(["time\tsine\t<b>", *rows]) + "\n")
    np.save(tmp_path / "values.npy", values.astype(np.float32))
    np.save(tmp_path / "times.npy", times)
    xr.DataArray(
        values.T, dims=("feature", "time"), coords={"time": times, "feature": ["sine", "<b>"]}
    ).to_dataset(name="x").to_netcdf(tmp_path / "own.nc", engine="h5netcdf")
    by = [
        at_volumes(read_own_features(tmp_path / "a b.tsv")),
        at_volumes(read_own_features(tmp_path / "values.npy", tmp_path / "times.npy")),
        at_volumes(read_own_features(tmp_path / "own.nc")),
    ]
    assert list(by[0].feature.values) == list(by[2].feature.values) == ["sine", "<b>"]
    for one in by:
        np.testing.assert_allclose(one.values, by[0].values, atol=1e-5)
    # The second feature is time itself: its mean over a TR is the TR's middle.
    inner = (by[0]["time"] > 0.4) & (by[0]["time"] < 11.5)
    np.testing.assert_allclose(by[0].values[inner, 1], by[0]["time"].values[inner], atol=1e-4)


def test_events_count_while_they_last(tmp_path):
    (tmp_path / "e.tsv").write_text("onset\tduration\tarousal\n1\t2\t3\n2.5\t1\t10\n")
    found = at_volumes(read_own_features(tmp_path / "e.tsv"))
    times = np.arange(0, 14, 0.0005) - 0.3 + 0.00025
    slow = 3 * ((times >= 1) & (times < 3)) + 10 * ((times >= 2.5) & (times < 3.5))
    edges = TIMING.edges(len(found))
    expected = [
        slow[(times >= a) & (times < b)].mean() for a, b in zip(edges[:-1], edges[1:], strict=True)
    ]
    np.testing.assert_allclose(found.values[:, 0], expected, atol=0.02)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("time\tx\n0\t1\n0\t2\n", "do not increase in row 2"),
        ("time\tx\n0\t1\n1\tnan\n", "number"),
        ("x\ty\n0\t1\n", "has the column time"),
        ("time\n0\n", "no feature"),
        ("time\tx\n", "no row"),
        ("onset\tduration\tx\n0\t0\t1\n", "row 1 has no duration"),
    ],
)
def test_a_bad_table_is_one_line(tmp_path, text, said):
    path = tmp_path / "own.tsv"
    path.write_text(text)
    with pytest.raises(InputError, match=said) as refusal:
        read_own_features(path)
    assert str(refusal.value).startswith(f"{path}: ") and "\n" not in str(refusal.value)


def test_bad_arrays_are_one_line(tmp_path):
    np.save(tmp_path / "v.npy", np.array([{"a": 1}], dtype=object))
    np.save(tmp_path / "t.npy", np.arange(3.0))
    with pytest.raises(InputError, match="no array"):
        read_own_features(tmp_path / "v.npy", tmp_path / "t.npy")
    np.save(tmp_path / "v.npy", np.zeros((4, 2)))
    with pytest.raises(InputError, match=r"\(4, 2\)"):
        read_own_features(tmp_path / "v.npy", tmp_path / "t.npy")
    with pytest.raises(InputError, match="has no times"):
        read_own_features(tmp_path / "v.npy")


def test_a_gap_is_told(tmp_path):
    times = [0, 0.5, 1, 1.5, 2, 2.5, 9, 9.5]
    path = tmp_path / "own.tsv"
    path.write_text("time\tx\n" + "".join(f"{t}\t1\n" for t in times))
    assert gaps_of(read_own_features(path)) == [(2.5, 9.0)]


def test_the_length_of_a_film_without_a_file(tmp_path):
    events = tmp_path / "events.tsv"
    events.write_text("onset\tduration\ttrial_type\n2\t30\tmusic\n32\t30\tspeech\n70\t9\tn/a\n")
    own = tmp_path / "own.tsv"
    own.write_text("time\tx\n0\t1\n1\t2\n2\t3\n")
    tables = {"x": {"file": str(own)}}
    options = {"kinds": None, "onsets": [2.0]}
    assert film_length([events], tables, None, **options) == (60.0, "blocks")
    assert film_length([], tables, None, **options) == (2.5, "own_features")
    with pytest.raises(InputError, match="how long the film is"):
        film_length([], {}, None, **options)
