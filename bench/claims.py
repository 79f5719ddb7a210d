"""One row of the table of benchmarks, and what several claims are measured by."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import binom


def row(
    claim: str,
    values: list[float] | np.ndarray,
    *,
    unit: str,
    better: str,
    seconds: float,
    goal: float | None = None,
    trivial: float | None = None,
    statistic: Callable[[np.ndarray], float] = np.mean,
) -> dict:
    """Return one row of the table: a statistic over repetitions, with smallest and largest.

    Parameters
    ----------
    claim : str
        Its name; the first word is its area.
    values : list of float or array
        One for each seed, repetition or thing measured.
    unit : str
        Of the value, and what it is.
    better : {'higher', 'lower'}
        Which side of the goal is good.
    seconds : float
        How long the measurement took.
    goal : float, optional
        What the value must reach: one that it can miss. Without a goal the row is reported, no
        more.
    trivial : float, optional
        What the same measure gives where nothing is known (the training mean, guessing, nothing
        planted); by it a reader sees what the goal is worth.
    statistic : callable
        What is told of the values.

    Raises
    ------
    ValueError
        When what is trivial reaches the goal: such a goal says nothing.
    """
    values = np.asarray(values, dtype=float)
    if goal is not None and trivial is not None and reaches(trivial, goal, better):
        raise ValueError(f"{claim}: knowing nothing gives {trivial}, which reaches {goal}")
    return {
        "claim": claim,
        "area": claim.split("_")[0],
        "value": float(statistic(values)),
        "unit": unit,
        "goal": np.nan if goal is None else goal,
        "trivial": np.nan if trivial is None else trivial,
        "better": better,
        "n": values.size,
        "min": float(values.min()),
        "max": float(values.max()),
        "seconds": round(seconds, 1),
    }


def most_false(n: int) -> int:
    """Return how many of n are false at a level of 0.05, in all but one of twenty benches."""
    return int(binom.ppf(0.95, n, 0.05))


def memory_of_two(benchmarks: Path) -> float:
    """Return what the two largest jobs take together, GB, by Snakemake's benchmarks of all jobs."""
    tables = [pd.read_csv(path, sep="\t", na_values="-") for path in benchmarks.rglob("*.tsv")]
    return float(pd.concat(tables)["max_rss"].nlargest(2).sum() / 1024)


def reaches(value: float, goal: float, better: str) -> bool:
    """Tell whether a value is on the good side of a goal."""
    return value >= goal if better == "higher" else value <= goal


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """Return the overlap of two masks."""
    return 2 * float((a & b).sum()) / float(a.sum() + b.sum())


def peak_memory(status: str) -> float:
    """Return the most memory that a process held, in MB, by its `/proc/self/status`.

    Not `ru_maxrss`: that begins with what the program held that started it.
    """
    return int(re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)[1]) / 1024
