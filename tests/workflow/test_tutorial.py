"""What the tutorial has one type can be typed."""

import re
import shlex
from pathlib import Path

import processes
import pytest
import yaml

PROJECT = Path(__file__).parents[2]
TEXT = (PROJECT / "docs" / "tutorial.md").read_text(encoding="utf-8")
COMMANDS = [
    line
    for block in re.findall(r"^```\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
    if line.startswith(("make ", "snakemake ", "printf "))
]


def test_there_are_commands():
    assert len(COMMANDS) >= 7


@pytest.mark.parametrize("line", [line for line in COMMANDS if line.startswith("make ")])
def test_make_knows_its_targets(line):
    done = processes.run([*shlex.split(line), "--dry-run"], cwd=PROJECT, seconds=60)
    assert done.returncode == 0, done.stderr


def test_the_changes_are_planned(snakemake, tmp_path):
    """Section 6 as written; of section 7 the same call, whose data are not there."""
    changes = [line for line in COMMANDS if line.startswith("snakemake") and line.endswith("-n")]
    assert len(changes) == 2
    (written,) = [line for line in COMMANDS if line.startswith("printf")]
    processes.run(["bash", "-c", written], cwd=tmp_path, seconds=60)
    assert yaml.safe_load((tmp_path / "mine.yaml").read_text()) == {"baselines": {"draws": 5}}
    for line in changes:
        options = shlex.split(line.replace("mine.yaml", str(tmp_path / "mine.yaml")))
        options = [option for option in options[1:] if option not in ("--cores", "all")]
        options = [o.replace("config.yaml", str(PROJECT / "config.yaml"), 1) for o in options]
        run = snakemake(*options)
        assert run.returncode == 0, run.stderr
        assert "fit_baselines" in run.stdout


def test_data_that_are_not_there_are_named(snakemake):
    (line,) = [text for text in COMMANDS if "bids_dir=/data/study" in text]
    options = [option for option in shlex.split(line)[1:] if option not in ("--cores", "all")]
    run = snakemake(*options)
    assert run.returncode != 0
    assert "/data/study" in run.stdout + run.stderr
    assert "Traceback" not in run.stdout + run.stderr


def test_its_pictures_are_there():
    for name in re.findall(r"!\[[^\]]+\]\((\S+)\)", TEXT):
        path = PROJECT / "docs" / name
        assert path.is_file() and path.stat().st_size < 200_000
