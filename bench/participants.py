"""Measured claims of what participants cost, at the size of those of ds003688.

Two are simulated: 641 volumes of 4 mm at a TR of 0.608 s, a T1w image of 1 mm, 13 blocks of 30 s of
film. Everything runs from nothing on two cores: the data first, then the film's features, then all
the rest, whose time is the participants'.
"""

import logging
import tempfile
import time
from pathlib import Path

import pandas as pd
from claims import memory_of_two, row
from deployment import here
from project_copy import copy_project

from stim2bold.report.provenance import costs

log = logging.getLogger(__name__)
N = 2
SIZE = f"""
simulation:
  participants: {N}
  block_seconds: 30.0
  images:
    t1w_voxel: 1.0
    bold_voxel: 4.0
"""


def study_participants() -> list[dict]:
    """Minutes of a participant and of the film's features, and the largest memory of two jobs."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        copy_project(root)
        (root / "size.yaml").write_text(SIZE, encoding="utf-8")
        here(root, "size.yaml", "--until", "simulate_dataset", "simulate_participant")
        moments = [time.monotonic()]
        for until in (("--until", "resample_features"), ()):
            here(root, "size.yaml", *until)
            moments.append(time.monotonic())
        benchmarks = root / "results" / "benchmarks"
        rules, memory = pd.DataFrame(costs(benchmarks)), memory_of_two(benchmarks)
    log.info("seconds and MB by rule:\n%s", rules.round(1).to_string(index=False))
    options = {"better": "lower", "seconds": time.monotonic() - begun}
    return [
        row(
            "study_participant_minutes",
            [(moments[2] - moments[1]) / N / 60],
            unit=f"min of two cores, one of {N} participants: all but the film's features",
            goal=8,
            **options,
        ),
        row(
            "study_features_minutes",
            [(moments[1] - moments[0]) / 60],
            unit="min of two cores, the features of 390 s of film",
            goal=6,
            **options,
        ),
        row("study_memory", [memory], unit="GB, the two largest jobs at once", goal=6, **options),
    ]


CLAIMS = {study_participants.__name__: study_participants}
