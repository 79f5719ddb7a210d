import pandas as pd
import pytest

from stim2bold.runtime.errors import InputError
from stim2bold.stimulus.blocks import cut_film, join_runs, to_film
from stim2bold.study.onsets import film_onset


def table(*rows):
    return pd.DataFrame(rows, columns=["onset", "offset", "trial_type"])


def test_one_run_keeps_its_blocks_as_they_are():
    blocks = table((0.0, 30.0, "music"), (30.0, 60.0, "speech"), (60.0, 89.728, "music"))
    joined = join_runs([to_film(blocks, 2.5)], film_onset=2.5)
    assert list(joined["onset"]) == [0, 30, 60]
    assert list(joined["duration"]) == [30, 30, 29.728]
    assert list(joined["trial_type"]) == ["music", "speech", "music"]


def test_blocks_of_one_run_that_adjoin_stay_two():
    blocks = table((0.0, 30.0, "film"), (30.0, 60.0, "film"))
    assert len(join_runs([blocks], film_onset=0.0)) == 2


def test_a_block_that_runs_cut_is_one_again():
    # The film stops at 45 s and goes on, with the last 5 s repeated, 10 s into the second scan.
    first = to_film(table((2.0, 32.0, "music"), (32.0, 47.0, "speech")), 2.0)
    second = to_film(table((10.0, 30.0, "speech"), (30.0, 60.0, "music")), -30.0)
    joined = join_runs([first, second], film_onset=2.0)
    assert [tuple(row) for row in joined.to_numpy().tolist()] == [
        (2.0, 30.0, "music"),
        (32.0, 30.0, "speech"),
        (62.0, 30.0, "music"),
    ]


def test_an_unmarked_film_is_cut_in_stretches():
    blocks = cut_film(100.0, 30.0, film_onset=1.0)
    assert list(blocks["onset"]) == [1, 31, 61]
    assert list(blocks["duration"]) == [30, 30, 40]


@pytest.mark.parametrize(
    ("name", "onset"),
    [
        ("sub-01_task-film_run-1", 0.0),
        ("sub-01_task-film_run-02", -200.0),
        ("sub-04_ses-b_task-film_run-2", -198.5),
        ("sub-04_task-film_run-1", 0.0),
    ],
)
def test_the_most_particular_onset_holds(name, onset):
    setting = {"all": 0.0, "run-2": -200.0, "sub-04_run-2": -198.5}
    assert film_onset(name, None, setting) == onset
    assert film_onset(name, None, 3) == 3.0


def test_onsets_come_from_events(tmp_path):
    events = tmp_path / "events.tsv"
    events.write_text("onset\tduration\tfilm_time\n1.0\t0\tn/a\n12.5\t3\t210.0\n")
    assert film_onset("sub-1_task-film", events, "events") == -197.5
    events.write_text("onset\tduration\n1.0\t0\n")
    with pytest.raises(InputError, match="film_time"):
        film_onset("sub-1_task-film", events, "events")
    with pytest.raises(InputError, match="has no events"):
        film_onset("sub-1_task-film", None, "events")
    with pytest.raises(InputError, match="no entry for sub-1_task-film"):
        film_onset("sub-1_task-film", None, {"run-1": 0.0})
