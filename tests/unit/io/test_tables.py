"""Tables as people really have them: read as BIDS defines them, every line accounted for."""

import pandas as pd
import pytest

from stim2bold.io.files import read_table, write_table
from stim2bold.io.tables import numbers, read_tsv
from stim2bold.runtime.errors import InputError
from stim2bold.stimulus.annotations import read_blocks, read_events, read_folder
from stim2bold.study.check_run import check_confounds
from stim2bold.study.onsets import film_onset
from stim2bold.study.participants import check_participants

HEADER = "onset\tduration\ttrial_type\n"


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a table and returns its path."""

    def write(text, name="events.tsv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_a_quotation_mark_is_a_letter(write):
    words = read_events(
        write('item\tonset\toffset\nhe\t1\t2\n"Stop\t2\t3\nit\t3\t4\nnow"\t4\t5\n"\t5\t6\n'),
        "sound",
    )
    assert words["item"].tolist() == ["he", '"Stop', "it", 'now"', '"']
    assert words["onset"].tolist() == [1, 2, 3, 4, 5]
    rows = "".join(f'{12 * k}\t12\tmusic\t{"abc"[k]}"\n' for k in range(3))
    assert len(read_blocks(write("onset\tduration\ttrial_type\tline\n" + rows))) == 3


def test_a_quoted_tab_is_within_its_line_alone(write):
    table = read_tsv(write('a\tb\n"x\ty"\t1\n"z\t2\n'))
    assert [row["a"] for row in table.rows] == ["x y", '"z']
    with pytest.raises(InputError, match="line 2 has 3 fields where the header has 2"):
        read_tsv(write('a\tb\n"x\ty\t1\n'))


@pytest.mark.parametrize("missing", ["n/a", "N/A", " n/a ", "", "  "])
def test_a_missing_trial_type_is_no_block_of_its_own(write, missing):
    blocks = read_blocks(write(f"{HEADER}0\t9\tmusic \n9\tn/a\t{missing}\n18\t9\t\u00a0music\n"))
    assert blocks["trial_type"].tolist() == ["music", "music"]
    assert blocks["onset"].tolist() == [0, 18]


def test_a_missing_value_is_missing_in_every_table(write, tmp_path):
    words = read_events(write("item\tonset\toffset\nn/a\t1\t2\n \t2\t3\nnull\t3\t4\n"), "sound")
    assert words["item"].tolist() == ["", "", "null"]
    events = write("onset\tduration\ttrial_type\tfilm_time\n0\t9\ta\tn/a\n9 \t9\ta\t 4\n")
    assert film_onset("sub-1_task-x", events, "events") == 5
    write("participant_id \tage\nsub-1\t3\n", "participants.tsv")
    assert check_participants(tmp_path, []) == []
    with pytest.raises(InputError, match="onset in line 3 is 'n/a'"):
        read_blocks(write(f"{HEADER}0\t9\tmusic\n \t9\tmusic\n"))


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + HEADER + "0\t9\tmusic\n9\t9\tspeech\n",
        (HEADER + "0\t9\tmusic\n9\t9\tspeech\n").replace("\n", "\r\n"),
        (HEADER + "0\t9\tmusic\n9\t9\tspeech\n").replace("\n", "\r"),
        "\n" + HEADER + "\n0\t9\tmusic\n\t\t\n9\t9\tspeech\n\n\n",
        HEADER + "0\t9\tmusic\n9\t9\tspeech",
        " onset\tduration \ttrial_type\n 0\t9 \tmusic\n9\t 9\tspeech \n",
        "onset\tduration\ttrial_type\t\n0\t9\tmusic\t\n9\t9\tspeech\t\n",
        HEADER + "0\t9\tmusic\t\t\n9\t9\tspeech\n",
        HEADER + "0e0\t+9.\tmusic\n9.0\t.9e1\tspeech\n",
    ],
)
def test_what_editors_leave_changes_nothing(write, text):
    blocks = read_blocks(write(text))
    assert blocks.to_numpy().tolist() == [[0, 9, "music"], [9, 18, "speech"]]


def test_lines_that_are_no_rows_are_counted(write):
    table = read_tsv(write("\na\tb\n\n1\t2\n \t \n3\t4\n"))
    assert table.empty == 3 and table.lines == (4, 6) and numbers(table, "b") == [2, 4]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (HEADER + "0\t9\n", "line 2 has 2 fields where the header has 3"),
        (HEADER + "0\t9\tmusic\tloud\n", "line 2 has 4 fields where the header has 3"),
        ("onset\tduration\n0\t9\tmusic\n", "no column trial_type"),
        ("onset\tonset\tduration\ttrial_type\n0\t1\t9\tmusic\n", "has 2 columns 'onset'"),
        ("onset\tduration\ttrial_type\t\n0\t9\tmusic\tx\n", "column 4 has no name but a value"),
        ("0\t9\t1\n9\t9\t2\n", "put a line with the columns' names above"),
        ("onset,duration,trial_type\n0,9,music\n", "separated by ',': separate them by tabs"),
        ("onset;duration;trial_type\n0;9;music\n", "separated by ';': separate them by tabs"),
        ("onset duration trial_type\n0 9 music\n", "separated by blanks: separate them by tabs"),
        ("Onset\tDuration\tTrial_type\n0\t9\tmusic\n", "write the names in small letters"),
        ('"onset"\t"duration"\t"trial_type"\n0\t9\t"a"\n', "R: quote = FALSE"),
        (HEADER + "0,5\t9\tmusic\n", "write a point for the comma"),
        (HEADER + "1_0\t9\tmusic\n", "'1_0', not a number"),
        (HEADER + "inf\t9\tmusic\n", "'inf', not a number"),
        (HEADER + "nan\t9\tmusic\n", "'nan', not a number"),
        (HEADER + "1e999\t9\tmusic\n", "'1e999', not a number"),
        ("", "is empty"),
        ("\n \n", "is empty"),
        (HEADER, "holds no event"),
        (HEADER + "0\t9\tn/a\n", "holds no event"),
        ((HEADER + "0\t9\tcafé\n").encode("latin-1"), "line 2, byte 0xe9.*iconv -f WINDOWS-1252"),
        ((HEADER + "0\t9\tmusic\n").encode("utf-16"), "is UTF-16.*iconv -f UTF-16"),
        ((HEADER + "0\t9\tmusic\n").encode("utf-16-le"), "is UTF-16"),
        ((HEADER + "0\t9\tmusic\n").encode("utf-16-be"), "is UTF-16"),
        (b"\x1f\x8b\x08\0", "is gzip, not text"),
        (b"PK\x03\x04\0", "is a spreadsheet"),
        (HEADER.encode() + b"0\t9\tmu\0sic\n", "no text, it holds zero bytes"),
    ],
)
def test_what_is_no_such_table_is_refused_with_its_line_and_the_fix(write, text, said):
    path = write(text)
    with pytest.raises(InputError, match=said) as caught:
        read_blocks(path)
    assert str(caught.value).startswith(f"{path}: ") and "; " in str(caught.value)


def test_hidden_files_are_no_annotations(tmp_path):
    folder = tmp_path / "sound"
    folder.mkdir()
    (folder / "sound_annotation_words.tsv").write_text("item\tonset\toffset\na\t1\t2\n")
    (folder / "._sound_annotation_words.tsv").write_bytes(b"\0\5\x16\7\0\2\0\0Mac OS X")
    (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    (tmp_path / ".git").mkdir()
    assert list(read_folder(tmp_path)) == ["sound/words"]


def test_confounds_are_counted_by_their_lines(write):
    rows = [f'{k}\t{2 + k}\t"3\t0\t0\n' for k in range(5)]
    names = "csf\twhite_matter\ttrans_x\tframewise_displacement\tstd_dvars\n"
    text = "".join([names, *rows])
    found = check_confounds(write(text), n_volumes=5, strategy="ica_aroma", motion="basic")
    assert found == []
    (short,) = check_confounds(write(text), n_volumes=6, strategy="ica_aroma", motion="basic")
    assert "has 5 rows where the series has 6 volumes" in short.what


def test_kinds_of_blocks_come_back_as_they_were_written(tmp_path):
    kinds = ['"Go', "01", "true", "null", 'a "b" c', "a\tb\nc", "n/a"]
    table = pd.DataFrame({"onset": range(7), "duration": 1.5, "trial_type": kinds})
    write_table(tmp_path / "blocks.tsv", table)
    expected = ['"Go', "01", "true", "null", 'a "b" c', "a b c"]
    assert read_blocks(tmp_path / "blocks.tsv")["trial_type"].tolist() == expected
    again = read_table(tmp_path / "blocks.tsv")
    assert again["trial_type"].tolist()[:6] == expected and again["trial_type"].isna()[6]
    assert again["onset"].tolist() == list(range(7))
