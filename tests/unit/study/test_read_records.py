"""The check tells what it has read: one record a run, film and table, and a table for a person."""

from pathlib import Path

import planted_study
import pytest

from stim2bold.study import validate
from stim2bold.study.read_lines import as_lines, as_text


@pytest.fixture
def study(tmp_path):
    return tmp_path, planted_study.write_study(tmp_path)


def test_every_file_is_in_the_records_with_its_rows(study):
    root, config = study
    events = root / "bids/sub-01/func/sub-01_task-film_run-1_events.tsv"
    events.write_text(events.read_text() + "\n108\tn/a\t n/a\n109\t1\trest\n")
    config["blocks"]["kinds"] = ["music", "speech"]
    found = validate.describe(validate.examine(config), missing=[])
    records = found["read"]
    assert [record["kind"] for record in records].count("run") == 2
    first = records[0]
    assert (first["TR"], first["volumes"], first["seconds"]) == (1.0, 108, 108.0)
    assert first["TR_from"].endswith("sub-01_task-film_run-1_bold.json")
    assert first["volume_instant"] == 0.5
    (film,) = [record for record in records if record["kind"] == "film"]
    assert film["seconds"] == pytest.approx(108, abs=0.1)
    assert (film["channels"], film["rate"]) == (1, 16000)
    table = next(record for record in records if record["file"] == str(events))
    # Nine blocks of the study, an event without a kind, one of a kind that is no block.
    assert (table["rows"], table["used"], table["empty_lines"]) == (11, 9, 1)
    assert table["kinds"] == {"music": 5, "speech": 4} and table["missing_in_lines"] == [12]
    (said,) = [problem["message"] for problem in found["problems"]]
    assert "1 of 11 events have no trial_type" in said and "line 12" in said
    assert table["not_used"] == ["rest"]
    config["blocks"]["kinds"] = ["music", "speech", "speach"]
    (wrong, _) = validate.examine(config).problems
    assert "blocks.kinds names 'speach', which no event is" in wrong.what
    assert "rest" in wrong.fix
    rows = {record["kind"]: record["rows"] for record in records if "rows" in record}
    assert rows["video"] == rows["sound"] == 1 and rows["participants"] == 2
    text = as_text(records)
    assert "9 of 11: 5 music, 4 speech" in text and "annotations of sound: 2 table(s)" in text
    assert all(len(row) == len(as_lines(records)[0]) for row in as_lines(records))


def test_a_kind_of_speech_that_no_event_is_is_named(study):
    _, config = study
    config["sounds"]["speech"] = ["speech", "talk"]
    config["directions"] = ["video2audio"]
    (said,) = validate.examine(config).problems
    assert "sounds.speech names 'talk', which no event is" in said.what
    assert "music, speech" in said.fix and said.severity == "warning"
    config["directions"] = ["film2bold"]
    assert validate.examine(config).problems == []


def test_derivatives_name_the_confounds_that_are_used(study):
    root, config = study
    config["preprocessing"] |= {"derivatives": str(planted_study.write_derivatives(root))}
    records = validate.examine(config).records
    tables = [record for record in records if record["kind"] == "confounds"]
    assert [record["rows"] for record in tables] == [108, 108]
    named = [*planted_study.CONFOUNDS, "csf", "white_matter"]
    assert sorted(tables[0]["columns"]) == sorted(named)
    assert "108 rows, 8 used" in as_text(records)


def test_what_cannot_be_read_has_a_record_of_what_is_known(study):
    root, config = study
    (root / "film.mkv").write_bytes(b"no film")
    Path(next((root / "bids/sub-01/func").glob("*bold.nii.gz"))).write_bytes(b"no image")
    records = validate.examine(config).records
    first, film = records[0], next(record for record in records if record["kind"] == "film")
    assert first["volumes"] is None and first["TR"] == 1.0 and "seconds" not in film
    assert "sub-01_task-film_run-1" in as_text(records)
