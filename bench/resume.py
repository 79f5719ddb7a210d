"""Measured claims of resuming: runs of the tiny study, killed at random moments and resumed.

An undisturbed run is what they are compared to (`tests/support/compared.py`), file by file.
"""

import logging
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).parents[1]
sys.path[:0] = [str(PROJECT / part) for part in ("bench", "tests/support", "workflow/scripts")]

from claims import row  # noqa: E402
from compared import differences, files, largest  # noqa: E402
from killed import Killed, moments  # noqa: E402

#: How often the run is killed.
KILLS = 20
#: Of the tiny study, at the least.
JOBS = 100
#: One run may take so long on a busy machine.
SECONDS = 7200
log = logging.getLogger(__name__)


def resume_killed() -> list[dict]:
    """Kill a run from nothing twenty times and resume it; compare what is there, and the end."""
    start = time.perf_counter()
    truncated = []
    with tempfile.TemporaryDirectory() as folder:
        undisturbed = Killed(Path(folder) / "undisturbed", cores=2, seconds=SECONDS)
        undisturbed.finish()
        log.info("undisturbed: done after %.0f s", time.perf_counter() - start)
        study = Killed(Path(folder) / "killed", cores=2, seconds=SECONDS)
        for kill, (finished, delay) in enumerate(moments(0, KILLS, jobs=JOBS), start=1):
            study.kill_at(finished, delay)
            study.unlock()
            here = study.snapshots[-1]
            wrong = differences(here, undisturbed.results, names=files(here))
            log.info("kill %d: of %d files not as at the end: %s", kill, len(files(here)), wrong)
            truncated.append(len(wrong))
        study.finish()
        wrong = differences(study.results, undisturbed.results)
        log.info("killed %d times; different: %s", KILLS, wrong)
        apart = largest(study.results, undisturbed.results)
    seconds = time.perf_counter() - start
    return [
        row(
            "resume_different",
            [len(wrong)],
            unit=f"files of a run killed {KILLS} times that are not those of an undisturbed run",
            goal=0,
            better="lower",
            seconds=seconds,
        ),
        row(
            "resume_truncated",
            truncated,
            unit="files at a kill that were not whole",
            goal=0,
            better="lower",
            seconds=seconds,
        ),
        row(
            "rerun_deterministic",
            [apart],
            unit="largest difference of two runs, of an array's largest value",
            goal=1e-6,
            better="lower",
            seconds=seconds,
        ),
    ]


CLAIMS = {resume_killed.__name__: resume_killed}
