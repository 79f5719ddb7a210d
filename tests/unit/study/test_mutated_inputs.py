"""Tables, configuration and sidecars with bytes and fields changed: refused, or read whole.

STIM2BOLD_FUZZ=N tries N times as many inputs; --timeout 0 lets it.
"""

import json
import os
from pathlib import Path

import hypothesis
import numpy as np
import yaml
from hypothesis import strategies as st

from stim2bold.io.tables import read_tsv
from stim2bold.preprocessing.cleaning import choose_confounds
from stim2bold.runtime.errors import InputError
from stim2bold.runtime.issues import n_errors
from stim2bold.stimulus.annotations import read_blocks, read_events
from stim2bold.stimulus.own_features import read_own_features
from stim2bold.stimulus.word_vectors import read_vectors
from stim2bold.study.bidsignore import ignored
from stim2bold.study.check_run import check_confounds
from stim2bold.study.configuration import (
    check_configuration,
    check_files,
    merge,
    read_configuration,
)
from stim2bold.study.onsets import film_onset
from stim2bold.study.participants import check_participants
from stim2bold.study.sidecars import read_sidecars
from stim2bold.study.study import check_settings

PROJECT = Path(__file__).parents[3]
SCHEMA = PROJECT / "workflow" / "config.schema.yaml"
EFFORT = int(os.environ.get("STIM2BOLD_FUZZ", "1"))
SHIPPED = (PROJECT / "config.yaml").read_text()
CONFIG = yaml.safe_load(SHIPPED)

EVENTS = "onset\tduration\ttrial_type\tfilm_time\n" + "".join(
    f"{12 * k}\t12\t{('music', 'speech')[k % 2]}\t{12 * k}\n" for k in range(6)
)
MINE = """bids_dir: /data
film: /data/film.mp4
participants: ["01", "02"]
exclude: {"02": fell asleep}
selection: {task: film, run: "1", t1w: {acquisition: mprage}}
timing: {film_onset: {all: 0.0, sub-04_run-2: -297.3}}
blocks: {kinds: [music, speech], seconds: null}
spectrogram: {floor: 0.001}
"""
WORDS = "item\tonset\toffset\n" + "".join(
    f"{word}\t{k}.25\t{k}.5\n" for k, word in enumerate(["het", "n/a", "'s", "café", "één", "ja!"])
)
TIMED = "time\tarousal\tvalence\n" + "".join(f"{1.5 * k}\t{k % 3}\t-0.{k}\n" for k in range(8))
HELD = "onset\tduration\tface\n" + "".join(f"{3 * k}\t2\t{k % 2}\n" for k in range(6))
MOTION = [f"{kind}_{axis}" for kind in ("trans", "rot") for axis in "xyz"]
CONFOUNDS = "\t".join([*MOTION, "csf", "white_matter", "framewise_displacement"]) + "\n"
CONFOUNDS += "".join(
    "\t".join(f"{(7 * k + 3 * c) % 5}.{c}" for c in range(8)) + f"\t{0.1 if k else 'n/a'}\n"
    for k in range(12)
)
PEOPLE = "participant_id\tage\nsub-01\t30\nsub-02\tn/a\nsub-03\t41\n"
VECTORS = "3 4\nhet 0.1 -0.2 0.3 0.4\nkind 1 2 3 4\nzag 0.5 0.25 -1e-3 2\n"
SIDECAR = json.dumps({"RepetitionTime": 1.5, "TaskName": "film", "SliceTiming": [0, 0.5, 1.0]})
FIELDS = st.sampled_from(
    [
        "",
        " ",
        "\t",
        "\n",
        "\r\n",
        "\r",
        '"',
        '""',
        "'",
        "n/a",
        "N/A",
        " n/a ",
        "nan",
        "inf",
        "1e999",
    ]
    + ["-1", "1,5", "1_0", "010", "0x1f", "yes", "on", "null", "~", "1:30", "2024-01-02", "1e-3"]
    + ["[", "{", "}", "]", "- ", ": ", "#", "&a ", "*a", "<<: ", "!!binary ", "? ", "|\n", "%", "@"]
    + [
        "\ufeff",
        "\u00a0",
        "\u2028",
        "\x85",
        "\x0b",
        "\0",
        "\x1c",
        "caf\u00e9",
        "\U0001f3ac",
        "0" * 400,
    ]
)


@st.composite
def mutated(draw, text):
    """Return the bytes of a text in which some bytes, fields or lines are changed."""
    content = text.encode()
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(content)))
        end = min(len(content), place + draw(st.sampled_from([0, 0, 1, 1, 2, 5, 20])))
        kind = draw(st.sampled_from(["field", "field", "byte", "cut", "again", "swap"]))
        if kind == "field":
            content = content[:place] + draw(FIELDS).encode() + content[end:]
        elif kind == "byte":
            content = content[:place] + draw(st.binary(max_size=3)) + content[end:]
        elif kind == "cut":
            content = content[:place]
        elif kind == "again":
            content = content[:place] + content[place:end] + content[place:]
        else:
            lines = content.split(b"\n")
            where = draw(st.integers(0, len(lines) - 1))
            lines.insert(draw(st.integers(0, len(lines))), lines[where])
            content = b"\n".join(lines)
    encoding = draw(st.sampled_from(["utf-8"] * 20 + ["utf-16", "utf-16-le", "latin-1"]))
    if encoding == "utf-8":
        return content
    return content.decode("utf-8", "replace").encode(encoding, "replace")


def many(examples):
    """Return the settings of a test that tries so many inputs, the same ones each time."""
    return hypothesis.settings(
        max_examples=examples * EFFORT,
        deadline=None,
        database=None,
        derandomize=EFFORT == 1,
        suppress_health_check=list(hypothesis.HealthCheck),
    )


def refusal(ask):
    """Return what a question gives and None, or None and why it is refused, which is one line."""
    try:
        return ask(), None
    except InputError as caught:
        said = str(caught)
        assert "\n" not in said and ": " in said and "; " in said, said
        return None, said


@many(100)
@hypothesis.given(content=mutated(EVENTS))
def test_a_table_loses_no_row(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "events.tsv"
    path.write_bytes(content)
    table, _ = refusal(lambda: read_tsv(path))
    blocks, why = refusal(lambda: read_blocks(path))
    refusal(lambda: film_onset("sub-1_task-film", path, "events"))
    refusal(lambda: read_events(path, "video"))
    if table is None:
        assert blocks is None
        return
    # Counted by another reading of the bytes: lines of any system, those of blanks alone aside.
    lines = content.decode("utf-8-sig").replace("\r", "\n").split("\n")
    assert len(table.rows) == sum(bool(line.strip()) for line in lines) - 1
    # What is in a row is in the file, and at its line.
    physical = content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for row, line in zip(table.rows, table.lines, strict=True):
        for cell in row.values():
            assert cell is None or cell in physical[line - 1] or '"' in physical[line - 1]
    if blocks is not None:
        left = [row for row in table.rows if row["trial_type"] is None]
        assert len(blocks) + len(left) == len(table.rows)
        assert (blocks["offset"] > blocks["onset"]).all()
    else:
        assert why.startswith(f"{path}: ")


@many(80)
@hypothesis.given(content=mutated(MINE))
def test_a_configuration_is_read_as_it_looks_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "mine.yaml"
    path.write_bytes(content)
    problems = check_files([path])
    assert all("\n" not in problem.message for problem in problems)
    part, _ = refusal(lambda: read_configuration([path], []))
    assert (part is None) == bool(problems)
    if part is None:
        return
    config = merge(CONFIG, part)
    # Whatever passes is what a plain reading of YAML gives, each key once and text.
    plain = yaml.safe_load(content.decode("utf-8-sig")) or {}
    assert all(config[key] == value or isinstance(value, dict) for key, value in plain.items())
    assert all(isinstance(key, str) for key in plain)
    found = check_configuration(config, SCHEMA)
    assert all("\n" not in problem.message and len(problem.message) < 3000 for problem in found)
    if not found:
        check_settings(config)
        json.dumps(config, sort_keys=True, allow_nan=False)


@many(10)
@hypothesis.given(content=mutated(SHIPPED))
def test_the_shipped_configuration_changed_anywhere(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "config.yaml"
    path.write_bytes(content)
    config, _ = refusal(lambda: read_configuration([path], []))
    if config is not None and not check_configuration(config, SCHEMA):
        json.dumps(config, sort_keys=True, allow_nan=False)


@many(50)
@hypothesis.given(content=mutated(SIDECAR))
def test_a_sidecar_is_an_object_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "bold.json"
    path.write_bytes(content)
    found, _ = refusal(lambda: read_sidecars([path]))
    assert found is None or isinstance(found, dict)


@many(40)
@hypothesis.given(content=mutated("*_run-2_*\n!sub-01/\n/sub-0[34]/**\n**/x?\n"))
def test_a_bidsignore_is_heeded_or_refused(tmp_path_factory, content):
    root = tmp_path_factory.getbasetemp()
    (root / ".bidsignore").write_bytes(content)
    tell, _ = refusal(lambda: ignored(root))
    assert tell is None or tell("sub-01/func/sub-01_run-2_bold.nii.gz") in (True, False)


@many(60)
@hypothesis.given(content=mutated(WORDS))
def test_annotated_words_lose_no_row(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "sound_annotation_words.tsv"
    path.write_bytes(content)
    events, _ = refusal(lambda: read_events(path, "sound"))
    if events is not None:
        table = read_tsv(path)
        assert len(events) == len(table.rows)
        for row, item in zip(table.rows, events.get("item", []), strict=False):
            assert (row["item"] or "") == item


@many(60)
@hypothesis.given(content=st.one_of(mutated(TIMED), mutated(HELD)))
def test_own_features_are_what_the_table_says(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "arousal.tsv"
    path.write_bytes(content)
    found, _ = refusal(lambda: read_own_features(path))
    if found is not None:
        table = read_tsv(path)
        assert found.values.shape == (len(table.rows), len(found.names))
        assert np.isfinite(found.values).all() and np.isfinite(found.onsets).all()
        for row, values in zip(table.rows, found.values, strict=True):
            assert [float(row[name]) for name in found.names] == values.tolist()


@many(60)
@hypothesis.given(content=mutated(CONFOUNDS))
def test_confounds_that_pass_the_check_are_used_whole(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("func")
    path = folder / "sub-01_task-film_desc-confounds_timeseries.tsv"
    path.write_bytes(content)
    series = folder / "sub-01_task-film_space-MNI_desc-preproc_bold.nii.gz"
    series.touch()
    problems = check_confounds(path, n_volumes=12, strategy="simple", motion="basic")
    assert all("\n" not in problem.message for problem in problems)
    if n_errors(problems):
        return
    chosen = choose_confounds(series, "simple", motion="basic")
    assert {*chosen.table, *chosen.left_out} == {*MOTION, "csf", "white_matter"}
    assert len(chosen.table) == 12 and np.isfinite(chosen.table.to_numpy()).all()


@many(30)
@hypothesis.given(content=mutated(PEOPLE))
def test_a_table_of_participants_is_no_reason_to_stop(tmp_path_factory, content):
    root = tmp_path_factory.getbasetemp()
    (root / "participants.tsv").write_bytes(content)
    problems = check_participants(root, [])
    assert not n_errors(problems) and all("\n" not in one.message for one in problems)


@many(40)
@hypothesis.given(content=mutated(VECTORS))
def test_vectors_of_words_are_of_one_length_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "words.vec"
    path.write_bytes(content)
    found, _ = refusal(lambda: read_vectors(path, ["het", "kind", "Zag"]))
    if found is not None:
        assert found and len({vector.shape for vector in found.values()}) == 1
        assert all(np.isfinite(vector).all() for vector in found.values())
