"""A real SLURM for tests: munged, slurmctld and one slurmd for each of a few virtual nodes.

Everything listens on loopback and lies in one folder, but for three links in /etc/slurm: the job
step of the executor plugin drops SLURM_CONF from the environment of its srun, which then looks
there. It takes root, and it refuses a machine that has a SLURM of its own. A machine has one at a
time: a second run of the tests waits for the first.
"""

import os
import shutil
import signal
import socket
import sys
import time
from pathlib import Path

import processes
from filelock import FileLock, Timeout

ETC = Path("/etc/slurm")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun")
PORT = 16817
PATH = os.environ["PATH"] + ":/usr/sbin"
#: Held while a SLURM of the tests is up; the same for every run of the tests on this machine.
LOCK = Path("/var/tmp/stim2bold-slurm.lock")
PROJECT = Path(__file__).parents[2]
#: Snakemake as it runs on a cluster's login node.
HEAD = PROJECT / ".venv-cluster" / "bin" / "python"
#: Asked for where a study of the tests is not like a user's: files are seen at once here, and jobs
#: find the environment of the tests by their PATH.
SWIFT = (
    *("--seconds-between-status-checks", "2", "--slurm-init-seconds-before-status-checks", "1"),
    *("--latency-wait", "5", "--workflow-profile", "none"),
    *("--software-deployment-method", "env-modules"),
)
#: Jobs at once. The executor looks less and less often at jobs of which none ends, up to minutes:
#: with few at a time it would wait more than they work.
JOBS = 6
#: As much as another run of the tests may need it for, in seconds.
PATIENCE = 1200


def missing() -> str | None:
    """Say what this machine lacks to run a SLURM, if anything."""
    absent = [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]
    if absent:
        return (
            f"no {', '.join(absent)}: install Debian's slurmctld slurmd slurm-client munge "
            "to run these tests"
        )
    return None if os.geteuid() == 0 else "starting a SLURM takes root"


def run(*command: str) -> str:
    """Run one of SLURM's programs; return what it says."""
    return processes.run(command, seconds=30, env=environment()).stdout


def environment() -> dict[str, str]:
    """The environment without anything that names another SLURM."""
    return {k: v for k, v in os.environ.items() if not k.startswith("SLURM_")} | {"PATH": PATH}


def memory_is_limited_by_kernel() -> bool:
    """Whether memory and freezer are cgroups of version 1 that can be written."""
    mounts = Path("/proc/mounts").read_text()
    groups = [f"/sys/fs/cgroup/{name}" for name in ("memory", "freezer")]
    return all(
        f"cgroup {group} cgroup " in mounts and os.access(group, os.W_OK) for group in groups
    )


def on_slurm(root: Path, *arguments: str, seconds: float) -> str:
    """Run a copy of the project by the jobs of a SLURM; return what Snakemake said."""
    return processes.succeed(
        [
            *(HEAD, "-m", "snakemake", "--profile", "profiles/slurm", *SWIFT),
            *("--jobs", str(JOBS), "--configfile", "config.yaml", *arguments),
        ],
        cwd=root,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        seconds=seconds,
    )


class Slurm:
    """A SLURM with nodes node1, node2, ... in the partitions cpu and gpu.

    Parameters
    ----------
    folder : Path
        For its state and logs; made anew.
    nodes, cpus, memory : int
        How many nodes, and what each claims (memory in MB); more than is there is allowed.
    """

    def __init__(self, folder: Path, *, nodes: int = 2, cpus: int = 8, memory: int = 32_000):
        self.folder = folder
        self.names = [f"node{number}" for number in range(1, nodes + 1)]
        self.cpus, self.memory = cpus, memory
        self.kernel = memory_is_limited_by_kernel()
        self.lock = FileLock(LOCK)

    def start(self) -> None:
        """Wait for another run of the tests to be done with its own, start it, wait for its nodes.

        Raises
        ------
        RuntimeError
            If another run holds the machine's SLURM for too long, the machine has one of its own,
            or it does not come up.
        """
        try:
            self.lock.acquire(timeout=PATIENCE)
        except Timeout:
            raise RuntimeError(
                f"another run of the tests has had a SLURM up for {PATIENCE} s ({LOCK}); wait for "
                "it or end it"
            ) from None
        for name in self.configuration():
            if (ETC / name).exists() and not (ETC / name).is_symlink():
                raise RuntimeError(f"{ETC / name}: this machine has its own SLURM")
        if (ETC / "slurm.conf").is_symlink():
            # Of a run that was killed: whoever held the lock is gone, its daemons need not be.
            end_daemons(Path(os.readlink(ETC / "slurm.conf")).parent)
        for name in ("munge", "state", "log", "run", *self.names):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "munge").chmod(0o700)
        key = self.folder / "munge" / "key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        for name, text in self.configuration().items():
            (self.folder / name).write_text(text)
            ETC.mkdir(exist_ok=True)
            (ETC / name).unlink(missing_ok=True)
            (ETC / name).symlink_to(self.folder / name)
        self.call(
            "munged",
            f"--key-file={key}",
            f"--socket={self.folder}/run/munge.sock",
            f"--pid-file={self.folder}/run/munged.pid",
            f"--log-file={self.folder}/log/munged.log",
            f"--seed-file={self.folder}/munge/seed",
            "--force",
        )
        self.call("slurmctld")
        for name in self.names:
            self.start_node(name)
        self.wait_for_nodes(len(self.names))

    def call(self, *command: str) -> None:
        """Start a daemon, which returns when it has gone to the background."""
        done = processes.run(command, seconds=30, env=environment())
        if done.returncode:
            raise RuntimeError(f"{command[0]}: {done.stdout}{done.stderr}")

    def start_node(self, name: str) -> None:
        """Start the daemon of a node."""
        self.call("slurmd", "-N", name)

    def kill_node(self, name: str) -> None:
        """End a node as a power cut would: its daemon and all that it started."""
        daemon = daemon_of(self.folder / "run" / f"slurmd.{name}.pid")
        job_steps = [
            pid
            for pid in map(int, filter(str.isdigit, os.listdir("/proc")))
            if f"SLURMD_NODENAME={name}\0".encode() in read_bytes(f"/proc/{pid}/environ")
        ]
        stepds = {parent(pid) for pid in job_steps}
        stepds = {pid for pid in stepds if b"slurmstepd" in read_bytes(f"/proc/{pid}/cmdline")}
        for pid in [daemon, *stepds, *job_steps]:
            if pid:
                with_no_such_process_ignored(pid, signal.SIGKILL)

    def wait_for_nodes(self, number: int, *, seconds: float = 60) -> None:
        """Wait until so many nodes are idle."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not daemon_of(self.folder / "run" / "slurmctld.pid"):
                time.sleep(0.2)
                continue
            idle = run("sinfo", "-h", "-N", "-t", "idle", "-p", "cpu", "-o", "%N").split()
            if len(idle) >= number:
                return
            time.sleep(0.2)
        logs = "\n".join(path.read_text()[-1500:] for path in self.folder.glob("log/*.log"))
        raise RuntimeError(f"SLURM did not come up:\n{logs}")

    def queue(self, states: str = "PENDING,RUNNING,COMPLETING") -> list[str]:
        """Return the ids of the jobs in these states."""
        return run("squeue", "-h", "-t", states, "-o", "%i").split()

    def jobs(self) -> list[dict[str, str]]:
        """Return what SLURM knows of each job it still remembers, oldest first."""
        records = run("scontrol", "show", "job", "--oneliner").splitlines()
        return [
            dict(item.partition("=")[::2] for item in record.split() if "=" in item)
            for record in records
            if record.startswith("JobId=")
        ]

    def cancel_all(self) -> None:
        """Cancel what is queued or runs, and wait for it to be gone."""
        if not daemon_of(self.folder / "run" / "slurmctld.pid"):
            return
        run("scancel", "--user=root")
        end = time.monotonic() + 15
        while self.queue() and time.monotonic() < end:
            time.sleep(0.2)

    def stop(self) -> None:
        """Cancel what is queued, end the daemons, take the links away, let the next one start."""
        if not self.lock.is_locked:
            return
        try:
            self.cancel_all()
        finally:
            end_daemons(self.folder)
            for name in self.configuration():
                link = ETC / name
                if link.is_symlink() and Path(os.readlink(link)).parent == self.folder:
                    link.unlink()
            self.lock.release()

    def configuration(self) -> dict[str, str]:
        """Return the three files of a configuration by name."""
        host, folder = socket.gethostname().split(".")[0], self.folder
        lines = [
            "ClusterName=tests",
            f"SlurmctldHost={host}(127.0.0.1)",
            "SlurmUser=root",
            "SlurmdUser=root",
            "SlurmdParameters=config_overrides",
            "AuthType=auth/munge",
            f"AuthInfo=socket={folder}/run/munge.sock",
            "CommunicationParameters=NoCtldInAddrAny,NoInAddrAny",
            f"SlurmctldPort={PORT}",
            f"SlurmdPort={PORT + 1}",
            f"StateSaveLocation={folder}/state",
            f"SlurmdSpoolDir={folder}/%n",
            f"SlurmctldPidFile={folder}/run/slurmctld.pid",
            f"SlurmdPidFile={folder}/run/slurmd.%n.pid",
            f"SlurmctldLogFile={folder}/log/slurmctld.log",
            f"SlurmdLogFile={folder}/log/slurmd.%n.log",
            "MpiDefault=none",
            "SelectType=select/cons_tres",
            "SelectTypeParameters=CR_Core_Memory",
            "DefMemPerCPU=300",
            "SchedulerType=sched/backfill",
            "SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,bf_interval=5",
            "PriorityType=priority/basic",
            "ReturnToService=2",
            "SlurmdTimeout=15",
            "KillWait=5",
            "MinJobAge=7200",
            "AccountingStorageType=accounting_storage/none",
            "JobAcctGatherType=jobacct_gather/linux",
            "JobAcctGatherFrequency=task=2",
            "GresTypes=gpu",
            *(
                ["ProctrackType=proctrack/cgroup", "TaskPlugin=task/cgroup"]
                if self.kernel
                # Without the kernel's help, memory is looked at every two seconds.
                else [
                    "ProctrackType=proctrack/linuxproc",
                    "TaskPlugin=task/none",
                    "JobAcctGatherParams=OverMemoryKill",
                ]
            ),
            *(
                f"NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={PORT + number} "
                f"CPUs={self.cpus} RealMemory={self.memory} Gres=gpu:1 State=UNKNOWN"
                for number, name in enumerate(self.names, start=1)
            ),
            "PartitionName=cpu Nodes=ALL Default=YES MaxTime=1-0 DefaultTime=5 State=UP",
            "PartitionName=gpu Nodes=ALL MaxTime=1-0 DefaultTime=5 State=UP",
        ]
        cgroup = ["CgroupAutomount=no"]
        if self.kernel:
            cgroup += [
                "CgroupPlugin=cgroup/v1",
                "CgroupMountpoint=/sys/fs/cgroup",
                "ConstrainRAMSpace=yes",
                "ConstrainSwapSpace=yes",
                "AllowedSwapSpace=0",
            ]
        return {
            "slurm.conf": "\n".join(lines) + "\n",
            # No GPU is there: a file that can be opened stands in for one.
            "gres.conf": "Name=gpu File=/dev/zero\n",
            "cgroup.conf": "\n".join(cgroup) + "\n",
        }


def daemon_of(path: Path) -> int | None:
    """Return the process id in a daemon's file, None where it runs no more.

    A number is given again to another process; that one is no daemon of ours.
    """
    try:
        pid = int(path.read_text())
    except (OSError, ValueError):
        return None
    name = path.name.partition(".")[0].encode()
    return pid if name in read_bytes(f"/proc/{pid}/cmdline").partition(b"\0")[0] else None


def end_daemons(folder: Path) -> None:
    """End the daemons of a SLURM, nodes first: what does not end when told is killed."""
    for path in sorted(folder.glob("run/*.pid"), key=lambda path: "slurmd" not in path.name):
        pid = daemon_of(path)
        if pid and with_no_such_process_ignored(pid, signal.SIGTERM):
            end = time.monotonic() + 10
            while daemon_of(path) == pid and time.monotonic() < end:
                time.sleep(0.1)
            if daemon_of(path) == pid:
                with_no_such_process_ignored(pid, signal.SIGKILL)


def read_bytes(path: str) -> bytes:
    """Return what a file of /proc holds; nothing where the process is gone."""
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""


def parent(pid: int) -> int:
    """Return the parent of a process, 0 where it is gone."""
    fields = read_bytes(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    return int(fields[1]) if fields else 0


def with_no_such_process_ignored(pid: int, number: int) -> bool:
    """Send a signal; return whether there was a process to take it."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True
