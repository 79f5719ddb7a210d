"""Measured claims of deployment: the demo comes out the same however its jobs are run.

Once in the environment of this program, once with a conda environment for every rule (by the
tests' stand-in for conda, tests/conda/README.md) and once on a SLURM (`tests/support/slurm.py`):
all of it on this machine, each from nothing.
"""

import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from claims import row
from compared import differences
from conda_machine import Conda
from processes import succeed
from project_copy import copy_project
from slurm import Slurm, on_slurm

log = logging.getLogger(__name__)
#: Each way may take this long, in seconds.
LIMIT = 4 * 3600


def here(root: Path, *configuration: str) -> None:
    """Run the study in `root` by the default profile."""
    binaries = Path(sys.executable).parent
    succeed(
        [binaries / "snakemake", "--cores", "2", "--configfile", "config.yaml", *configuration],
        cwd=root,
        env={**os.environ, "PATH": f"{binaries}:{os.environ['PATH']}"},
        seconds=LIMIT,
    )


def with_conda(root: Path, *configuration: str) -> None:
    """Run the study in `root`, every rule in an environment of its own."""
    machine = Conda(root.parent / "machine")
    machine.snakemake(root, "conda", *configuration, seconds=LIMIT)


def with_slurm(root: Path, *configuration: str) -> None:
    """Run the study in `root` by the jobs of a SLURM."""
    cluster = Slurm(root.parent / "cluster")
    try:
        cluster.start()
        on_slurm(root, *configuration, seconds=LIMIT)
    finally:
        cluster.stop()


def three_ways(*configuration: str) -> list[dict]:
    """Run a study three ways, the demo if no further configuration is named, and compare."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="ways") as name:
        results = []
        ways: list[Callable] = [here, with_conda, with_slurm]
        for way in ways:
            root = Path(name) / way.__name__ / "study"
            copy_project(root)
            way(root, *configuration)
            log.info("%s: done after %.0f s", way.__name__, time.perf_counter() - start)
            results.append(root / "results")
        one, *others = results
        found = [differences(one, other) for other in others]
        log.info("different: %s", found)
    return [
        row(
            "dag_three_ways",
            [len(wrong) for wrong in found],
            unit="files of results that differ",
            goal=0,
            better="lower",
            statistic=np.max,
            seconds=time.perf_counter() - start,
        )
    ]


CLAIMS = {"dag_three_ways": three_ways}
