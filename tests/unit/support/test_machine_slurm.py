"""The SLURM of the tests: one at a time on a machine, and no process ended that is not its own."""

import os
import signal

import pytest
import slurm
from filelock import FileLock
from processes import Program


@pytest.fixture
def lock(tmp_path, monkeypatch):
    path = tmp_path / "slurm.lock"
    monkeypatch.setattr(slurm, "LOCK", path)
    monkeypatch.setattr(slurm, "PATIENCE", 0.5)
    return path


def test_a_second_run_waits_and_then_says_why(lock, tmp_path):
    cluster = slurm.Slurm(tmp_path / "slurm")
    with (
        FileLock(lock),
        pytest.raises(RuntimeError, match="another run of the tests has had a SLURM up for 0.5 s"),
    ):
        cluster.start()
    # What it has not started it does not stop: neither the other's daemons nor the links.
    cluster.stop()
    assert not (tmp_path / "slurm").exists()


def test_the_next_may_start_though_this_one_could_not(lock, tmp_path, monkeypatch):
    etc = tmp_path / "etc"
    etc.mkdir()
    (etc / "slurm.conf").write_text("# of the machine's own")
    monkeypatch.setattr(slurm, "ETC", etc)
    cluster = slurm.Slurm(tmp_path / "slurm")
    with pytest.raises(RuntimeError, match="this machine has its own SLURM"):
        cluster.start()
    cluster.stop()
    assert (etc / "slurm.conf").exists()
    with FileLock(lock, timeout=0):
        pass


def test_a_number_that_another_process_has_now_is_let_alone(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "slurmctld.pid").write_text(f"{os.getpid()}\n")
    (tmp_path / "run" / "munged.pid").write_text("")
    assert slurm.daemon_of(tmp_path / "run" / "slurmctld.pid") is None
    slurm.end_daemons(tmp_path)


def test_daemons_of_a_run_that_was_killed_are_ended(tmp_path):
    (tmp_path / "run").mkdir()
    program = Program(["bash", "-c", "exec -a munged sleep 300"])
    path = tmp_path / "run" / "munged.pid"
    path.write_text(str(program.process.pid))
    while not slurm.daemon_of(path):
        assert program.process.poll() is None
    slurm.end_daemons(tmp_path)
    assert program.process.wait(timeout=20) == -signal.SIGTERM
