"""Snakemake, run as a user runs it."""

import os
import sys
from pathlib import Path
from subprocess import CompletedProcess

import processes
import pytest

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def snakemake(tmp_path):
    """Return a function that runs Snakemake on the project, with results in a test's folder."""

    def run(*arguments: str, timeout: float = 120) -> CompletedProcess:
        binaries = Path(sys.executable).parent
        return processes.run(
            [
                str(binaries / "snakemake"),
                "--snakefile",
                str(PROJECT / "Snakefile"),
                "--configfile",
                str(PROJECT / "config.yaml"),
                "--directory",
                str(tmp_path),
                "--cores",
                "2",
                *arguments,
            ],
            cwd=PROJECT,
            env={**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"},
            seconds=timeout,
        )

    return run
