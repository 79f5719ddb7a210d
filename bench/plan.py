"""Measured claims of planning: what Snakemake's own plan costs, by number of participants.

The data sets have the shape of ds003688 (`tests/skeleton.py`). A plan is one thread's work, so that
its processor time is what it takes on a machine that does nothing else.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).parents[1]
sys.path[:0] = [str(PROJECT / part) for part in ("bench", "tests")]

from claims import row  # noqa: E402
from finished import finish  # noqa: E402
from skeleton import write_skeleton  # noqa: E402

GOALS = {30: 5.0, 300: 15.0, 1000: 40.0}
REPEATS = {30: 3, 300: 2, 1000: 2}


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
                *(sys.executable, "-m", "snakemake", "--cores", "2"),
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
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = self.snakemake(*arguments)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        text = done.stdout + done.stderr
        if done.returncode:
            raise RuntimeError(text[-2000:])
        spent = (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
        return spent, text


def dag_plan() -> list[dict]:
    """Plan from nothing for 30, 300 and 1,000 participants: time, growth, memory."""
    start = time.perf_counter()
    seconds = {}
    for participants, repeats in REPEATS.items():
        with tempfile.TemporaryDirectory() as folder:
            study = Skeleton(Path(folder) / "study", participants)
            seconds[participants] = [study.cost("-n")[0] for _ in range(repeats)]
    # The largest child so far is the plan of the largest data set.
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
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
        row("dag_memory_1000", [memory], unit="MB", goal=2000, better="lower", seconds=took),
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


CLAIMS = {function.__name__: function for function in (dag_plan, dag_done)}
