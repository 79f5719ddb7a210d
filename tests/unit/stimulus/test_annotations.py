import csv

import numpy as np
import pandas as pd
import pytest
from shipped import shipped

from stim2bold.runtime.errors import InputError
from stim2bold.stimulus.annotations import (
    AnnotationSettings,
    code_events,
    read_blocks,
    read_events,
    read_folder,
    tabulate,
    tabulate_blocks,
)
from stim2bold.stimulus.timing import Timing


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_names_with_spaces_and_order(tmp_path):
    write(tmp_path / "video" / "video_annotation_facial expression.tsv", "onset\toffset\n1\t2\n")
    write(tmp_path / "video" / "video_annotation_dog.tsv", "onset\toffset\n")
    write(tmp_path / "sound" / "sound_annotation_words.tsv", "item\tonset\toffset\nnull\t0\t.5\n")
    tables = read_folder(tmp_path)
    assert list(tables) == ["video/dog", "video/facial expression", "sound/words"]
    # Dutch for zero, not a missing value.
    assert tables["sound/words"]["item"].tolist() == ["null"]
    rows = tabulate(tables, shipped(AnnotationSettings), timing=Timing(TR=1.0), duration=3.0)
    np.testing.assert_allclose(rows.values, [[0, 0, 0.5], [0, 1, 0], [0, 0, 0]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("onset\toffset\tvalence\n1\t2\t3\n", "unknown column.*valence"),
        ("onset\titem\n1\tx\n", "no column offset"),
        ("onset\toffset\n1\tlate\n", "offset in line 2 is 'late'"),
        ("onset\toffset\n1\t2\n3\t2.5\n", "line 3 ends .2.5. before it begins"),
        ("", "not a tab-separated table"),
    ],
)
def test_unusable_tables_are_named(tmp_path, text, message):
    path = write(tmp_path / "video" / "video_annotation_x.tsv", text)
    with pytest.raises(InputError, match=message) as caught:
        read_folder(tmp_path)
    assert str(path) in str(caught.value)


def test_item_belongs_to_sound(tmp_path):
    path = write(tmp_path / "t.tsv", "item\tonset\toffset\na\t1\t2\n")
    assert len(read_events(path, "sound")) == 1
    with pytest.raises(InputError, match="unknown column.*item"):
        read_events(path, "video")


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="holds no annotation"):
        read_folder(tmp_path)


def test_codings_of_overlapping_and_clipped_events():
    onsets, offsets = np.array([0.5, 1.0, 1.2, 3.5]), np.array([2.5, 1.5, 1.4, 9.0])
    edges = np.arange(5.0)
    np.testing.assert_allclose(code_events(onsets, offsets, edges, "coverage"), [0.5, 1, 0.5, 0.5])
    np.testing.assert_allclose(code_events(onsets, offsets, edges, "onset"), [1, 2, 0, 1])
    np.testing.assert_allclose(code_events(onsets, offsets, edges, "duration"), [2, 0.7, 0, 0.5])


def test_annotations_stay_with_the_film_when_it_starts_late():
    tables = {"video/x": pd.DataFrame({"onset": [2.0], "offset": [4.0]})}
    timing = Timing(TR=1.0, film_onset=3.0)
    rows = tabulate(tables, shipped(AnnotationSettings), timing=timing, duration=6.0)
    assert rows.values[:, 0].tolist() == [0, 0, 0, 0, 0, 1, 1, 0, 0]
    # Blocks are given in scan time: here they say the same.
    blocks = pd.DataFrame({"onset": [5.0], "offset": [7.0], "trial_type": ["x"]})
    same = tabulate_blocks(blocks, timing=timing, duration=6.0)
    np.testing.assert_array_equal(same.values, rows.values)
    np.testing.assert_allclose(same["time"], rows["time"])


def test_blocks_of_an_events_table(tmp_path):
    path = write(
        tmp_path / "events.tsv",
        "onset\tduration\ttrial_type\tvalue\n0\t1.5\tmusic\tn/a\n1.5\t1.5\tspeech\t3\n",
    )
    rows = tabulate_blocks(read_blocks(path), timing=Timing(TR=1.0), duration=3.0)
    assert rows["feature"].values.tolist() == ["music", "speech"]
    np.testing.assert_allclose(rows.values, [[1, 0], [0.5, 0.5], [0, 1]])
    with pytest.raises(InputError, match="no column trial_type"):
        read_blocks(write(tmp_path / "short.tsv", "onset\tduration\n0\t1\n"))
    with pytest.raises(InputError, match="duration in line 2 is 'n/a'"):
        read_blocks(write(tmp_path / "na.tsv", "onset\tduration\ttrial_type\n0\tn/a\tmusic\n"))


def test_all_tables_of_the_target_data_set(real_input):
    folder = real_input("ds003688/bids/stimuli/annotations")
    tables = read_folder(folder)
    assert sum(name.startswith("video/") for name in tables) == 135
    assert sum(name.startswith("sound/") for name in tables) == 13
    n_volumes = 641
    timing = Timing(TR=0.608, n_volumes=n_volumes)
    rows = tabulate(tables, shipped(AnnotationSettings), timing=timing, duration=390.0)
    for name, column in zip(rows["feature"].values, rows.values.T, strict=True):
        kind, _, rest = str(name).partition("/")
        with (folder / kind / f"{kind}_annotation_{rest}.tsv").open(newline="") as file:
            events = list(csv.DictReader(file, delimiter="\t"))
        assert len(events) == len(tables[name])
        # Counted in tenths of milliseconds, another way.
        covered = np.zeros(round(390 * 10_000), bool)
        for event in events:
            covered[round(float(event["onset"]) * 1e4) : round(float(event["offset"]) * 1e4)] = True
        expected = covered[: round(n_volumes * 0.608 * 1e4)].sum() / 1e4
        assert column.sum() * 0.608 == pytest.approx(expected, abs=2e-3), name
