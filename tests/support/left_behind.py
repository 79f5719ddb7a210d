"""What a run of the tests leaves behind, and what it did not run.

A plugin, loaded by tests/conftest.py. At the end of a run a process that a test started and that
still runs, or a file outside pytest's own folders, fails the run; and what was skipped or left to
`make test-all` is listed with the reason.
"""

import os
import shutil
import subprocess
import tempfile
import uuid
from collections import Counter
from pathlib import Path

import psutil
import pytest

PROJECT = Path(__file__).parents[2]
#: Marks all that a run starts: it is inherited, also by what outlives its parent.
MARK = "STIM2BOLD_TEST_RUN"
#: Under which name a worker tells how many tests are left to a release.
RELEASE = "n_release"
#: Below the project, what a run may make: environments and caches.
CACHES = (".venv", ".venv-cluster", ".ruff_cache", ".hypothesis", ".snakemake", "__pycache__")


class LeftBehind:
    """Watches one run; only in the process that the user started, not in xdist's workers."""

    def __init__(self) -> None:
        self.mark = uuid.uuid4().hex
        self.before = files_of_the_project()
        self.faults: list[str] = []
        self.n_release = 0
        self.folder = Path(tempfile.mkdtemp(prefix="s2b-"))
        # Pytest keeps the folders of failed tests where they can be looked at afterwards.
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
        os.environ |= {MARK: self.mark, "TMPDIR": str(self.folder)}
        tempfile.tempdir = None

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Look, end what still runs, and fail the run where anything was found."""
        processes = still_running(self.mark)
        self.faults += [f"process {one.pid}: {command(one)}" for one in processes]
        for one in processes:
            one.kill()
        self.faults += [described(path) for path in sorted(self.folder.iterdir()) if not own(path)]
        shutil.rmtree(self.folder, ignore_errors=True)
        self.faults += [f"file {name}" for name in sorted(files_of_the_project() - self.before)]
        if self.faults and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Count what is left to a release, in a run without workers."""
        self.n_release = n_release(items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node) -> None:
        """Hear the same of a worker, which has collected all tests."""
        self.n_release = getattr(node, "workeroutput", {}).get(RELEASE, self.n_release)

    def pytest_terminal_summary(self, terminalreporter) -> None:
        """List what was not run, and what was left behind."""
        reasons = Counter(
            report.longrepr[2].removeprefix("Skipped: ")
            for report in terminalreporter.stats.get("skipped", [])
        )
        if self.n_release:
            reasons["only for a release: make test-all runs them"] = self.n_release
        if reasons:
            terminalreporter.section("not run")
            for reason, n in reasons.most_common():
                terminalreporter.line(f"{n} tests: {reason}")
        if self.faults:
            terminalreporter.section("left behind", red=True)
            for fault in self.faults:
                terminalreporter.line(fault, red=True)


class Deselected:
    """Tells, in a worker, how many tests are left to a release."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Note the number where the process that the user started finds it."""
        self.config.workeroutput[RELEASE] = n_release(items)


def n_release(items: list[pytest.Item]) -> int:
    """Count the tests that only `make test-all` runs."""
    return sum(item.get_closest_marker("release") is not None for item in items)


def own(path: Path) -> bool:
    """Say whether a folder is none of ours to remove.

    PyTorch makes one where it is imported, Chromium one for sound, and a Snakemake that a test
    kills cannot remove its own.
    """
    return path.name.startswith(("torchinductor_", "pulse-", "snakemake"))


def described(path: Path) -> str:
    """Name a file or folder with what tells who made it."""
    if path.is_dir():
        return f"folder {path} with {sorted(one.name for one in path.iterdir())}"
    content = path.read_bytes()
    return f"file {path} of {len(content)} bytes: {content[:80]!r}"


def files_of_the_project() -> set[str]:
    """Return what git does not track below the project, but for caches."""
    text = subprocess.check_output(
        ["git", "status", "--porcelain=v1", "-z", "--ignored", "--untracked-files=all"],
        cwd=PROJECT,
        text=True,
    )
    names = {entry[3:] for entry in text.split("\0") if entry[:2] in ("??", "!!")}
    return {name for name in names if not set(Path(name).parts) & set(CACHES)}


def still_running(mark: str) -> list[psutil.Process]:
    """Return the processes of a run, without this one, its parents and xdist's workers."""
    mine = {os.getpid(), *(one.pid for one in psutil.Process().parents())}
    # Workers end by themselves when the run does; execnet starts them by such a line.
    found = []
    for one in psutil.process_iter():
        try:
            if one.pid in mine or one.status() == psutil.STATUS_ZOMBIE:
                continue
            if one.environ().get(MARK) == mark and "sys.stdin.readline()" not in command(one):
                found.append(one)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def command(process: psutil.Process) -> str:
    """Return the command of a process, cut short."""
    try:
        return " ".join(process.cmdline())[:160]
    except psutil.NoSuchProcess:
        return "ended meanwhile"


def pytest_configure(config: pytest.Config) -> None:
    """Watch the run, in the process that the user started."""
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(Deselected(config), "left-behind-worker")
    else:
        config.pluginmanager.register(LeftBehind(), "left-behind-watch")
