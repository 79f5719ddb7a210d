"""Logs and settings leave the house without names and paths, and still say what went wrong."""

import json
import subprocess
import sys
import zipfile

import planted_study

from stim2bold.io.files import write_json
from stim2bold.runtime.support_bundle import Names, bundle, paths_in

FAILED = """
Error in rule clean_bold:
    jobid: 7
    input: /data/secret study/sub-anna/func/sub-anna_task-film_bold.nii.gz
    output: results/cleaned/sub-anna/func/x.nii.gz
    log: results/logs/clean_bold/sub-anna.log (check log file(s) for error details)
"""
SECRETS = ("anna", "Jansen", "secret", "My film", "/data", "/home", "Kampen")


def plant(folder):
    """Write what a run leaves whose step failed; one other step did not."""
    inputs = {"participants": ["anna", "b02"], "missing": [{"participant": "Jansen", "reason": ""}]}
    inputs["runs"] = [{"bold": "/data/secret study/sub-anna/func/sub-anna_bold.nii.gz"}]
    write_json(folder / "results/inputs.json", inputs)
    write_json(folder / "results/failures.json", {"anna": "clean_bold failed: why"})
    settings = {"film": "films/My film.mp4", "bids_dir": "/data/secret study", "seed": 1}
    methods = {"study": "The Kampen study", "configuration": settings}
    write_json(folder / "results/methods.json", methods)
    (folder / ".snakemake/log").mkdir(parents=True)
    (folder / ".snakemake/log/2026.snakemake.log").write_text(
        f"participant Jansen: {folder}/results/x is missing; The Kampen study{FAILED}"
    )
    logs = folder / "results/logs/clean_bold"
    logs.mkdir(parents=True)
    (logs / "sub-anna.log").write_text(
        "error: /home/jansen/a file.tsv: has no column x; films/My film.mp4, add it\n"
    )
    (logs / "sub-b02.log").write_text("nothing is wrong")


def test_no_name_and_no_path_is_left_and_the_reason_is(tmp_path):
    plant(tmp_path)
    found = bundle(tmp_path, about={"cores": 2}, known={str(tmp_path): "."})
    assert set(found) == {
        "about.json",
        ".snakemake/log/2026.snakemake.log",
        *(f"results/{name}.json" for name in ("inputs", "failures", "methods")),
        "results/logs/clean_bold/sub-p001.log",
    }
    whole = "\n".join([*found, *found.values()])
    assert not [secret for secret in SECRETS if secret in whole]
    assert "has no column x" in whole and "Error in rule clean_bold" in whole
    assert "./results/x is missing" in whole and "<film>, add it" in whole
    inputs = json.loads(found["results/inputs.json"])
    assert inputs["participants"] == ["p001", "p002"]
    assert inputs["missing"][0]["participant"] == "p003"
    assert json.loads(found["results/failures.json"]) == {"p001": "clean_bold failed: why"}
    assert json.loads(found["results/methods.json"])["configuration"]["seed"] == 1


def test_a_name_is_replaced_alike_everywhere():
    names = Names(["01", "1"], {})
    text = 'sub-01_run-1 ["01", "1"] participant 1: sub-new at 01:10, 1 of 3'
    assert names.without(text) == (
        'sub-p001_run-1 ["p001", "p002"] participant p002: sub-p003 at 01:10, 1 of 3'
    )


def test_paths_are_told_from_words():
    settings = {"film": "a/b c.mp4", "own": {"x": {"file": "t.tsv"}}, "preset": "small", "n": 3}
    assert paths_in(settings) == {"a/b c.mp4": "<film>", "t.tsv": "<own.x.file>"}


def test_the_archive_is_written_and_says_what_is_in_it(tmp_path):
    plant(tmp_path / "a run")
    out = tmp_path / "bundle.zip"
    command = [sys.executable, planted_study.PROJECT / "workflow/scripts/bundle_support.py"]
    command += ["--folder", tmp_path / "a run", "--out", out]
    command += ["--requirements", planted_study.PROJECT / "requirements.txt"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(out) as archive:
        names = archive.namelist()
        whole = " ".join(archive.read(name).decode() for name in names)
    assert set(names) <= set(done.stdout.splitlines())
    assert str(tmp_path) not in whole and "anna" not in whole
    assert '"torch": "2.13.0"' in whole
