from pathlib import Path

import yaml

from stim2bold.report import study

CONFIG = yaml.safe_load((Path(__file__).parents[3] / "config.yaml").read_text())


def opening(**changes):
    inputs = {"participants": ["01"], "runs": [{}], "TR": 0.608, "problems": [], "missing": []}
    return study.opening(
        inputs=inputs | changes,
        film={"duration": 156.0},
        folds={"folds": [{}, {}], "gap": 12.0},
        n_directions=3,
        n_models=6,
    )


def test_one_sentence_says_what_was_run():
    sentence = opening()["sentence"]
    assert sentence.startswith("6 models in 3 directions were fitted to 1 participant (1 run at")
    assert "0.608 s" in sentence and "156.0 s" in sentence and "2 folds" in sentence


def test_warnings_are_passed_on():
    problem = {"severity": "warning", "file": "a", "what": "lacks b", "fix": "add b"}
    note = {"severity": "note", "file": "c", "what": "is left out", "fix": "nothing need be done"}
    found = opening(problems=[problem, note])
    assert found["warnings"] == [{"words": "a: lacks b; add b", "files": []}]
    assert found["notes"] == ["c: is left out; nothing need be done"]


def test_what_is_alike_in_several_files_is_said_once():
    problem = {"severity": "warning", "what": "lacks b", "fix": "add b"}
    files = ["one", "two", "three"]
    other = {"severity": "warning", "file": "four", "what": "is empty", "fix": "fill it"}
    problems = [problem | {"file": files[0]}, other, *(problem | {"file": f} for f in files[1:])]
    shared, alone = opening(problems=problems)["warnings"]
    assert shared == {"words": "3 files: lacks b; add b", "files": files}
    assert alone == {"words": "four: is empty; fill it", "files": []}


def test_what_was_read_is_shown_as_make_check_shows_it():
    film = {"kind": "film", "name": "a.mp4", "seconds": 9.5, "channels": 2, "rate": 44100}
    found = opening(read=[film])
    assert found["read_beside"] == ["film a.mp4: 9.5 s; 2 channel(s) of sound at 44100 Hz"]
    assert len(found["read"]) == 1
    assert opening()["read_beside"] == []


def test_who_is_missing_is_grouped_by_the_reason():
    rows = [
        {"participant": label, "reason": reason}
        for label, reason in (("03", "no run"), ("05", "not named"), ("09", "no run"))
    ]
    assert opening(missing=rows)["missing"] == [
        {"reason": "no run", "participants": ["03", "09"]},
        {"reason": "not named", "participants": ["05"]},
    ]


CEILING = CONFIG["simulation"]["images"]["ceiling"]


def test_banners_tell_simulation_and_substitute_weights():
    assert study.banners(simulation=None, weights=None) == []
    first, second = study.banners(simulation=CONFIG["simulation"], weights="own weights")
    assert (
        "do not exist" in first["text"]
        and f"r = {CEILING}" in first["text"]
        and "page" not in first
    )
    assert second["text"] == "own weights"
    planted = {"words": "VAE, group", "verdict": "found 2 of 3 planted regions"}
    (found,) = study.banners(simulation=CONFIG["simulation"], weights=None, recovered=planted)
    assert found["page"] == study.PLANTED_PAGE and "found 2 of 3" in found["link"]
    images = {**CONFIG["simulation"]["images"], "no_signal": True}
    (null,) = study.banners(simulation={"images": images}, weights=None)
    assert "nothing was planted" in null["text"] and str(CEILING) not in null["text"]


def test_the_leakage_check_is_told():
    assert "each of 4 prediction files" in study.leakage_sentence({"predictions": [0] * 4})
