"""Measured claims of resuming: runs of the tiny study, killed at random moments and resumed.

An undisturbed run is what they are compared to (`tests/compared.py`), file by file.
"""

import logging
import sys
import tempfile
import time
from pathlib import Path

PROJECT = Path(__file__).parents[1]
sys.path[:0] = [str(PROJECT / part) for part in ("bench", "tests", "workflow/scripts")]

from claims import row  # noqa: E402
from compared import differences, files, largest  # noqa: E402
from killed import Killed, moments  # noqa: E402

#: Cores of each run, and how often it is killed: twenty times in all.
RUNS = ((1, 7), (2, 7), (2, 6))
#: Of the tiny study, at the least.
JOBS = 100
#: One run may take so long on a busy machine.
SECONDS = 7200
log = logging.getLogger(__name__)


def resume_killed() -> list[dict]:
    """Kill runs from nothing twenty times and resume them; compare what is there, and the end."""
    start = time.perf_counter()
    equal, truncated, apart = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        undisturbed = Killed(Path(folder) / "undisturbed", cores=2, seconds=SECONDS)
        undisturbed.finish()
        for seed, (cores, kills) in enumerate(RUNS):
            study = Killed(Path(folder) / f"killed-{seed}", cores=cores, seconds=SECONDS)
            for finished, delay in moments(seed, kills, jobs=JOBS):
                study.kill_at(finished, delay)
                study.unlock()
                here = study.snapshots[-1]
                wrong = differences(here, undisturbed.results, names=files(here))
                log.info("%d files at a kill, not as at the end: %s", len(files(here)), wrong)
                truncated.append(len(wrong))
            study.finish()
            wrong = differences(study.results, undisturbed.results)
            log.info("killed %d times on %d cores; different: %s", kills, cores, wrong)
            equal += [float(not wrong)] * kills
            apart.append(largest(study.results, undisturbed.results))
    seconds = time.perf_counter() - start
    return [
        row(
            "resume_equal",
            equal,
            unit="share of kills after which the results were those of an undisturbed run",
            goal=1,
            better="higher",
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
            apart,
            unit="largest difference of two runs, of an array's largest value",
            goal=1e-6,
            better="lower",
            seconds=seconds,
            statistic=max,
        ),
    ]


CLAIMS = {resume_killed.__name__: resume_killed}
