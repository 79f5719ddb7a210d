"""One row of the table of benchmarks, and what several claims are measured by."""

import re
from collections.abc import Callable

import numpy as np


def row(
    claim: str,
    values: list[float] | np.ndarray,
    *,
    unit: str,
    goal: float,
    better: str,
    seconds: float,
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
    goal : float
        What the value must reach.
    better : {'higher', 'lower'}
        Which side of the goal is good.
    seconds : float
        How long the measurement took.
    statistic : callable
        What is told of the values.
    """
    values = np.asarray(values, dtype=float)
    return {
        "claim": claim,
        "area": claim.split("_")[0],
        "value": float(statistic(values)),
        "unit": unit,
        "goal": goal,
        "better": better,
        "n": values.size,
        "min": float(values.min()),
        "max": float(values.max()),
        "seconds": round(seconds, 1),
    }


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """Return the overlap of two masks."""
    return 2 * float((a & b).sum()) / float(a.sum() + b.sum())


def peak_memory(status: str) -> float:
    """Return the most memory that a process held, in MB, by its `/proc/self/status`.

    Not `ru_maxrss`: that begins with what the program held that started it.
    """
    return int(re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)[1]) / 1024
