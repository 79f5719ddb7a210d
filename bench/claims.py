"""One row of the table of benchmarks."""

import numpy as np

COMMAND = "make bench ROWS='{claim}'"


def row(claim: str, values: list[float], *, unit: str, goal: float, better: str, seconds: float):
    """Return one row of the table: the mean over seeds with smallest and largest."""
    return {
        "claim": claim,
        "area": claim.split("_")[0],
        "value": float(np.mean(values)),
        "unit": unit,
        "goal": goal,
        "better": better,
        "n": len(values),
        "min": float(np.min(values)),
        "max": float(np.max(values)),
        "seconds": seconds,
        "command": COMMAND.format(claim=claim),
    }
