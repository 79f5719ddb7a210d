"""`make check`, and what Snakemake says of a data set that it cannot plan with."""

import json
import os
import sys
from pathlib import Path

import planted_study
import processes
import pytest

PROJECT = Path(__file__).parents[2]
#: A folder's name that a shell, make, YAML and a web page would each like to take apart.
HOSTILE = """it's "a" $(touch owned) `touch owned` $(shell touch owned); é [x]: #1 -n"""


def as_settings(config):
    # Snakemake strips quotes from the ends of a value: the blanks keep YAML's there.
    return [f"{key}= {json.dumps(config[key])} " for key in ("bids_dir", "film")]


@pytest.fixture
def study(tmp_path):
    """A healthy study in a folder of hostile name, as (root, configuration)."""
    root = tmp_path / HOSTILE
    return root, planted_study.write_study(root)


def make_check(tmp_path, *variables):
    binaries = Path(sys.executable).parent
    for name in ("Makefile", "workflow", "config.yaml"):
        (tmp_path / name).symlink_to(PROJECT / name)
    (tmp_path / ".venv").symlink_to(binaries.parent)
    return processes.run(
        # The environment is there: it is not to be made again.
        ["make", "--old-file=.venv/complete", "check", *variables],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "100"},
        seconds=120,
    )


def test_make_check_finds_nothing_in_a_healthy_study(tmp_path, study):
    root, config = study
    run = make_check(tmp_path, f"BIDS_DIR={config['bids_dir']}", f"FILM={config['film']}")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Nothing is wrong." in run.stdout
    assert not list(tmp_path.rglob("owned"))


def test_make_check_tells_everything_at_once(tmp_path, study):
    root, config = study
    bids = Path(config["bids_dir"])
    (bids / "sub-01" / "func" / "sub-01_task-film_run-1_events.tsv").unlink()
    series = bids / "sub-02" / "func" / "sub-02_task-film_run-1_bold.nii.gz"
    series.write_bytes(series.read_bytes()[:-100])
    run = make_check(tmp_path, f"BIDS_DIR={bids}", f"FILM={config['film']}")
    assert run.returncode != 0
    assert str(series) in run.stdout and "truncated" in run.stdout
    assert "no events.tsv applies" in run.stdout
    assert "2 error(s)" in run.stderr and "Traceback" not in run.stderr


def test_make_check_names_faults_of_the_configuration(tmp_path):
    (tmp_path / "mine.yaml").write_text("vae: {sedes: 3}\nfolds: {gap: 1}\n")
    run = make_check(tmp_path, "CONFIG=mine.yaml")
    assert run.returncode != 0
    assert "'sedes' was unexpected" in run.stdout and "1 is less than the minimum" in run.stdout


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        ("events", "no events.tsv applies to it"),
        ("json", "not a JSON object"),
        ("nii.gz", "the images are kept elsewhere"),
    ],
)
def test_a_fault_that_stops_the_planning_is_one_clear_line(snakemake, study, fault, line):
    root, config = study
    func = Path(config["bids_dir"]) / "sub-01" / "func"
    if fault == "events":
        (func / "sub-01_task-film_run-1_events.tsv").unlink()
    elif fault == "json":
        (func / "sub-01_task-film_run-1_bold.json").write_text("{")
    else:
        line = "its content is absent: git-annex"
        series = func / "sub-01_task-film_run-1_bold.nii.gz"
        series.unlink()
        series.symlink_to(".git/annex/objects/aa/bb/MD5E-s1--x.nii.gz")
    settings = as_settings(config)
    run = snakemake("-n", "--config", *settings)
    said = [text for text in (run.stdout + run.stderr).splitlines() if line in text]
    assert run.returncode != 0
    assert len(said) == 1 and "sub-01_task-film_run-1" in said[0], run.stdout + run.stderr
    assert "Traceback" not in run.stdout + run.stderr


@pytest.mark.parametrize("name", ["a {b}", "<script>", "a<b>c"])
def test_characters_that_snakemake_reserves_are_refused(snakemake, tmp_path, name):
    root = tmp_path / name
    config = planted_study.write_study(root)
    run = snakemake("-n", "--config", *as_settings(config))
    assert run.returncode != 0
    assert "make a symbolic link to it" in run.stdout + run.stderr
    (tmp_path / "plain").symlink_to(root)
    config = {key: str(config[key]).replace(name, "plain") for key in ("bids_dir", "film")}
    run = snakemake("-n", "--config", *as_settings(config))
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_workflow_refuses_errors_and_goes_on_with_warnings(snakemake, study, tmp_path):
    root, config = study
    bids = Path(config["bids_dir"])
    settings = as_settings(config)
    (bids / "sub-01" / "anat" / "sub-01_T1w.nii.gz").unlink()
    run = snakemake("--config", *settings, "--", "results/inputs.json")
    assert run.returncode == 0, run.stdout + run.stderr
    (problem,) = json.loads((tmp_path / "results/inputs.json").read_text())["problems"]
    assert problem["severity"] == "warning" and "no T1w image" in problem["what"]
    series = bids / "sub-02" / "func" / "sub-02_task-film_run-1_bold.nii.gz"
    series.write_bytes(series.read_bytes()[:-100])
    run = snakemake("--config", *settings, "--", "results/inputs.json")
    assert run.returncode != 0
    assert "truncated" in run.stdout + run.stderr
    run = snakemake(
        "--config", *settings, "exclude={'02': 'cut short'}", "--", "results/inputs.json"
    )
    assert run.returncode == 0, run.stdout + run.stderr
    content = json.loads((tmp_path / "results/inputs.json").read_text())
    assert content["missing"] == [{"participant": "sub-02", "reason": "cut short"}] and content[
        "participants"
    ] == ["01"]
    assert not list(tmp_path.rglob("owned"))


def test_first_steps_may_run_beside_a_repeated_check(snakemake, study, tmp_path):
    _, config = study
    settings = ["--config", *as_settings(config)]
    product = "results/views/rules.json"
    run = snakemake(*settings, "--", product)
    assert run.returncode == 0, run.stdout + run.stderr
    made = (tmp_path / product).stat().st_mtime_ns
    # Both run again, as after an edit of the project: one still finds what the other makes anew.
    run = snakemake(
        *("--latency-wait", "0", "--forcerun", "validate_inputs", "graph_rules"),
        *(*settings, "--", product, "results/inputs.json"),
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert (tmp_path / product).stat().st_mtime_ns > made
