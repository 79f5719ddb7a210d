"""A small healthy BIDS study: two participants, a film of 108 s, nine blocks, annotations."""

import copy
import json
from pathlib import Path

import nibabel as nib
import numpy as np
import yaml
from itk_files import write_affines, write_composite
from planted_film import grey, write_film

PROJECT = Path(__file__).resolve().parents[2]
TR = 1.0
N_VOLUMES = 108
BLOCKS = [(12.0 * k, 12.0, ("music", "speech")[k % 2]) for k in range(9)]


def configuration(**settings) -> dict:
    """Return the shipped configuration with some keys at the top replaced or, sections, updated."""
    config = yaml.safe_load((PROJECT / "config.yaml").read_text())
    for key, value in copy.deepcopy(settings).items():
        section = isinstance(config[key], dict) and isinstance(value, dict) and key != "exclude"
        config[key] = config[key] | value if section else value
    return config


def save_series(
    path: Path, data: np.ndarray, *, voxel: float = 4.0, TR: float = TR, dtype: str = "float32"
) -> None:
    """Write a series whose header is whole."""
    image = nib.Nifti1Image(data.astype(dtype), np.diag([voxel] * 3 + [1.0]))
    image.set_sform(image.affine, 1)
    image.header.set_zooms((voxel, voxel, voxel, TR))
    image.header.set_xyzt_units("mm", "sec")
    path.parent.mkdir(parents=True, exist_ok=True)
    image.to_filename(path)


def save_volume(path: Path, data: np.ndarray, *, voxel: float = 1.0) -> None:
    """Write a volume whose header is whole."""
    image = nib.Nifti1Image(data.astype("float32"), np.diag([voxel] * 3 + [1.0]))
    image.set_sform(image.affine, 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    image.to_filename(path)


def events_text(blocks: list[tuple]) -> str:
    """Return an events table."""
    rows = [f"{onset:.3f}\t{duration:.3f}\t{kind}" for onset, duration, kind in blocks]
    return "\n".join(["onset\tduration\ttrial_type", *rows]) + "\n"


def write_run(
    bids: Path,
    name: str,
    *,
    seed: int,
    blocks: list[tuple] = BLOCKS,
    n_volumes: int = N_VOLUMES,
    ending: str = ".nii.gz",
) -> None:
    """Write a series with its sidecar and events; a session in the name makes its folder."""
    folder = bids.joinpath(*[part for part in name.split("_") if part[:4] in ("sub-", "ses-")])
    noise = np.random.default_rng(seed).normal(100, 5, size=(5, 5, 5, n_volumes))
    save_series(folder / "func" / f"{name}_bold{ending}", noise)
    sidecar = {"RepetitionTime": TR, "TaskName": "film"}
    (folder / "func" / f"{name}_bold.json").write_text(json.dumps(sidecar))
    if blocks:
        (folder / "func" / f"{name}_events.tsv").write_text(events_text(blocks))


def write_film_of(path: Path, seconds: float = 108.0) -> None:
    """Write a film of one frame a second, with sound; a last one fills the end."""
    times = [*map(float, range(int(seconds))), seconds - 0.04]
    pictures = [grey(int(20 + k % 200)) for k in range(len(times))]
    sound = np.zeros(int(16000 * seconds))
    write_film(path, times, pictures, sounds=[sound], end=float(seconds))


def write_study(root: Path, *, participants: int = 2) -> dict:
    """Write the study below `root` and return its configuration."""
    bids = root / "bids"
    bids.mkdir(parents=True)
    description = {"Name": "planted", "BIDSVersion": "1.10.0", "DatasetType": "raw"}
    (bids / "dataset_description.json").write_text(json.dumps(description))
    labels = [f"{number + 1:02d}" for number in range(participants)]
    (bids / "participants.tsv").write_text(
        "participant_id\tage\n" + "".join(f"sub-{label}\t30\n" for label in labels)
    )
    for number, label in enumerate(labels):
        write_run(bids, f"sub-{label}_task-film_run-1", seed=number)
        brain = np.random.default_rng(100 + number).normal(100, 9, size=(20, 20, 20))
        save_volume(bids / f"sub-{label}" / "anat" / f"sub-{label}_T1w.nii.gz", brain)
    for kind, columns in (("video", "onset\toffset"), ("sound", "item\tonset\toffset")):
        folder = bids / "stimuli" / "annotations" / kind
        folder.mkdir(parents=True)
        row = "1.0\t2.0" if kind == "video" else "ja\t1.0\t2.0"
        (folder / f"{kind}_annotation_thing.tsv").write_text(f"{columns}\n{row}\n")
    (folder / "sound_annotation_words.tsv").write_text("item\tonset\toffset\nja\t1.0\t2.0\n")
    write_film_of(root / "film.mkv")
    return configuration(bids_dir=str(bids), film=str(root / "film.mkv"))


CONFOUNDS = [f"{kind}_{axis}" for kind in ("trans", "rot") for axis in "xyz"]


def write_derivatives(root: Path, *, spaces=("MNI152NLin2009cAsym_res-2",), participants=2) -> Path:
    """Write a folder as fMRIPrep 25 would of the study, with noise for images."""
    folder = root / "fmriprep"
    folder.mkdir(parents=True)
    description = {"Name": "fMRIPrep", "BIDSVersion": "1.4.0", "DatasetType": "derivative"}
    (folder / "dataset_description.json").write_text(json.dumps(description))
    for number in range(participants):
        rng = np.random.default_rng(50 + number)
        label = f"sub-{number + 1:02d}"
        func = folder / label / "func"
        name = f"{label}_task-film_run-1"
        for space in spaces:
            stem = func / f"{name}_space-{space}"
            save_series(Path(f"{stem}_desc-preproc_bold.nii.gz"), rng.normal(9, 1, (5, 5, 5, 108)))
            save_volume(Path(f"{stem}_desc-brain_mask.nii.gz"), np.ones((5, 5, 5)), voxel=4.0)
            Path(f"{stem}_desc-preproc_bold.json").write_text('{"RepetitionTime": 1.0}')
        columns = [*CONFOUNDS, "csf", "white_matter", "framewise_displacement", "std_dvars"]
        rows = rng.normal(size=(N_VOLUMES, len(columns)))
        text = "\n".join("\t".join(f"{value:.5f}" for value in row) for row in rows)
        stem = func / f"{name}_desc-confounds_timeseries"
        Path(f"{stem}.tsv").write_text("\t".join(columns) + "\n" + text + "\n")
        Path(f"{stem}.json").write_text("{}")
        # What else fMRIPrep leaves there.
        (func / f"{name}_desc-coreg_boldref.nii.gz").touch()
        save_series(func / f"{name}_space-T1w_desc-preproc_bold.nii.gz", np.ones((5, 5, 5, 20)))
        save_series(func / f"{name}_desc-preproc_bold.nii.gz", np.ones((5, 5, 5, 20)))
    return folder


def write_fits(root: Path, *, space: str = "MNI152NLin2009cAsym", participants: int = 2) -> Path:
    """Write a folder as `fmriprep --level minimal` would of the study, with noise for images."""
    folder = root / "fmriprep"
    folder.mkdir(parents=True)
    description = {"Name": "fMRIPrep", "BIDSVersion": "1.4.0", "DatasetType": "derivative"}
    description["GeneratedBy"] = [{"Name": "fMRIPrep", "Version": "25.2.7"}]
    (folder / "dataset_description.json").write_text(json.dumps(description))
    for number in range(participants):
        rng = np.random.default_rng(70 + number)
        label = f"sub-{number + 1:02d}"
        anat, run = folder / label / "anat" / label, f"{label}_task-film_run-1"
        func = folder / label / "func" / run
        save_volume(Path(f"{anat}_desc-preproc_T1w.nii.gz"), rng.normal(100, 9, (20, 20, 20)))
        for part in (
            "desc-brain_mask",
            "dseg",
            *(f"label-{t}_probseg" for t in ("GM", "WM", "CSF")),
        ):
            save_volume(Path(f"{anat}_{part}.nii.gz"), np.ones((20, 20, 20)))
        for ends in (f"from-T1w_to-{space}", f"from-{space}_to-T1w"):
            path = Path(f"{anat}_{ends}_mode-image_xfm.h5")
            write_composite(path, np.eye(4), np.zeros((4, 4, 4, 3)), np.diag([9.0, 9, 9, 1]))
        for part in ("desc-hmc_boldref", "desc-coreg_boldref", "desc-brain_mask"):
            save_volume(Path(f"{func}_{part}.nii.gz"), np.ones((5, 5, 5)), voxel=4.0)
        for ends, n in (("orig_to-boldref", N_VOLUMES), ("boldref_to-T1w", 1)):
            step = "hmc" if n > 1 else "coreg"
            path = Path(f"{func}_from-{ends}_mode-image_desc-{step}_xfm.txt")
            write_affines(path, np.stack([np.eye(4)] * n))
    return folder
