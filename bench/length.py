"""Measured claims of long films: memory and time of training and of the linear models.

Each length is measured in a process of its own, since memory once held is not given back.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import planted
import xarray as xr
from claims import peak_memory, row
from shipped import shipped

from stim2bold.models import directions, folds
from stim2bold.models.ridge import RidgeSettings, predict_ridge
from stim2bold.vae import settings, training

HOURS = (0.5, 1.0, 2.0)
PATHS = [Path(__file__).resolve().parents[1] / part for part in ("workflow/scripts", "bench")]


def recording(hours: float, voxels: int) -> tuple[directions.Problem, dict]:
    """Return noise as long as a film, with a film's features, and its fold file."""
    difficulty = planted.Difficulty(n_blocks=round(hours * 120))
    content = planted.fold_file(difficulty)
    rng = np.random.default_rng(0)
    _, table = planted.film(difficulty, rng)
    # Drawn in place: the measurement is to hold nothing that a real run would not.
    series = np.empty((difficulty.n_rows, voxels), dtype=np.float32)
    for part in np.array_split(series, 20, axis=1):
        part[:] = rng.standard_normal(part.shape, dtype=np.float32)
    bold = xr.DataArray(series, dims=("time", "voxel"), coords={"time": table["time"]}, name="bold")
    problem = directions.assemble("video2bold", source=[table], target=bold, content=content)
    return problem, content


def fit_models(hours: float, voxels: int, n_folds: int, model: str) -> dict[str, float]:
    """Fit a model to some folds of a recording; return seconds of processor time and peak GB."""
    problem, content = recording(hours, voxels)
    splits = folds.read_folds(content)[: n_folds or None]
    begun = time.process_time()
    if model == "vae":
        training.fit(problem, splits, shipped(settings.VAESettings))
    else:
        predict_ridge(problem, splits, shipped(RidgeSettings), banded=model == "banded")
    spent = time.process_time() - begun
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return {"seconds": spent, "gigabytes": peak_memory(status) / 1024}


def measured(hours: float, voxels: int, *, n_folds: int = 0, model: str = "vae") -> dict:
    """Return what `fit_models` does in a process of its own; 0 folds are all."""
    arguments = [str(hours), str(voxels), str(n_folds), model]
    done = subprocess.run(
        [sys.executable, __file__, *arguments],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, PATHS))},
    )
    return json.loads(done.stdout.splitlines()[-1])


def length(*, voxels: int = 20_000) -> list[dict]:
    """Train on films of half an hour to two hours, all voxels and folds."""
    begun = time.monotonic()
    found = {hours: measured(hours, voxels) for hours in HOURS}
    seconds = time.monotonic() - begun
    options = {"better": "lower", "seconds": seconds}
    rows = []
    for hours, values in found.items():
        rows += [
            row(
                f"length_memory_{hours:g}h",
                [values["gigabytes"]],
                unit=f"GB, VAE, {voxels} voxels, {hours:g} h of film",
                goal=8.0,
                **options,
            ),
            row(
                f"length_time_{hours:g}h",
                [values["seconds"] / 60],
                unit=f"min of processor time, VAE, {voxels} voxels, {hours:g} h of film",
                **options,
            ),
        ]
    growth = np.log2(found[2.0]["seconds"] / found[1.0]["seconds"])
    unit = "power of the length by which time grows, from 1 h to 2 h"
    return [*rows, row("length_growth", [growth], unit=unit, goal=2.0, **options)]


CLAIMS: dict[str, Callable[[], list[dict]]] = {"length": length}

if __name__ == "__main__":
    hours, voxels, n_folds, model = sys.argv[1:]
    print(json.dumps(fit_models(float(hours), int(voxels), int(n_folds), model)))
