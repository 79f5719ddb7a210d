"""A run of the tests that leaves something behind fails, and says what it did not run."""

import os
import subprocess
import sys
from pathlib import Path

import processes
import psutil
import pytest

TESTS = Path(__file__).parents[2]
LEAVES = """
import subprocess, tempfile
import pytest
def test_one():
{body}
@pytest.mark.skip("no such machine")
def test_two(): pass
@pytest.mark.release
def test_three(): pass
"""


@pytest.fixture
def run_of(tmp_path):
    """Return a function that runs a file of tests with such a body, in a run of its own."""

    def run(body: str, *options: str) -> subprocess.CompletedProcess:
        path = tmp_path / "test_leaves.py"
        path.write_text(LEAVES.format(body=body))
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "S2B"))}
        return processes.run(
            [
                *(sys.executable, "-m", "pytest", "-q", "-p", "left_behind", "-m", "not release"),
                *("-p", "no:cacheprovider", "-o", "markers=release: x", *options, path),
            ],
            cwd=tmp_path,
            env={**environment, "PYTHONPATH": str(TESTS / "support"), "TMPDIR": str(tmp_path)},
            seconds=120,
        )

    return run


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_what_leaves_nothing_passes_and_what_was_not_run_is_listed(run_of, options):
    done = run_of("    tempfile.TemporaryFile().close()", *options)
    assert done.returncode == 0, done.stdout
    assert "1 tests: no such machine" in done.stdout
    assert "1 tests: only for a release: make test-all runs them" in done.stdout
    assert "left behind" not in done.stdout


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_a_process_that_still_runs_fails_the_run_and_is_ended(run_of, options):
    done = run_of("    subprocess.Popen(['sleep', '4321'], start_new_session=True)", *options)
    assert done.returncode == 1
    assert "sleep 4321" in done.stdout and "1 passed" in done.stdout
    assert ["sleep", "4321"] not in [
        one.info["cmdline"] for one in psutil.process_iter(["cmdline"])
    ]


@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_a_file_that_is_left_fails_the_run(run_of, options):
    done = run_of("    tempfile.mkstemp(suffix='.left')", *options)
    assert done.returncode == 1
    assert ".left" in done.stdout.partition("left behind")[2]
