"""A program of a test ends in its time, whoever holds its output open."""

import os
import re
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest
from processes import Program, run, wait_until

TESTS = Path(__file__).parents[2]
#: Starts a child that keeps the output open, in a session of its own, and waits for it.
PARENT = (
    "import subprocess, sys; print('begun', flush=True);"
    "child = subprocess.Popen(['sleep', '300'], start_new_session=True);"
    "print(child.pid, flush=True); child.wait()"
)


def test_what_it_says_and_how_it_ends_are_returned():
    line = "import sys; print('ü'); print('no', file=sys.stderr); sys.exit(3)"
    done = run([sys.executable, "-c", line], seconds=60)
    assert (done.returncode, done.stdout, done.stderr) == (3, "ü\n", "no\n")


def test_at_the_limit_all_that_it_started_is_killed():
    program = Program([sys.executable, "-c", PARENT])
    wait_until(lambda: program.said().count("\n") == 2, seconds=30)
    child = psutil.Process(int(program.said().split()[1]))
    began = time.monotonic()
    with pytest.raises(AssertionError, match=r"not done after 0.5 s: begun"):
        program.ended(seconds=0.5)
    assert time.monotonic() - began < 20
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_who_lost_its_parent_is_killed_too():
    program = Program(["bash", "-c", "(sleep 300 & echo $!); sleep 300"])
    wait_until(program.said, seconds=30)
    orphan = psutil.Process(int(program.said()))
    wait_until(lambda: orphan.ppid() != program.process.pid, seconds=30)
    program.kill()
    assert not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE


def test_an_end_is_not_waited_for_where_a_child_lives_on():
    """A daemon has its parent's output; `subprocess.run` would wait for it."""
    began = time.monotonic()
    program = Program(["bash", "-c", "sleep 60 & echo done"])
    assert program.ended(seconds=30).stdout == "done\n"
    assert time.monotonic() - began < 20
    program.kill()


def test_an_interrupt_arrives_though_it_is_ignored_here():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        program = Program(
            [sys.executable, "-c", "print(1, flush=True); import time; time.sleep(60)"]
        )
    finally:
        signal.signal(signal.SIGINT, before)
    wait_until(program.said, seconds=30)
    os.kill(program.process.pid, signal.SIGINT)
    assert "KeyboardInterrupt" in program.ended(seconds=20).stderr


def test_looking_at_what_was_said_does_not_move_what_follows():
    program = Program(["bash", "-c", "for n in $(seq 40); do echo $n; sleep 0.02; done"])
    for _ in range(20):
        program.said()
        time.sleep(0.02)
    assert program.ended(seconds=30).stdout.split() == [str(n) for n in range(1, 41)]


def test_a_wait_has_an_end():
    with pytest.raises(AssertionError, match="not within 0.3 s"):
        wait_until(lambda: False, seconds=0.3)


@pytest.mark.parametrize("folder", ["integration", "workflow"])
def test_what_starts_programs_of_programs_runs_them_so(folder):
    paths = list((TESTS / folder).glob("*.py"))
    assert len(paths) > 5
    for path in paths:
        assert not re.search(r"subprocess\.(run|Popen|check_\w+|call)\(", path.read_text()), path
