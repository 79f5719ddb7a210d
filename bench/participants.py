"""Measured claims of what participants cost, at the size of those of ds003688.

Two are simulated: 641 volumes of 4 mm at a TR of 0.608 s, a T1w image of 1 mm, 13 blocks of 30 s of
film. Everything runs from nothing on two cores: the data first, then the film's features, then all
the rest, whose time is the participants'.
"""

import logging
import os
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from claims import row
from processes import succeed

PROJECT = Path(__file__).resolve().parents[1]
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
#: Each of the three calls may take this long, in seconds.
LIMIT = 3 * 3600
DATA = ("simulate_dataset", "simulate_participant")
FEATURES = ("resample_features",)


def seconds_of(root: Path, *until: str) -> float:
    """Run the study up to some rules, or to its end, on two cores; return seconds."""
    binaries = Path(sys.executable).parent
    begun = time.monotonic()
    succeed(
        [
            *(binaries / "snakemake", "--snakefile", PROJECT / "Snakefile", "--cores", "2"),
            *("--directory", root, "--configfile", PROJECT / "config.yaml", root / "size.yaml"),
            *(("--until", *until) if until else ()),
        ],
        cwd=PROJECT,
        env={**os.environ, "PATH": f"{binaries}:{os.environ['PATH']}"},
        seconds=LIMIT,
    )
    return time.monotonic() - begun


def costs(benchmarks: Path) -> pd.DataFrame:
    """Return jobs, minutes and the largest memory (GB) by rule, the dearest rule first."""
    jobs = pd.concat(
        pd.read_csv(path, sep="\t", na_values="-").assign(
            rule=path.relative_to(benchmarks).parts[0].removesuffix(".tsv")
        )
        for path in sorted(benchmarks.rglob("*.tsv"))
    )
    rules = jobs.groupby("rule").agg(
        jobs=("s", "size"), minutes=("s", "sum"), gb=("max_rss", "max")
    )
    rules["minutes"] /= 60
    rules["gb"] /= 1024
    return rules.sort_values("minutes", ascending=False)


def study_participants() -> list[dict]:
    """Minutes of a participant and of the film's features, and the largest memory of two jobs."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "size.yaml").write_text(SIZE, encoding="utf-8")
        parts = {"data": seconds_of(root, *DATA), "features": seconds_of(root, *FEATURES)}
        parts["participants"] = seconds_of(root)
        rules = costs(root / "results" / "benchmarks")
    log.info("minutes by rule:\n%s", rules.round(2).to_string())
    options = {"better": "lower", "seconds": time.monotonic() - begun}
    return [
        row(
            "study_participant_minutes",
            [parts["participants"] / N / 60],
            unit=f"min of two cores, one of {N} participants: all but the film's features",
            goal=8,
            **options,
        ),
        row(
            "study_features_minutes",
            [parts["features"] / 60],
            unit="min of two cores, the features of 390 s of film",
            goal=6,
            **options,
        ),
        row(
            "study_memory",
            [rules["gb"].nlargest(2).sum()],
            unit="GB, the two dearest rules at once",
            goal=6,
            **options,
        ),
    ]


CLAIMS = {study_participants.__name__: study_participants}
