"""A full disk, and one that can only be read, under a run of the workflow."""

import os
import sys
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from processes import run
from project_copy import copy_project
from small_disk import SmallDisk, missing

TINY = Path(__file__).with_name("tiny.yaml")
#: Made in seconds; the first of all steps.
MADE = ("dataset_description.json", "participants.json", "participants.tsv", "README")
TARGET = f"results/simulated/bids/{MADE[0]}"
FIX = "and run the same command again"


@pytest.fixture
def new_disk():
    """Return a function that makes a disk. Without disks we skip, but in CI we fail."""
    if why := missing():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(why)
    made = []

    def make(folder: Path, megabytes: float) -> SmallDisk:
        made.append(SmallDisk(folder, megabytes))
        return made[-1]

    yield make
    for disk in made:
        disk.close()


def snakemake(root: Path, disk: SmallDisk) -> CompletedProcess:
    """Run the first step of the tiny study where the disk is seen."""
    binaries = Path(sys.executable).parent
    command = [
        *(str(binaries / "snakemake"), "--cores", "1"),
        *("--configfile", "config.yaml", str(TINY), "--", TARGET),
    ]
    return run(
        disk.inside("sh", "-c", 'cd "$0" && exec "$@"', str(root), *command),
        env={**os.environ, "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}"},
        seconds=200,
    )


def refused(done: CompletedProcess) -> str:
    """Return what a run said that had to fail, but not by a fault of ours."""
    assert done.returncode != 0
    text = done.stdout + done.stderr
    assert "Traceback" not in text, text
    return text


def test_full_and_protected_results(new_disk, tmp_path):
    root = tmp_path / "it's a study; really"
    copy_project(root)
    disk = new_disk(root / "results", 1)
    disk.protect()
    assert f"results: the disk can only be read; make it one that can be written {FIX}" in (
        refused(snakemake(root, disk))
    )
    assert list(disk.outside.iterdir()) == []
    disk.release()
    disk.fill(but=2 * 4096)
    assert f"results: the disk is full; free some space {FIX}" in refused(snakemake(root, disk))
    # Neither half a file nor a temporary one.
    assert not [path for path in disk.outside.rglob("*") if path.name.startswith(".writing")]
    assert not [name for name in MADE if (disk.outside / "simulated/bids" / name).exists()]
    disk.free()
    done = snakemake(root, disk)
    assert done.returncode == 0, done.stderr
    assert all((disk.outside / "simulated/bids" / name).stat().st_size for name in MADE)


def test_a_protected_disk_under_everything(new_disk, tmp_path):
    root = tmp_path / "study"
    disk = new_disk(root, 50)
    copy_project(disk.outside)
    disk.protect()
    assert ".snakemake: the disk can only be read;" in refused(snakemake(root, disk))
    disk.release()
    done = snakemake(root, disk)
    assert done.returncode == 0, done.stderr
    made = disk.outside / "results/simulated/bids"
    assert all((made / name).stat().st_size for name in MADE)
