"""The standard difficulty on the drawn film: its real features and sound, planted voxels as arrays.

The film of 13 x 30 s and its features are made by the workflow, once, in results/bench/standard;
what images and their preprocessing would add is left out, so that many seeds can be measured.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import planted
import xarray as xr
import yaml

from stim2bold.io.arrays import read_array, read_dataset
from stim2bold.io.files import read_json

PROJECT = Path(__file__).resolve().parents[1]
ROOT = PROJECT / "results" / "bench" / "standard"
FILES = {
    "i3d": "results/features/i3d_rgb.nc",
    "mel": "results/features/mel.nc",
    "blocks": "results/features/blocks.nc",
    "annotations": "results/features/annotations.nc",
    "folds": "results/folds.json",
    "truth": "results/simulated/truth/film_features.nc",
}
FILM = "results/simulated/film.mp4"


def make(*targets: str) -> None:
    """Have the workflow make files of the film, below `ROOT`, where that was not done."""
    ROOT.mkdir(parents=True, exist_ok=True)
    settings = ROOT / "standard.yaml"
    settings.write_text(yaml.safe_dump({"simulation": {"block_seconds": 30.0, "participants": 1}}))
    subprocess.run(
        [
            *("snakemake", "--snakefile", str(PROJECT / "Snakefile"), "--cores", "2"),
            *("--configfile", str(PROJECT / "config.yaml"), str(settings)),
            *("--rerun-triggers", "mtime", "--", *targets),
        ],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        check=True,
    )


def film() -> Path:
    """Return the film."""
    make(FILM)
    return ROOT / FILM


def read(*names: str) -> dict:
    """Return the film's tables and its fold file; all, or those named."""
    files = {name: ROOT / FILES[name] for name in names or FILES}
    make(*(FILES[name] for name in files))
    readers = {"folds": read_json, "truth": read_dataset}
    return {name: readers.get(name, read_array)(path) for name, path in files.items()}


def planted_bold(
    truth: xr.Dataset,
    times: np.ndarray,
    rng: np.random.Generator,
    *,
    kinds: tuple[str, ...] = ("visual", "auditory", "language"),
    null: bool = False,
    voxels: int = 600,
    difficulty: planted.Difficulty = planted.Difficulty(),  # noqa: B008
) -> xr.DataArray:
    """Return BOLD of voxels that follow the film's planted dimensions at the ceiling.

    Parameters
    ----------
    truth : Dataset
        film_features.nc.
    times : ndarray of shape (n_rows,)
        Film times of the volumes.
    rng : Generator
    kinds : tuple of str
        Whose dimensions: those of the picture (visual), of the sound (auditory, language).
    null : bool
        Whether nothing is planted.
    voxels : int
    difficulty : planted.Difficulty
        Ceiling and noise.
    """
    kind = np.isin(truth["kind"].values.astype(str), kinds)
    dimensions = truth["planted"].values[: len(times), kind]
    weights = np.sqrt(truth["share"].values[kind])[:, None] * rng.standard_normal(
        (kind.sum(), voxels)
    )
    signal = dimensions @ weights
    signal = (signal - signal.mean(axis=0)) / signal.std(axis=0)
    c = 0.0 if null else difficulty.ceiling
    noise = planted.noise((len(times), voxels), difficulty, rng)
    series = c * signal + np.sqrt(1 - c**2) * noise
    return xr.DataArray(
        series.astype(np.float32), dims=("time", "voxel"), coords={"time": times}, name="bold"
    )
