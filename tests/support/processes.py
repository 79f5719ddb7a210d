"""Programs that tests run: each ends within its time, and with it all that it started.

What they say goes to files. A pipe is open as long as any child of a child holds it, and whoever
reads it waits for that child, whatever time was set for the program itself.
"""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

import psutil


class Program:
    """A program in a session of its own.

    Parameters
    ----------
    command : sequence of str
        What to run. A name is looked up on the PATH of this process.
    cwd : Path, optional
        Where it runs.
    env : mapping, optional
        Its environment, in place of this process's.

    Attributes
    ----------
    process : subprocess.Popen
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ):
        self.out, self.err = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115
        # In the background of a script SIGINT is ignored, and so by all that is started there. Not
        # by preexec_fn: between fork and exec that can wait for ever for a lock of another thread.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            self.process = subprocess.Popen(
                [str(part) for part in command],
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=self.out,
                stderr=self.err,
                start_new_session=True,
            )
        finally:
            signal.signal(signal.SIGINT, before)

    def said(self) -> str:
        """Return what it has said so far: its output, then its errors."""
        return text_of(self.out) + text_of(self.err)

    def ended(self, *, seconds: float) -> subprocess.CompletedProcess:
        """Wait for its end and return how it ended, with what it said.

        Raises
        ------
        AssertionError
            If it has not ended within so many seconds; then it is killed with all it started.
        """
        try:
            code = self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"not done after {seconds:g} s: {self.said()[-4000:]}") from None
        except BaseException:
            self.kill()
            raise
        return subprocess.CompletedProcess(
            self.process.args, code, text_of(self.out), text_of(self.err)
        )

    def kill(self) -> None:
        """Kill it and all that it started, wherever that has got to."""
        family = {*descendants(self.process.pid), *session(self.process.pid)}
        for one in family:
            try:
                one.kill()
            except psutil.NoSuchProcess:
                continue
        self.process.wait(timeout=20)
        psutil.wait_procs(family, timeout=20)


def new_temporary(folder: Path) -> str:
    """Return a folder for the temporary files of what is killed: it cannot remove them."""
    path = folder.parent / f"{folder.name}-temporary"
    path.mkdir(exist_ok=True)
    return str(path)


def text_of(file: IO[bytes]) -> str:
    """Return what is in a file; the place where others write to it stays where it is."""
    number = file.fileno()
    return os.pread(number, os.fstat(number).st_size, 0).decode(errors="replace")


def descendants(pid: int) -> list[psutil.Process]:
    """Return a process with its children and theirs; nothing where it is gone."""
    try:
        one = psutil.Process(pid)
        return [one, *one.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def session(leader: int) -> list[psutil.Process]:
    """Return the processes of a session; those that lost their parent are still in it."""
    found = []
    for one in psutil.process_iter():
        try:
            if os.getsid(one.pid) == leader:
                found.append(one)
        except (ProcessLookupError, PermissionError):
            continue
    return found


def run(
    command: Sequence[str | Path],
    *,
    seconds: float,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess:
    """Run a program to its end; see `Program`."""
    return Program(command, cwd=cwd, env=env).ended(seconds=seconds)


def succeed(command: Sequence[str | Path], *, seconds: float, **options) -> str:
    """Run a program that must succeed, see `Program`; return what it said."""
    done = run(command, seconds=seconds, **options)
    text = done.stdout + done.stderr
    assert done.returncode == 0, text[-6000:]
    return text


def wait_until(what, *, seconds: float) -> None:
    """Wait until a function returns something true.

    Raises
    ------
    AssertionError
        If it does not within so many seconds.
    """
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, f"not within {seconds:g} s"
        time.sleep(0.2)
