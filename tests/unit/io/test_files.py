import json

import numpy as np
import pandas as pd
import pytest

from stim2bold.io import files


def test_a_file_appears_only_when_it_is_whole(tmp_path):
    path = tmp_path / "new folder" / "it's.nii.gz"
    with files.replacing(path) as temporary:
        temporary.write_bytes(b"half")
        assert not path.exists()
        assert temporary.name.endswith(".nii.gz")
    assert path.read_bytes() == b"half"
    assert [item.name for item in path.parent.iterdir()] == [path.name]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "table.tsv"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), files.replacing(path) as temporary:
        temporary.write_text("new, half")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_json_is_the_same_bytes_whatever_the_order(tmp_path):
    files.write_json(tmp_path / "a.json", {"b": 1, "a": "é"})
    files.write_json(tmp_path / "b.json", {"a": "é", "b": 1})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == {"a": "é", "b": 1}


def test_json_refuses_what_is_not_json(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        files.write_json(tmp_path / "a.json", {"r": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_a_table_keeps_words_that_look_like_missing_values(tmp_path):
    table = pd.DataFrame({"item": ["nan", "null", "NA"], "onset": [0.5, np.nan, 2.0]})
    files.write_table(tmp_path / "words.tsv", table)
    assert (tmp_path / "words.tsv").read_text() == "item\tonset\nnan\t0.5\nnull\tn/a\nNA\t2.0\n"
    pd.testing.assert_frame_equal(files.read_table(tmp_path / "words.tsv"), table)
