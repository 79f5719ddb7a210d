"""The profile for PBS and its like, by stand-ins for qsub, qstat and qdel."""

import json
import os
import re
import shutil
import signal
import sys
from pathlib import Path

import pytest
import yaml
from processes import Program, new_temporary, wait_until
from project_copy import copy_project

PBS = Path(__file__).parents[1] / "support" / "pbs_stand_in.py"
#: The film's clock and tables, a group of small jobs among them.
TARGETS = ("results/folds.json", "results/features/annotations.nc", "results/features/mel.nc")
#: A rule that needs nothing but its code.
ALONE = "results/views/brain.json"


class Cluster:
    """A copy of the project, with a user's data, on a machine with a PBS."""

    def __init__(self, folder: Path, data: Path):
        self.root, self.records = folder / "study", folder / "records"
        copy_project(self.root)
        shutil.copytree(data, self.root / "mine")
        own = {"film": str(self.root / "mine/film.mp4"), "bids_dir": str(self.root / "mine/bids")}
        (self.root / "own.yaml").write_text(yaml.safe_dump(own))
        self.records.mkdir()
        self.programs = folder / "bin"
        self.programs.mkdir()
        for name in ("qsub", "qstat", "qdel"):
            program = self.programs / name
            program.write_text(f'#!/bin/sh\nexec {sys.executable} -I {PBS} {name} "$@"\n')
            program.chmod(0o755)

    def start(self, *targets: str, killed: str = "") -> Program:
        """Run the shipped profile; the first job of the rule `killed` is killed."""
        binaries = Path(sys.executable).parent
        return Program(
            [
                *(binaries / "snakemake", "--profile", "profiles/generic-cluster"),
                *("--software-deployment-method", "env-modules", "--workflow-profile", "none"),
                *("--latency-wait", "5", "--seconds-between-status-checks", "1", "--jobs", "2"),
                *("--configfile", "config.yaml", "tests/integration/tiny.yaml", "own.yaml", "--"),
                *targets,
            ],
            cwd=self.root,
            env={
                **os.environ,
                "PATH": f"{self.programs}:{binaries}:{os.environ['PATH']}",
                "PBS_STAND_IN": str(self.records),
                "PBS_KILLED": killed,
                "TMPDIR": new_temporary(self.root),
            },
        )

    def submitted(self) -> list[dict]:
        """What was asked of PBS, oldest first."""
        paths = sorted(self.records.glob("*.json"), key=lambda path: int(path.stem))
        return [json.loads(path.read_text()) for path in paths]

    def alive(self) -> list[str]:
        """The jobs whose processes are there."""
        numbers = [path.read_text().strip() for path in self.records.glob("*.pid")]
        return [number for number in numbers if number and Path(f"/proc/{number}").exists()]


@pytest.fixture
def cluster(tiny_study, tmp_path):
    return Cluster(tmp_path, tiny_study.results / "simulated")


def test_jobs_come_out_as_on_one_machine(cluster, tiny_study):
    done = cluster.start(*TARGETS).ended(seconds=900)
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    for target in TARGETS:
        assert (cluster.root / target).read_bytes() == (
            tiny_study.results.parent / target
        ).read_bytes()
    by_name = {job["name"]: job["wanted"] for job in cluster.submitted()}
    rules = (cluster.root / "workflow/rules/stimulus.smk").read_text()
    rule = rules[rules.index("rule probe_film") :]
    mb, minutes = (
        int(re.search(rf"{key}\((\d+)\)", rule)[1]) for key in ("mem_mb=memory", "runtime=minutes")
    )
    assert by_name["probe_film"] == [f"select=1:ncpus=1:mem={mb}mb", f"walltime={60 * minutes}"]
    # Small jobs are one job of the cluster.
    assert "GROUP" in by_name and "resample_features" not in by_name


def test_a_job_that_the_cluster_kills_is_seen_and_gets_more(cluster):
    done = cluster.start(ALONE, killed="pack_brain").ended(seconds=300)
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    assert (cluster.root / ALONE).exists()
    asked = [int(re.search(r"mem=(\d+)mb", job["wanted"][0])[1]) for job in cluster.submitted()]
    assert len(asked) == 2 and asked[1] == 2 * asked[0]


def test_an_interrupt_ends_the_jobs(cluster):
    # The script waits for what does not come.
    script = cluster.root / "workflow" / "scripts" / "pack_brain.py"
    script.write_text(f"import time\ntime.sleep(600)\n{script.read_text()}")
    program = cluster.start(ALONE)
    wait_until(cluster.alive, seconds=120)
    program.process.send_signal(signal.SIGINT)
    assert program.ended(seconds=120).returncode != 0
    wait_until(lambda: not cluster.alive(), seconds=30)
    assert not (cluster.root / ALONE).exists()
