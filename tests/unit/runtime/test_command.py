import logging
import subprocess
import sys
from pathlib import Path

import pytest

from stim2bold.runtime.command import progress, run
from stim2bold.runtime.errors import InputError

SCRIPTS = Path(__file__).parents[3] / "workflow" / "scripts"


def test_bad_input_ends_a_script_with_one_line():
    def main():
        raise InputError("film.mp4", "has no sound", "give the film as it was shown")

    with pytest.raises(SystemExit) as end:
        run(main)
    assert end.value.code == "error: film.mp4: has no sound; give the film as it was shown"


def test_a_script_that_runs_out_of_memory_says_so():
    def main():
        raise MemoryError("Unable to allocate 9 TiB")

    with pytest.raises(SystemExit, match=r"memory ran out \(Unable to allocate 9 TiB\).*mem_mb"):
        run(main)


def test_a_fault_of_ours_is_not_hidden():
    def main():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(main)


def test_progress_passes_everything_on(capsys):
    logging.getLogger().handlers.clear()
    assert list(progress(iter("abc"), "letters", total=3)) == ["a", "b", "c"]
    assert "letters: 100%" in capsys.readouterr().err


def test_a_cancelled_script_leaves_nothing_half_written(tmp_path):
    program = (
        "import time; from stim2bold.runtime.command import run\n"
        "from stim2bold.io.files import replacing\n"
        "def main():\n"
        f"    with replacing({str(tmp_path / 'out.txt')!r}) as path:\n"
        "        path.write_text('half'); print('begun', flush=True); time.sleep(60)\n"
        "run(main)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(SCRIPTS)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout.readline() == "begun\n"
    assert list(tmp_path.iterdir())
    child.terminate()
    assert child.wait(timeout=20) == 1
    assert child.stderr.read() == "cancelled\n"
    assert not list(tmp_path.iterdir())
    child.stdout.close()
    child.stderr.close()
