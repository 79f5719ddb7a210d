"""One row of the table of benchmarks, and what several claims are measured by."""

import re
from collections.abc import Callable

import numpy as np


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

    Raises
    ------
    ValueError
        When what is trivial reaches the goal: such a goal says nothing.
    statistic : callable
        What is told of the values.
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
