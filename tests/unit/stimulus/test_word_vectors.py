import numpy as np
import pytest

from stim2bold.runtime.errors import InputError
from stim2bold.stimulus.annotations import read_sound_tables
from stim2bold.stimulus.word_vectors import read_vectors, vectors_of


def write(path, text):
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize("head", ["", "3 2\n"])
@pytest.mark.parametrize("end", ["\n", " \n", "\r\n"])
def test_words_are_found_as_written_or_in_small_letters(head, end, tmp_path):
    lines = ["hond 0.5 -1", "Jan 2 3", "de 1e-1 7"]
    path = write(tmp_path / "v.vec", head + "".join(line + end for line in lines))
    words = ["De", "hond", "Jan", "jan", "kat"]
    found = vectors_of(words, read_vectors(path, words))
    expected = [[0.1, 7], [0.5, -1], [2, 3], [np.nan] * 2, [np.nan] * 2]
    np.testing.assert_allclose(found, np.array(expected, np.float32))


def test_a_word_with_a_blank_is_one_word(tmp_path):
    path = write(tmp_path / "v.vec", "2 2\nop zijn 1 2\nzijn 3 4\n")
    found = read_vectors(path, ["op zijn", "zijn"])
    assert found["op zijn"].tolist() == [1, 2] and found["zijn"].tolist() == [3, 4]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hond 1 2\nkat 3\n", "line 2 has 1 numbers, 2 expected"),
        ("hond 1 x\n", "no text file of vectors"),
        ("hond 1 nan\n", "not finite"),
        ("kat 1 2\n", "none of the film's words"),
        ("", "none of the film's words"),
    ],
)
def test_other_files_are_refused(text, message, tmp_path):
    with pytest.raises(InputError, match=message):
        read_vectors(write(tmp_path / "v.vec", text), ["hond"])


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "v.bin").write_bytes(bytes(range(200, 256)) * 9)
    with pytest.raises(InputError, match="no text file of vectors"):
        read_vectors(tmp_path / "v.bin", ["hond"])
    with pytest.raises(InputError, match="no text file of vectors"):
        read_vectors(tmp_path / "none.vec", ["hond"])


def test_where_nothing_is_there_it_says_what_to_set():
    with pytest.raises(InputError, match=r"set backbones.word_vectors.weights to .* cc.nl.300.vec"):
        read_vectors(None, ["hond"])
    with pytest.raises(InputError, match=r"no annotations; set annotations_dir"):
        read_sound_tables(None)
