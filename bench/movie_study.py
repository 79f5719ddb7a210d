"""Measured claims of real movie BOLD as a lab would bring it: derivatives, own features, no film.

Seventeen people, one segment of 390 s, from its files to the report on two cores.
"""

import json
import logging
import tempfile
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import yaml
from brains import MOVIE, SEGMENTS, TR
from claims import row
from deployment import here
from fmriprep_names import describe
from project_copy import copy_project

from stim2bold.io.files import read_table
from stim2bold.report.provenance import costs

log = logging.getLogger(__name__)
N = 17
MODELS = ("ridge", "banded", "vae", "vae-group")
SPACES = ("annotations", "text", "lowlevel")
SPACE = "MNI152NLin2009cAsym"
# What the data set does not tell; a column that is the same in every row is no regressor.
CONFOUNDS = [f"{kind}_{axis}" for kind in ("trans", "rot") for axis in "xyz"]
CONFOUNDS += ["csf", "white_matter"]


def write_run(folder: Path, series: np.ndarray, ijk: np.ndarray, affine: np.ndarray, shape) -> None:
    """Write one participant's series (volumes, voxels), brain mask and confounds as derivatives."""
    stem = f"{folder.parent.name}_task-film"
    known = np.isfinite(series).all(axis=0) & (series.std(axis=0) > 0)
    place = tuple(ijk[known].T)
    image = np.zeros((*shape, len(series)), dtype=np.float32)
    # Percent of a mean of 1,000, as fMRIPrep's series have one.
    image[place] = 1000 + 10 * series[:, known].T
    mask = np.zeros(shape, dtype=np.uint8)
    mask[place] = 1
    folder.mkdir(parents=True)
    for values, name in ((image, "desc-preproc_bold"), (mask, "desc-brain_mask")):
        volume = nib.Nifti1Image(values, affine)
        if values.ndim == 4:
            volume.header.set_zooms((*volume.header.get_zooms()[:3], TR))
        volume.header.set_xyzt_units("mm", "sec")
        nib.save(volume, folder / f"{stem}_space-{SPACE}_{name}.nii.gz")
    sidecar = {"RepetitionTime": TR, "TaskName": "film", "StartTime": TR / 2}
    path = folder / f"{stem}_space-{SPACE}_desc-preproc_bold.json"
    path.write_text(json.dumps(sidecar), encoding="utf-8")
    table = pd.DataFrame(0.0, index=range(len(series)), columns=CONFOUNDS)
    name = f"{stem}_desc-confounds_timeseries.tsv"
    table.to_csv(folder / name, sep="\t", index=False)


def write_study(root: Path, segment: tuple[int, int]) -> Path:
    """Write a segment of everybody as a study in `root`; return its configuration."""
    start, stop = segment
    derivatives, raw = root / "fmriprep", root / "raw"
    raw.mkdir(parents=True)
    named = {"Name": "Movie", "BIDSVersion": "1.10.0"}
    (raw / "dataset_description.json").write_text(json.dumps(named), encoding="utf-8")
    with np.load(MOVIE, allow_pickle=False) as data:
        for number in range(1, N + 1):
            series = data[f"bold_{number:02d}"][start:stop].astype(np.float32)
            folder = derivatives / f"sub-{number:02d}" / "func"
            write_run(folder, series, data["ijk"], data["affine"], tuple(data["shape"]))
        for name in SPACES:
            values = np.nan_to_num(data[f"features_{name}"][start:stop])
            table = pd.DataFrame(values, columns=[f"f{k}" for k in range(values.shape[1])])
            table = table.assign(onset=TR * np.arange(stop - start), duration=TR)
            table.to_csv(root / f"{name}.tsv", sep="\t", index=False)
    describe(derivatives)
    path = root / "movie.yaml"
    path.write_text(
        yaml.safe_dump(
            {
                "bids_dir": str(raw),
                "own_features": {name: {"file": str(root / f"{name}.tsv")} for name in SPACES},
                "sources": {"film": list(SPACES), **{name: [name] for name in SPACES}},
                "directions": [f"{name}2bold" for name in ("film", *SPACES)],
                "blocks": {"seconds": 30},
                "preprocessing": {"derivatives": str(derivatives), "cleaning": {"mask": "brain"}},
            }
        ),
        encoding="utf-8",
    )
    return path


def real_study() -> list[dict]:
    """Real movie BOLD through the whole product: mean r of each direction's models, and minutes."""
    if not MOVIE.is_file():
        return []
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        project = root / "project"
        copy_project(project)
        here(project, str(write_study(root / "study", SEGMENTS[0])))
        seconds = time.monotonic() - begun
        log.info("%s", pd.DataFrame(costs(project / "results" / "benchmarks")).to_string())
        scores = read_table(project / "results" / "scores" / "summary.tsv")
    return rows_of(scores, seconds)


def rows_of(scores: pd.DataFrame, seconds: float) -> list[dict]:
    """Return minutes, and mean r over people of each direction's models."""
    what = f"movie BOLD of {N} people, features brought, no film"
    options = {"seconds": seconds}
    unit = f"min of two cores, {what}: all, to the report"
    rows = [row("real_study_minutes", [seconds / 60], unit=unit, better="lower", **options)]
    r = scores.set_index(["direction", "model"])["r"]
    for direction in scores["direction"].unique():
        for model in MODELS:
            name = f"real_study_{direction}_{model.replace('-', '_')}_r"
            unit = f"r, {model} of {direction}, {what}"
            rows.append(row(name, [r[direction, model]], unit=unit, better="higher", **options))
    return rows


CLAIMS = {real_study.__name__: real_study}
