"""Configuration files as people really write them: read as they look, or refused by their line."""

from pathlib import Path

import pytest
import yaml

from stim2bold.io.strict_yaml import read_mapping
from stim2bold.runtime.errors import InputError
from stim2bold.study.configuration import (
    check_configuration,
    check_files,
    read_configuration,
    value_of,
)

PROJECT = Path(__file__).parents[3]
SCHEMA = PROJECT / "workflow" / "config.schema.yaml"


@pytest.fixture
def mine(tmp_path):
    """Return a function that writes mine.yaml and returns what is found wrong with it."""

    def check(text):
        path = tmp_path / "mine.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        found = check_files([path])
        if found:
            return [problem.message for problem in found]
        config = read_configuration([PROJECT / "config.yaml", path], [])
        return [problem.message for problem in check_configuration(config, SCHEMA)]

    return check


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("exclude: {02: asleep}", "line 1: 02 is the number 2 to YAML; quote it: '02'"),
        ("exclude: {010: asleep}", "010 is the number 8 to YAML; quote it: '010'"),
        ("exclude: {7: asleep}", "the key 7 is not text to YAML; quote it: '7'"),
        ("seed: 1\nparticipants: [01, 02]", "line 2: 01 is the number 1 to YAML; quote it: '01'"),
        ("participants: [1]", "Labels are text: quote them"),
        ("participants: [0x10]", "0x10 is the number 16 to YAML"),
        ("participants: [1:30]", "1:30 is the number 90 to YAML"),
        ("participants: [1_0]", "1_0 is the number 10 to YAML"),
        ("participants: [2024-01-02]", "2024-01-02 is a date to YAML; quote it"),
        ("participants: [no]", "no is false to YAML; quote it: 'no', or write false"),
        ("selection: {task: off}", "off is false to YAML"),
        ("on: 1", "line 1: on is true to YAML; quote it: 'on'"),
        ("yes: 1", "yes is true to YAML"),
        ("null: 1", "the key null is not text to YAML"),
        ("2024-01-02: x", "is a date to YAML"),
        ("spectrogram: {floor: 1e-3}", "1e-3 is text to YAML, not a number; write 0.001"),
        ("timing: {film_onset: .nan}", ".nan is no finite number"),
        ("timing: {film_onset: -.inf}", "-.inf is no finite number"),
        ("seed: 1.0e+999", "is no finite number"),
        ("preprocessing:\n", "preprocessing: is empty; give its keys below it, or remove the line"),
        ("folds: 3", "folds: 3 is not of type 'object'"),
        ("seed: '3'", "seed: '3' is not of type 'integer'"),
        ("seed: [1]", "seed: [1] is not of type 'integer'"),
        ("vae: {seeds: 1, seeds: 3}", "seeds is given twice (first in line 1)"),
        ("folds: {gap: 9}\nseed: 1\nfolds: {inner: 2}\n", "line 3: folds is given twice (first in"),
        ("blocks:\n  kinds: [a]\n  'kinds': [b]\n", "line 3: kinds is given twice"),
        ('{"seed": 1, "seed": 2}', "'seed' is given twice, and the first would be lost; join"),
        ('{"seed": NaN}', "holds NaN"),
        ("- seed", "holds no settings"),
        ("seed", "holds no settings"),
        ("? [a, b]\n: 1", "a key is a list or section"),
        ("a: &x [*x]", "an alias stands within what it names"),
        ("seed: !!python/name:os.system x", "of the tag"),
        ("seed: !!binary aGk=", "to YAML; quote it"),
        ("seed: 1\n\tx: 2", "is not YAML"),
        ("seed: 1\n---\nseed: 2", "is not YAML"),
        ("seed: [1", "is not YAML"),
        ("a: " + "[" * 9000, "nested too deep"),
        ("film: caf\u00e9.mp4".encode("latin-1"), "probably Latin-1 or Windows-1252"),
        ("seed: 1".encode("utf-16"), "is UTF-16"),
    ],
)
def test_what_is_read_otherwise_than_it_looks_is_one_line(mine, text, said):
    found = mine(text)
    assert [line for line in found if said in line], found
    assert all("\n" not in line and len(line) < 500 for line in found)


@pytest.mark.parametrize(
    ("text", "where", "value"),
    [
        ("exclude: {'02': asleep}", "exclude", {"02": "asleep"}),
        ("participants: [08, 4b]", "participants", ["08", "4b"]),
        ("\ufeffseed: 2\r\n", "seed", 2),
        ("seed: 0", "seed", 0),
        ("film: 'yes'", "film", "yes"),
        ("# nothing\n", "seed", 1),
        ("", "seed", 1),
        ('{"seed": 3}', "seed", 3),
        ('{\n\t"seed": 3\n}', "seed", 3),
        ("participants: &few ['1']\ngroup: {newcomers: *few}", "participants", ["1"]),
    ],
)
def test_what_looks_as_it_is_read_is_taken(mine, tmp_path, text, where, value):
    assert mine(text) == []
    config = read_configuration([PROJECT / "config.yaml", tmp_path / "mine.yaml"], [])
    assert config[where] == value


def test_every_fault_of_a_file_is_told_at_once(mine):
    assert len(mine("exclude: {02: x}\nseed: 1\nseed: 2\nparticipants: [01]\n")) == 3


def test_the_command_line_is_read_as_snakemake_reads_it():
    from snakemake.cli import parse_config

    values = [
        "1",
        "01",
        "1.5",
        "true",
        "no",
        "[01,02]",
        "{02:x}",
        "[a]b.mp4",
        "/x/y.mp4",
        "null",
        "1e-3",
        "nan",
        "'07'",
        "on",
    ]
    for value in [*values, "", " [a: 1, 'b c'] ", "{'02': fell asleep}"]:
        (ours,) = [value_of(value)]
        theirs = parse_config([f"key={value}"])["key"]
        assert repr(ours) == repr(theirs), value


def test_shipped_files_are_read_as_snakemake_reads_them():
    for path in (PROJECT / "config.yaml", PROJECT / "tests" / "integration" / "tiny.yaml"):
        assert read_mapping(path) == (yaml.safe_load(path.read_text()), [])


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_configuration([tmp_path / "none.yaml"], [])
