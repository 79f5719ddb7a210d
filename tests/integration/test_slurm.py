"""The profile for SLURM on a real SLURM: what reaches it, and what happens when steps fail.

One direction, from nothing to the maps of the group, comes out of it as of one machine (the whole
demo: `make bench ROWS=dag_three_ways`). The others are of a study that is finished but for head
motion, with a script of its own (`stand_in.py`).
"""

import json
import os
import re
import signal
import sys
from pathlib import Path
from subprocess import CompletedProcess

import processes
import pytest
from compared import differences, files
from finished import finish
from processes import Program, new_temporary, wait_until
from project_copy import copy_project
from slurm import HEAD, SWIFT, Slurm, missing, on_slurm

PROJECT = Path(__file__).parents[2]
# Another run of the tests may have the machine's SLURM for a while.
pytestmark = [pytest.mark.release, pytest.mark.timeout(2400)]


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """A SLURM of two nodes. Where it cannot be had the tests are skipped; in CI they fail."""
    why = missing() or (None if HEAD.exists() else "no .venv-cluster: make cluster builds it")
    if why:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(why)
    cluster = Slurm(tmp_path_factory.mktemp("slurm"))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


class Study:
    """A finished study of three participants, with `stand_in.py` in place of all scripts."""

    def __init__(self, folder: Path):
        self.folder = folder
        programs = folder / "bin"
        programs.mkdir(parents=True)
        stand_in = Path(__file__).parents[1] / "support" / "stand_in.py"
        (programs / "python").write_text(f'#!/bin/sh\nexec {sys.executable} {stand_in} "$@"\n')
        (programs / "python").chmod(0o755)
        self.path = f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        finish(self.local, folder)
        self.running: Program | None = None

    def command(self, python: Path | str, *arguments: str) -> list[str]:
        return [
            *(str(python), "-m", "snakemake", "--snakefile", str(PROJECT / "Snakefile")),
            *("--configfile", str(PROJECT / "config.yaml"), "--directory", str(self.folder)),
            *arguments,
        ]

    def environment(self, orders: dict) -> dict[str, str]:
        return {
            **os.environ,
            "PATH": self.path,
            "TMPDIR": new_temporary(self.folder),
            "STAND_IN": json.dumps(orders),
        }

    def local(self, *arguments: str) -> CompletedProcess:
        return processes.run(
            self.command(sys.executable, "--cores", "2", *arguments),
            cwd=PROJECT,
            env=self.environment({}),
            seconds=200,
        )

    def start(self, orders: dict, *arguments: str) -> Program:
        """Start Snakemake with the shipped profile."""
        self.running = Program(
            self.command(
                HEAD, "--profile", str(PROJECT / "profiles" / "slurm"), *SWIFT, *arguments
            ),
            cwd=self.folder,
            env=self.environment(orders),
        )
        return self.running

    def motion(self, label: str) -> Path:
        """Where the motion of a participant is written."""
        stem = f"sub-{label}_ses-mri3t_task-film_run-1"
        name = f"{stem}_from-orig_to-boldref_mode-image_desc-hmc_xfm.txt"
        return self.folder / f"results/preprocessed/sub-{label}/ses-mri3t/func/{name}"

    def targets(self, *labels: str) -> list[str]:
        """The motion of these participants, to be made anew and nothing else."""
        for label in labels:
            self.motion(label).unlink(missing_ok=True)
        names = [str(self.motion(label).relative_to(self.folder)) for label in labels]
        return ["--rerun-triggers", "input", "--", *names]


@pytest.fixture(scope="module")
def finished(slurm, tmp_path_factory):
    return Study(tmp_path_factory.mktemp("study") / "it's a study; really")


@pytest.fixture
def study(slurm, finished):
    """The study; what a test that failed has left running is no matter of the next."""
    yield finished
    running, finished.running = finished.running, None
    if running and running.process.poll() is None:
        running.kill()
    slurm.cancel_all()
    if running and running.process.returncode == -signal.SIGKILL:
        finished.local("--unlock")


def ended(program: Program, *, seconds: float = 600) -> str:
    """Wait for Snakemake, not for ever; return what it said."""
    done = program.ended(seconds=seconds)
    return done.stdout + done.stderr


def asked_for(resource: str) -> int:
    """What the rule of head motion asks for at its first attempt."""
    rules = (PROJECT / "workflow" / "rules" / "preprocess.smk").read_text()
    rule = rules[rules.index("rule preprocess_motion") :]
    return int(re.search(rf"{resource}\((\d+)\)", rule)[1])


def test_resources_reach_slurm(slurm, study):
    before = len(slurm.jobs())
    text = ended(study.start({}, *study.targets("01")))
    assert study.motion("01").read_text() == "whole", text
    (job,) = slurm.jobs()[before:]
    mb, minutes = asked_for("mem_mb=memory"), asked_for("runtime=minutes")
    assert f"mem={mb}M" in job["TRES"] or f"mem={mb / 1024:g}G" in job["TRES"], job["TRES"]
    assert job["TimeLimit"] == f"{minutes // 60:02d}:{minutes % 60:02d}:00"
    assert "cpu=1" in job["TRES"] and "gres/gpu" not in job["TRES"]
    assert job["Requeue"] == "0"


def test_a_job_that_runs_out_of_memory_gets_more(slurm, study):
    before = len(slurm.jobs())
    asked = asked_for("mem_mb=memory")
    text = ended(study.start({"01": {"mb": int(1.4 * asked)}}, *study.targets("01")))
    assert study.motion("01").read_text() == "whole", text
    first, second = slurm.jobs()[before:]
    assert first["JobState"] in ("OUT_OF_MEMORY", "FAILED", "CANCELLED"), first["JobState"]
    assert second["JobState"] in ("COMPLETED", "COMPLETING")


def test_one_participant_fails_and_the_others_finish(slurm, study):
    orders = {"02": {"fail": True}}
    program = study.start(orders, "--retries", "0", *study.targets("01", "02", "03"))
    text = ended(program)
    assert program.process.returncode != 0
    assert study.motion("01").read_text() == study.motion("03").read_text() == "whole"
    assert not study.motion("02").exists()
    why = "preprocess_motion failed: sub-02_bold.nii.gz: broken; mend it"
    assert f"participant 02: {why}" in text
    assert "--config failed=leave_out" in text
    # What the report of the others then says of them.
    noted = json.loads((study.folder / "results" / "failures.json").read_text())
    assert noted == {"02": why}
    # Mended, only what failed runs.
    text = ended(study.start({}, *study.targets("02")))
    assert study.motion("02").read_text() == "whole"
    assert len(re.findall("has been submitted with SLURM jobid", text)) == 1


def test_an_interrupted_run_leaves_no_partial_output_and_an_empty_queue(slurm, study):
    slow = {label: {"seconds": 120} for label in ("01", "02")}
    program = study.start(slow, *study.targets("01", "02"))
    folders = [study.motion(label).parent for label in ("01", "02")]
    wait_until(lambda: all(list(folder.glob(".writing-*")) for folder in folders), seconds=180)
    program.process.send_signal(signal.SIGINT)
    text = ended(program, seconds=120)
    wait_until(lambda: not slurm.queue(), seconds=60)
    # SLURM kills what is still there after a moment: half a file lies under a name nobody reads.
    assert not study.motion("01").exists() and not study.motion("02").exists(), text
    ended(study.start({}, *study.targets("01", "02")))
    assert study.motion("01").read_text() == study.motion("02").read_text() == "whole"


def test_a_killed_node_is_survived(slurm, study):
    program = study.start({"03": {"seconds": 20}}, *study.targets("03"))
    wait_until(
        lambda: slurm.queue("RUNNING") and list(study.motion("03").parent.glob(".writing-*")),
        seconds=180,
    )
    (job,) = [job for job in slurm.jobs() if job["JobState"] == "RUNNING"]
    slurm.kill_node(job["NodeList"])
    try:
        text = ended(program)
        assert study.motion("03").read_text() == "whole", text
        assert program.process.returncode == 0
    finally:
        slurm.start_node(job["NodeList"])
        slurm.wait_for_nodes(len(slurm.names))


#: Its steps have those that train (with a GPU where there is one), and groups of small jobs.
ONE_DIRECTION = (
    "results/maps/film2bold/group/vae-group_r.nii.gz",
    "results/maps/film2bold/sub-01/vae_r.nii.gz",
    "results/scores/film2bold/sub-02.tsv",
    "results/scores/regions/film2bold/vae-group.tsv",
)


# It may have to wait for the study that it is compared with.
@pytest.mark.timeout(3000)
def test_a_direction_comes_out_of_a_slurm_as_of_one_machine(slurm, tiny_study, tmp_path):
    before = len(slurm.jobs())
    copy_project(tmp_path / "study")
    arguments = ("tests/integration/tiny.yaml", "--", *ONE_DIRECTION)
    on_slurm(tmp_path / "study", *arguments, seconds=2000)
    records = slurm.jobs()[before:]
    assert len(records) > 30
    assert {record["JobState"] for record in records} <= {"COMPLETED", "COMPLETING"}
    results = tmp_path / "study" / "results"
    found = files(results)
    assert set(ONE_DIRECTION) <= {f"results/{name}" for name in found}
    assert found <= tiny_study.made and len(found) > 60
    assert differences(results, tiny_study.results, names=found) == {}
