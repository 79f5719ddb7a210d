"""How a job can run elsewhere than in its conda environment, and Snakemake be content.

By a stand-in for conda (tests/conda/README.md); the whole study, each rule in its environment, is
in test_slurm.py.
"""

import shutil
import sys
from collections import Counter
from pathlib import Path

import pytest
from conda_machine import Conda, CondaStudy

pytestmark = [pytest.mark.release, pytest.mark.timeout(2400)]
#: A rule that needs nothing but its code, and its output.
RULE, OUTPUT = "pack_brain", "results/views/brain.json"


@pytest.fixture
def study(conda, tmp_path):
    """A study of which nothing has run."""
    return CondaStudy(tmp_path / "study", conda)


def test_a_job_that_runs_where_it_should_has_no_fault(study):
    study.snakemake("--", OUTPUT)
    assert study.faults(Counter({RULE: 1})) == []


def test_an_environment_without_python_is_seen(study):
    path = study.root / "envs" / f"{RULE}.yaml"
    path.write_text("channels: [conda-forge, nodefaults]\ndependencies: []\n")
    study.snakemake("--", OUTPUT)
    assert (study.root / OUTPUT).exists()
    assert study.faults(Counter({RULE: 1})) == [f"{RULE}: 1 jobs did not testify"]


def test_a_failed_activation_is_seen(study, conda, tmp_path):
    # Programs of its own: other tests use those of the machine.
    study.conda = Conda(conda.root, home=shutil.copytree(conda.home, tmp_path / "home"))
    study.conda.write("activate", "false\n")
    study.snakemake("--", OUTPUT)
    assert (study.root / OUTPUT).exists()
    assert study.faults(Counter({RULE: 1})) == [f"{RULE}: 1 jobs did not testify"]


def test_environments_that_are_not_used_are_seen(study):
    study.snakemake("--", OUTPUT, profile="default")
    assert study.faults(Counter({RULE: 1})) == [f"{RULE}: 1 jobs did not testify"]


def test_a_module_from_elsewhere_is_seen(study):
    """As `script:` would allow it, which adds the packages of Snakemake to the job's path."""
    site = next(Path(sys.prefix).glob("lib/python3.*/site-packages"))
    path = study.root / "workflow" / "scripts" / f"{RULE}.py"
    path.write_text(
        f"import sys\nsys.path.append({str(site)!r})\nimport pytest\n{path.read_text()}"
    )
    study.snakemake("--", OUTPUT)
    faults = study.faults(Counter({RULE: 1}))
    assert any("pytest" in fault and "is from elsewhere" in fault for fault in faults)
