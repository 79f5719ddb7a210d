"""A run of the workflow that is killed at random moments, and resumed as its user would."""

import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
from conda_machine import Conda, witnesses_of
from processes import Program, new_temporary, wait_until
from project_copy import copy_project

TINY = Path(__file__).parents[1] / "integration" / "tiny.yaml"


@dataclass
class Killed:
    """A study that is killed and resumed until it is done.

    Parameters
    ----------
    root : Path
        Where the project is copied to, and runs.
    cores : int
    seconds : float
        What one run may take at the most.
    targets : tuple of str
        What is to be made; nothing names all.
    machine : Conda, optional
        Where every rule runs in its conda environment; by default all run in this one.

    Attributes
    ----------
    snapshots : list of Path
        What lay under results at each kill.
    told : list of str
        What Snakemake said when it was started again.
    """

    root: Path
    cores: int
    seconds: float = 2400
    targets: tuple[str, ...] = ()
    machine: Conda | None = None
    snapshots: list[Path] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        copy_project(self.root)

    @property
    def results(self) -> Path:
        """The folder of results."""
        return self.root / "results"

    def start(self, *arguments: str) -> Program:
        """Start Snakemake as a user does, with the tiny configuration over the shipped one."""
        binaries = Path(sys.executable).parent
        if self.machine:
            profile = ("--profile", "profiles/conda")
            environment = self.machine.environment(witnesses_of(self.root))
        else:
            profile = ()
            path = f"{binaries}{os.pathsep}{os.environ['PATH']}"
            environment = {**os.environ, "PATH": path}
        return Program(
            [
                *(binaries / "snakemake", *profile, "--cores", str(self.cores)),
                *("--configfile", "config.yaml", TINY, *arguments, "--", *self.targets),
            ],
            cwd=self.root,
            env={**environment, "TMPDIR": new_temporary(self.root)},
        )

    def kill_at(
        self, finished: int, delay: float, *, meanwhile: Callable[[], object] | None = None
    ) -> None:
        """Run until so many jobs are finished, and some seconds more; then kill -9 all of it.

        Parameters
        ----------
        finished : int
        delay : float
            Seconds.
        meanwhile : callable, optional
            Called when the first job is at work.

        Raises
        ------
        AssertionError
            If the run ended before.
        """
        program = self.start()
        ended = program.process.poll
        try:
            wait_until(
                lambda: "Execute " in program.said() or ended() is not None, seconds=self.seconds
            )
            if meanwhile:
                meanwhile()
            wait_until(
                lambda: n_finished(program.said()) >= finished or ended() is not None,
                seconds=self.seconds,
            )
            time.sleep(delay)
            assert ended() is None, f"it was over before it was killed: {program.said()[-3000:]}"
            os.killpg(program.process.pid, signal.SIGKILL)
            program.process.wait(20)
            wait_until(lambda: not at_work(self.root), seconds=20)
        finally:
            program.kill()
        self.snapshots.append(self.root / f"killed-{len(self.snapshots) + 1}")
        # Files are replaced and never changed, so that a link keeps what was there.
        shutil.copytree(self.results, self.snapshots[-1], copy_function=os.link)

    def refused(self) -> None:
        """Start once more, where a run is at work or was killed, and be refused."""
        done = self.start().ended(seconds=self.seconds)
        self.told.append(done.stdout + done.stderr)
        assert done.returncode != 0, self.told[-1][-4000:]

    def unlock(self) -> None:
        """Remove the lock, as the message says that refuses a run."""
        done = self.start("--unlock").ended(seconds=self.seconds)
        assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]

    def finish(self) -> None:
        """Run to the end."""
        done = self.start().ended(seconds=self.seconds)
        assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]


def moments(seed: int, n: int, *, jobs: int) -> list[tuple[int, float]]:
    """Draw when a run is killed: after how many finished jobs, and how many seconds later.

    Parameters
    ----------
    seed, n : int
        Of the draw, and how often the run is killed.
    jobs : int
        How many jobs it has; all kills together leave some of them undone.
    """
    rng = np.random.default_rng(seed)
    return [
        (int(finished), float(delay))
        for finished, delay in zip(
            rng.integers(0, jobs // n, size=n),
            rng.uniform(0, 5, size=n),
            strict=True,
        )
    ]


def n_finished(said: str) -> int:
    """Return how many jobs are finished, by what Snakemake said."""
    return len(re.findall(r"^Finished jobid: ", said, re.MULTILINE))


def at_work(folder: Path) -> list[psutil.Process]:
    """Return the processes that run in a folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()) == folder and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found
