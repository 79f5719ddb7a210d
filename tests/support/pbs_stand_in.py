"""Stands in for qsub, qstat and qdel of a PBS of one node; run under one of these names.

Jobs are processes of this machine, each in a session of its own, their records in the folder that
PBS_STAND_IN names. What PBS_KILLED names is killed at its first attempt, without a word, as a
cluster kills a job that takes too long.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

FOLDER = Path(os.environ["PBS_STAND_IN"])
#: Runs a script, then writes its exit status; what is killed writes none.
RUN = (
    'echo $$ > "$1.pid"; sh "$2" > "$1.out" 2>&1; echo $? > "$1.writing"; mv "$1.writing" "$1.exit"'
)


def qsub(arguments: list[str]) -> None:
    """Start a job and say its id."""
    *options, script = arguments
    asked = dict(zip(options[:-1], options[1:], strict=True))
    number = len(list(FOLDER.glob("*.json"))) + 1
    record = FOLDER / f"{number}.json"
    wanted = [value for flag, value in zip(options, options[1:], strict=False) if flag == "-l"]
    earlier = [json.loads(path.read_text())["name"] for path in FOLDER.glob("*.json")]
    record.write_text(json.dumps({"name": asked["-N"], "wanted": wanted}))
    killed = asked["-N"] == os.environ.get("PBS_KILLED") and asked["-N"] not in earlier
    subprocess.Popen(
        ["sh", "-c", f"{RUN[:RUN.index(';')]}; kill -9 $$" if killed else RUN, "job",
         str(record.with_suffix("")), script],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    print(f"{number}.server")


def qstat(arguments: list[str]) -> None:
    """Say whether a job has ended, and how."""
    base = FOLDER / arguments[-1].removesuffix(".server")
    if not base.with_suffix(".json").exists():
        sys.exit(f"qstat: Unknown Job Id {arguments[-1]}")
    print(f"Job Id: {arguments[-1]}")
    if base.with_suffix(".exit").exists():
        print(
            f"    job_state = F\n    Exit_status = {base.with_suffix('.exit').read_text().strip()}"
        )
    elif base.with_suffix(".pid").exists() and not running(base):
        print("    job_state = F\n    Exit_status = 271")
    else:
        print("    job_state = R")


def qdel(arguments: list[str]) -> None:
    """Kill jobs with all that they started."""
    for name in arguments:
        base = FOLDER / name.removesuffix(".server")
        if running(base):
            os.killpg(int(base.with_suffix(".pid").read_text()), signal.SIGKILL)


def running(base: Path) -> bool:
    """Whether the leader of a job's session is there."""
    try:
        pid = int(base.with_suffix(".pid").read_text())
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, ValueError):
        return False
    return state != "Z"


if __name__ == "__main__":
    {"qsub": qsub, "qstat": qstat, "qdel": qdel}[sys.argv[1]](sys.argv[2:])
