"""The tiny study, run once for all tests that look at its results."""

import json
import os
import sys
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from compared import files
from processes import run
from project_copy import copy_project

PROJECT = Path(__file__).parents[2]
TINY = Path(__file__).with_name("tiny.yaml")


class Study:
    """A copy of the project, and Snakemake in it."""

    def __init__(self, root: Path):
        self.root = root
        self.results = root / "results"
        self.names = root / "made.json"

    @property
    def made(self) -> set[str]:
        """The files of the first run, without those that tests asked for by name since."""
        return set(json.loads(self.names.read_text()))

    def snakemake(self, *arguments: str, timeout: float = 2400) -> CompletedProcess:
        """Run Snakemake with the tiny configuration over the shipped one."""
        binaries = Path(sys.executable).parent
        return run(
            [
                *(str(binaries / "snakemake"), "--cores", "2"),
                *("--configfile", "config.yaml", str(TINY)),
                *arguments,
            ],
            cwd=self.root,
            env={**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"},
            seconds=timeout,
        )


@pytest.fixture(scope="session")
def new_study():
    """Return a function that copies the project to a folder, to run another study there."""

    def make(root: Path) -> Study:
        copy_project(root)
        return Study(root)

    return make


@pytest.fixture(scope="session")
def tiny_study(store, new_study):
    """The tiny study after one run, in a folder whose name a shell must not take apart."""

    def make(root: Path) -> None:
        study = new_study(root)
        run = study.snakemake()
        assert run.returncode == 0, (run.stdout + run.stderr)[-6000:]
        study.names.write_text(json.dumps(sorted(files(study.results))))

    name = "it's a $(tiny) study; really"
    return Study(store.folder(name, make, configuration=TINY.read_text()))


def pytest_collection_modifyitems(items):
    """Let the test that waits for the tiny study wait as long as that may take."""
    for item in items:
        waits = "tiny_study" in getattr(item, "fixturenames", ())
        if waits and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(2700))
