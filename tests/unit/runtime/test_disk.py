"""A disk that is full, or that can only be read: one line, nothing half-written, no crash."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from small_disk import SmallDisk, missing

from stim2bold.runtime import disk
from stim2bold.runtime.command import run

SCRIPTS = Path(__file__).parents[3] / "workflow" / "scripts"
#: A program that writes about 2 MB as each kind of file of the workflow is written.
WRITER = """
import sys
import numpy as np
from stim2bold.runtime.command import run

path, kind = sys.argv[1:]
noise = np.random.default_rng(0).standard_normal((1000, 500)).astype(np.float32)

def table():
    import pandas as pd
    from stim2bold.io.files import write_table
    write_table(path, pd.DataFrame(noise[:, :200]))

def array():
    import xarray as xr
    from stim2bold.io.arrays import write_array
    write_array(path, xr.DataArray(noise, dims=("time", "voxel"), name="bold"))

def rows():
    from stim2bold.io.feature_rows import write_rows
    write_rows(path, ((np.arange(10.0), part) for part in np.split(noise, 100)), {})

def image():
    import nibabel as nib
    from stim2bold.io.files import replacing
    with replacing(path) as temporary:
        nib.save(nib.Nifti1Image(noise.reshape(100, 100, 50), np.eye(4)), temporary)

def checkpoint():
    from pathlib import Path
    from stim2bold.vae.checkpoints import Checkpoint
    Checkpoint(Path(path), "it").save({"weight": noise}, {})

def sound():
    from stim2bold.stimulus.audio import write_wav
    from stim2bold.io.files import replacing
    with replacing(path) as temporary:
        write_wav(temporary, np.tile(noise.ravel(), 4), 44100)

def picture():
    from PIL import Image
    from stim2bold.io.files import replacing
    with replacing(path) as temporary:
        Image.fromarray(noise.view(np.uint8).reshape(1000, 500, 4)).save(temporary)

run({f.__name__: f for f in (table, array, rows, image, checkpoint, sound, picture)}[kind])
"""
KINDS = {
    "table": "it's a table.tsv",
    "array": "bold.nc",
    "rows": "features.nc",
    "image": "bold.nii.gz",
    "checkpoint": "kept.safetensors",
    "sound": "music.wav",
    "picture": "sheet.png",
}


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory):
    """A disk of 1 MB. Where none can be mounted the tests are skipped; in CI they fail."""
    if why := missing():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(why)
    found = SmallDisk(tmp_path_factory.mktemp("disk"), 1)
    yield found
    found.close()


def write(small_disk: SmallDisk, kind: str) -> subprocess.CompletedProcess:
    """Write a file of a kind on the disk."""
    return subprocess.run(
        small_disk.inside(sys.executable, "-c", WRITER, small_disk.folder / KINDS[kind], kind),
        env={**os.environ, "PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_disk_ends_a_script_with_one_line_and_keeps_the_old_file(small_disk, kind):
    path = small_disk.outside / KINDS[kind]
    path.write_text("old")
    done = write(small_disk, kind)
    assert done.returncode == 1, done
    said = f"error: {small_disk.folder / KINDS[kind]}: the disk is full; free some space"
    assert done.stderr.splitlines()[-1].startswith(said), done.stderr
    assert "Traceback" not in done.stderr
    assert [found.name for found in small_disk.outside.iterdir()] == [path.name]
    assert path.read_text() == "old"
    path.unlink()


def test_with_space_the_same_script_writes_its_file(small_disk):
    path = small_disk.outside / KINDS["array"]
    small_disk.resize(20)
    try:
        done = write(small_disk, "array")
        assert done.returncode == 0, done.stderr
        assert path.stat().st_size > 1e6
    finally:
        path.unlink()
        small_disk.resize(1)


def test_a_disk_that_can_only_be_read_is_named(small_disk):
    small_disk.protect()
    try:
        done = write(small_disk, "table")
    finally:
        small_disk.release()
    assert done.returncode == 1
    name = small_disk.folder / KINDS["table"]
    assert done.stderr.startswith(f"error: {name}: the disk can only be read; "), done.stderr
    assert list(small_disk.outside.iterdir()) == []


@pytest.mark.parametrize("code", [errno.EDQUOT, errno.EACCES, errno.EFBIG])
def test_other_faults_of_the_disk_are_one_line(code):
    def main():
        raise OSError(code, os.strerror(code), "results/bold/sub-01.nc")

    with pytest.raises(SystemExit) as end:
        run(main)
    assert end.value.code == f"error: results/bold/sub-01.nc: {disk.REMEDIES[code]}"


def test_a_file_that_is_not_there_is_a_fault_of_ours():
    def main():
        Path("/nowhere").read_text()

    with pytest.raises(FileNotFoundError):
        run(main)


def test_a_folder_that_can_be_written_is_no_problem(tmp_path):
    assert disk.unwritable(tmp_path / "results" / "bold") is None
    assert disk.full(tmp_path / "results") is None


def test_a_folder_that_cannot_be_written_is_told(small_disk):
    small_disk.protect()
    try:
        program = (
            "import sys; from stim2bold.runtime.disk import unwritable\n"
            "print(unwritable(sys.argv[1]))"
        )
        done = subprocess.run(
            small_disk.inside(sys.executable, "-c", program, small_disk.folder / "results"),
            env={**os.environ, "PYTHONPATH": str(SCRIPTS)},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    finally:
        small_disk.release()
    assert done.stdout.startswith(f"{small_disk.folder / 'results'}: the disk can only be read; ")
