"""Measured claims of planning: what a plan costs, by number of participants, and Snakemake's part.

The data sets have the shape of ds003688 (`tests/support/skeleton.py`). A plan is one thread's work,
so that its processor time is what it takes on a machine that does nothing else.
"""

import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

PROJECT = Path(__file__).parents[1]
sys.path[:0] = [str(PROJECT / part) for part in ("bench", "tests/support")]

from claims import peak_memory, row  # noqa: E402
from finished import Snakemake, finish  # noqa: E402
from skeleton import write_skeleton  # noqa: E402

GOALS = {30: 5.0, 300: 15.0, 1000: 40.0}
REPEATS = {30: 3, 300: 2, 1000: 2}
#: How often ours and the bare workflow are planned.
TURNS = 3


#: A rule of the bare workflow: as many inputs, outputs and directives as ours have on average.
BARE = """
rule step_{step}:
    input:
        code="step.py",
        before=[f"results/{{n}}/{{{{unit}}}}.txt" for n in range({step})[-3:]],
    output:
        expand("results/{step}/{{{{unit}}}}.{{kind}}", kind=["txt", "json", "tsv"]),
    log:
        "results/logs/{step}/{{unit}}.log",
    benchmark:
        "results/benchmarks/{step}/{{unit}}.tsv"
    conda:
        "step.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=20,
    params:
        settings="{settings}",
    message:
        "Step {step} of {{wildcards.unit}}"
    shell:
        "python {{input.code:q}} --before {{input.before:q}} --out {{output:q}}"
        " --settings {{params.settings:q}} > {{log:q}} 2>&1"
"""


def jobs_planned(text: str) -> int:
    """Return how many jobs Snakemake said that it would run."""
    return int(re.search(r"^total +(\d+)$", text, re.MULTILINE)[1])


def write_bare(folder: Path, participants: int, *, steps: int) -> None:
    """Write a workflow of so many jobs for each participant, with nothing of its own to compute."""
    folder.mkdir(parents=True)
    (folder / "step.py").touch()
    (folder / "step.yaml").write_text("channels: [conda-forge]\n")
    target = (
        # As in ours, common.smk.
        "import gc\n"
        "gc.set_threshold(200_000, 50, 50)\n"
        "rule all:\n"
        f"    input: [f'results/{steps - 1}/sub-{{n}}.txt' for n in range({participants})]\n"
        "wildcard_constraints:\n"
        "    unit='sub-[A-Za-z0-9]+',\n"
    )
    rules = (BARE.format(step=step, settings="x" * 300) for step in range(steps))
    (folder / "Snakefile").write_text(target + "".join(rules))


# Runs Snakemake, and says at the end how much memory that took.
TOLD = """
import atexit, runpy, sys
from pathlib import Path

@atexit.register
def tell():
    sys.stderr.write(Path("/proc/self/status").read_text())

sys.argv[0] = "snakemake"
runpy.run_module("snakemake", run_name="__main__")
"""


class Skeleton:
    """A data set of so many participants, and Snakemake on it."""

    def __init__(self, folder: Path, participants: int):
        self.folder = folder
        write_skeleton(folder / "bids", participants=participants)
        (folder / "film.mp4").write_bytes(b"-")

    def snakemake(self, *arguments: str) -> subprocess.CompletedProcess:
        """Run Snakemake in the folder of the data set."""
        return subprocess.run(
            [
                *(sys.executable, "-c", TOLD, "--cores", "2"),
                *("--snakefile", str(PROJECT / "Snakefile")),
                *("--directory", str(self.folder)),
                *("--configfile", str(PROJECT / "config.yaml")),
                *("--config", f"bids_dir={self.folder / 'bids'}", f"film={self.folder}/film.mp4"),
                *arguments,
            ],
            cwd=PROJECT,
            env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )

    def cost(self, *arguments: str) -> tuple[float, str]:
        """Return the processor time of one call in seconds, and what it said."""
        return cost(self.snakemake, *arguments)


def cost(snakemake: Snakemake, *arguments: str) -> tuple[float, str]:
    """Return the processor time of one call in seconds, and what it said."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = snakemake(*arguments)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    text = done.stdout + done.stderr
    if done.returncode:
        raise RuntimeError(text[-2000:])
    spent = (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
    return spent, text


def plan_bare(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Plan the bare workflow in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "2", "-n", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def dag_plan() -> list[dict]:
    """Plan from nothing for 30, 300 and 1,000 participants: time, growth, memory."""
    start = time.perf_counter()
    seconds, memory = {}, {}
    for participants, repeats in REPEATS.items():
        with tempfile.TemporaryDirectory() as folder:
            study = Skeleton(Path(folder) / "study", participants)
            plans = [study.cost("-n") for _ in range(repeats)]
        seconds[participants] = [spent for spent, _ in plans]
        memory[participants] = [peak_memory(text) for _, text in plans]
    took = time.perf_counter() - start
    growth = min(seconds[1000]) / min(seconds[300]) / (1000 / 300)
    return [
        *(
            row(
                f"dag_plan_{participants}",
                values,
                unit="s of processor time",
                goal=GOALS[participants],
                better="lower",
                seconds=took,
            )
            for participants, values in seconds.items()
        ),
        row(
            "dag_growth",
            [growth],
            unit="time a participant, 1,000 over 300",
            goal=1.1,
            better="lower",
            seconds=took,
        ),
        row("dag_memory_1000", memory[1000], unit="MB", goal=2000, better="lower", seconds=took),
    ]


def dag_bare(participants: int = 1000) -> list[dict]:
    """Plan a bare Snakemake workflow with as many jobs, and ours: the one is the other's limit."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        study = Skeleton(Path(folder) / "study", participants)
        bare = Path(folder) / "bare"
        turns = []
        # By turns: what else the machine does, it does to both.
        for _ in range(TURNS):
            ours, text = study.cost("-n")
            if not bare.exists():
                write_bare(bare, participants, steps=round(jobs_planned(text) / participants))
            turns.append((ours, cost(partial(plan_bare, bare))[0]))
    seconds = time.perf_counter() - start
    return [
        row(
            f"dag_bare_{participants}",
            [theirs for _, theirs in turns],
            unit="s of processor time, a bare workflow with as many jobs: the least there can be",
            goal=GOALS[participants],
            better="lower",
            seconds=seconds,
        ),
        row(
            f"dag_over_bare_{participants}",
            [ours / theirs for ours, theirs in turns],
            unit="times as long as a bare workflow with as many jobs",
            goal=1.5,
            better="lower",
            seconds=seconds,
        ),
    ]


def dag_done() -> list[dict]:
    """How long it takes to say that there is nothing to do, for 30 participants."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        study = Skeleton(Path(folder) / "study", 30)
        finish(study.snakemake, study.folder)
        calls = [study.cost() for _ in range(3)]
    if not all("Nothing to be done" in text for _, text in calls):
        raise RuntimeError(calls[0][1][-2000:])
    return [
        row(
            "dag_done_30",
            [spent for spent, _ in calls],
            unit="s of processor time",
            goal=6,
            better="lower",
            seconds=time.perf_counter() - start,
        )
    ]


CLAIMS = {function.__name__: function for function in (dag_plan, dag_bare, dag_done)}
