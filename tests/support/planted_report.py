"""Small artefacts of a study that was never run, laid out as the workflow lays them out.

Their values are known, and their names are what a browser must not take for markup.
"""

import json
from functools import cache
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import soundfile
import xarray as xr
import yaml
from PIL import Image
from shipped import shipped

from stim2bold.io.arrays import write_array
from stim2bold.io.files import write_json, write_table
from stim2bold.report.brain_view import brain_view
from stim2bold.report.rule_graph import layout
from stim2bold.report.site import Source
from stim2bold.report.source import Results
from stim2bold.sound.compression import compress_ladder
from stim2bold.stimulus.spectrogram import SpectrogramSettings

PROJECT = Path(__file__).parents[2]
#: In place of a kind of block, a word, a warning and a reason.
NASTY = "<script>alert('x')</script>"
DIRECTIONS = {"video2audio": ["film"], "film2bold": None, "bold2audio": None}
MODELS = {"vae": 0.21, "ridge": 0.19, "banded": 0.18, "blocks": 0.05, "mean": np.nan}
RATE = 16000
SECONDS = 4.0
N_SEGMENTS = 4
TR, N_ROWS = 0.608, 120
#: Where the maps are large: left of the middle, over the occipital pole.
PEAK = (-12.0, -90.0, 6.0)


@cache
def packed_brain() -> str:
    """Template and surfaces, which take a second to pack."""
    return json.dumps(brain_view())


def blob(value: float, *, voxel: float = 6.0) -> nib.Nifti1Image:
    """A map that falls off from `value` at `PEAK`, with a small negative patch on the right."""
    shape = tuple(int(n / voxel) for n in (180, 222, 186))
    affine = np.diag([voxel, voxel, voxel, 1.0])
    affine[:3, 3] = (-90, -126, -72)
    ijk = np.moveaxis(np.indices(shape), 0, -1)
    world = nib.affines.apply_affine(affine, ijk)
    near = np.exp(-((np.linalg.norm(world - PEAK, axis=-1) / 25) ** 2))
    other = np.exp(-((np.linalg.norm(world - (50, -20, 6), axis=-1) / 12) ** 2))
    values = value * near - 0.4 * value * other
    values[np.abs(values) < 1e-4] = 0
    return nib.Nifti1Image(values.astype(np.float32), affine)


def write_maps(results: Path, units: list[str]) -> None:
    """Maps of r and q for every participant, and of the group."""
    for unit in [*units, "group"]:
        folder = results / "maps" / "film2bold" / unit
        folder.mkdir(parents=True)
        for model, value in (("vae", 0.4), ("ridge", 0.2), ("ceiling", 0.5)):
            image = blob(value)
            nib.save(image, folder / f"{model}_r.nii.gz")
            q = np.where(np.asarray(image.dataobj) > 0.1, 0.01, 0.5).astype(np.float32)
            nib.save(nib.Nifti1Image(q, image.affine), folder / f"{model}_q.nii.gz")
            if unit == "group" and model != "ceiling":
                nib.save(image, folder / f"{model}_t.nii.gz")
                nib.save(nib.Nifti1Image(q, image.affine), folder / f"{model}_pmax.nii.gz")


def write_sounds(results: Path, direction: str, unit: str, *, noise: float = 0.0) -> None:
    """A ladder of tones: each rung has its own pitch; `noise` is added to it."""
    folder = results / "sounds" / direction / unit
    folder.mkdir(parents=True)
    time = np.arange(int(RATE * SECONDS)) / RATE
    rng = np.random.default_rng(0)
    rows, scores = [], []
    for number in range(N_SEGMENTS):
        kind = NASTY if number % 2 else "music"
        name = f"segment-{number:02d}-{'speech' if number % 2 else 'music'}"
        onset = number * 15.0
        rows.append((name, kind, onset, SECONDS))
        for k, rung in enumerate(("original", "griffinlim", "vae", "ridge")):
            tone = 0.1 * np.sin(2 * np.pi * (220 + 110 * k) * time)
            tone += noise * rng.normal(size=tone.size)
            soundfile.write(folder / f"{name}_{rung}.wav", tone, RATE, subtype="PCM_16")
            if rung != "original":
                scores.append((name, kind, rung, "mel_r", 0.9 - 0.2 * k, "correlation"))
    columns = ["segment", "trial_type", "onset", "duration"]
    write_table(folder / "segments.tsv", pd.DataFrame(rows, columns=columns))
    rungs = ("original", "griffinlim", "vae", "ridge")
    what = ("the film", "its own spectrogram", "predicted by the model vae", NASTY)
    write_table(folder / "rungs.tsv", pd.DataFrame({"rung": rungs, "what": what}))
    columns = ["segment", "trial_type", "rung", "measure", "value", "unit_of_measure"]
    write_table(
        results / "scores" / "sounds" / direction / f"{unit}.tsv",
        pd.DataFrame(scores, columns=columns),
    )
    target = results / "views" / "listening" / direction / unit
    target.mkdir(parents=True)
    compress_ladder(folder, target, settings=shipped(SpectrogramSettings))


def write_scores(results: Path, units: list[str]) -> None:
    """Scores of every unit, their summary and the ceiling."""
    summary = []
    for direction, own in DIRECTIONS.items():
        for unit in own or units:
            rows = [
                (unit, direction, model, "all", measure, value + shift, "correlation", 9)
                for model, value in MODELS.items()
                for measure, shift in (("r", 0), ("r_low", -0.05), ("r_high", 0.05), ("p", -0.18))
            ]
            columns = ["unit", "direction", "model", "fold", "measure", "value"]
            table = pd.DataFrame(rows, columns=[*columns, "unit_of_measure", "n"])
            write_table(results / "scores" / direction / f"{unit}.tsv", table)
        summary += [
            (direction, model, len(own or units), r, 0.02, r - 0.05, r + 0.05, p)
            + (0.02, 1, 0.8, 0.03, r / 2, r / 2 - 0.05, r / 2 + 0.05, p, 0.6)
            for (model, r), p in zip(MODELS.items(), (0.004, 0.03, 0.2, 0.4, np.nan), strict=True)
        ]
    columns = ["direction", "model", "n", "r", "r_spread", "r_low", "r_high", "p"]
    columns += ["p_participants", "units_significant", "identification", "p_over_ridge"]
    columns += ["r_within", "r_within_low", "r_within_high", "p_within", "identification_within"]
    write_table(results / "scores" / "summary.tsv", pd.DataFrame(summary, columns=columns))
    ceiling = pd.DataFrame({"unit": units, "r": 0.3, "r_low": 0.25, "r_high": 0.35, "n": 9})
    write_table(results / "scores" / "ceiling.tsv", ceiling)
    persistence = pd.DataFrame({"unit": units, "r": 0.7, "mse": 6.4e-5})
    write_table(results / "scores" / "persistence.tsv", persistence)
    pooled = [
        ("bold2audio", model, brains, 1, 90, measure, 0.6, 0.6, 0.6, 0.5, 0.35, 0.65, 0.2, 13)
        for model in ("vae", "ridge")
        for brains in sorted({1, len(units)})
        for measure in ("r_within", "identification_within")
    ]
    columns = ["direction", "model", "brains", "groups", "volumes", "measure", "value"]
    columns += ["low", "high", "chance", "chance_low", "chance_high", "p", "n"]
    (results / "pooled").mkdir()
    write_table(results / "pooled" / "bold2audio.tsv", pd.DataFrame(pooled, columns=columns))


def write_models(results: Path, units: list[str]) -> None:
    """Training records of every VAE."""
    steps = np.arange(0, 60, 10)
    for direction, own in DIRECTIONS.items():
        folder = results / "models" / direction
        for unit in own or units:
            history = pd.DataFrame(
                [
                    (phase, fold, 1, step, 2 - step / 60, 1.0, 1.0, 0.1, 0.9 - step / 600)
                    for phase in ("inner", "outer")
                    for fold in (0, 1)
                    for step in steps
                ],
                columns=["phase", "fold", "seed", "step", "total"]
                + ["reconstruction", "prior", "kl", "inner_error"],
            )
            write_table(folder / f"{unit}_history.tsv", history)
            rows = [(0, "kl", i, 0.3 / (i + 1)) for i in range(8)]
            rows += [(f, "coverage_90", -1, 0.88 + 0.02 * f) for f in (0, 1)]
            rows += [(f, "sample_sd", -1, 0.2) for f in (0, 1)]
            rows += [(f, "active_units", -1, 7) for f in (0, 1)]
            columns = ["fold", "measure", "dimension", "value"]
            write_table(folder / f"{unit}_diagnostics.tsv", pd.DataFrame(rows, columns=columns))
            record = {
                "settings": {"preset": "small-data", "seeds": 3},
                "folds": [
                    {"fold": 0, "steps": 20, "slope": 0.81234, "initialisation": "own, even"},
                    {"fold": 1, "steps": 0, "slope": 0.05, "initialisation": "shared 2, even"},
                ],
            }
            write_json(folder / f"{unit}.json", record)


def write_regions(results: Path, unit: str) -> None:
    """Series of two regions: a sine and what predicts it, but for the VAE from row 80 to 99."""
    time = (np.arange(N_ROWS) + 0.5) * TR
    tables, scores = [], []
    for number, region in enumerate(("early visual cortex", NASTY)):
        truth = np.sin(time / (2 + number))
        vae = np.where((np.arange(N_ROWS) >= 80) & (np.arange(N_ROWS) < 100), -0.5, 0.5) * truth
        tables.append(
            pd.DataFrame(
                {"region": region, "time": time, "fold": np.arange(N_ROWS) // 60}
                | {"measured": truth, "vae": vae, "ridge": 0.3 * truth}
            )
        )
        scores += [(region, 20, "vae", 0.5), (region, 20, "ridge", 0.3)]
    write_table(results / "regions" / "film2bold" / f"{unit}.tsv", pd.concat(tables))
    columns = ["region", "voxels", "model", "r"]
    scores = pd.DataFrame(scores, columns=columns)
    write_table(results / "regions" / "film2bold" / f"{unit}_scores.tsv", scores)
    rows = [(0.0, 30.0, "", NASTY), (30.0, 43.0, "face (0.80)", "face, hand")]
    captions = pd.DataFrame(rows, columns=["onset", "duration", "decoded", "present"])
    captions["duration"] = 30.0
    path = results / "decoding" / "labels" / "bold" / f"{unit}_captions.tsv"
    write_table(path, captions)
    shares = {"space": ["i3d_rgb", NASTY], "share": [0.7, 0.3], "low": [0.6, 0.2]}
    write_table(results / "partition" / f"{unit}.tsv", pd.DataFrame(shares | {"high": [0.8, 0.4]}))


def write_course(results: Path) -> None:
    """Two dimensions of the group's latents: one is high, then low, for 16 rows; one a cosine."""
    rows = np.arange(N_ROWS)
    values = np.stack([np.zeros(N_ROWS), np.cos(rows / 9)], axis=1)
    values[30:46, 0], values[90:106, 0] = 2, -2
    course = xr.DataArray(
        values,
        dims=("time", "dimension"),
        coords={"time": (rows + 0.5) * TR, "fold": ("time", rows // 60)}
        | {"dimension": [1, 2], "share": ("dimension", [0.62, 0.2])},
        name="course",
        attrs={"units": "standard deviations", "source": "planted", "delay": 5.0}
        | {"untrained": 1},
    )
    write_array(results / "latents" / "film2bold" / "group.nc", course)


def write_planted(results: Path, units: list[str]) -> None:
    """Scores of regions, and what was found of what was planted."""
    tables = []
    for unit in ["group", *units]:
        table = pd.DataFrame({"region": ["early visual cortex", NASTY], "voxels": 20})
        tables.append(table.assign(unit=unit, r=[0.3, 0.1], p=[0.001, 0.2], q=[0.002, 0.2]))
    for model in ("vae", "ridge"):
        path = results / "scores" / "regions" / "film2bold" / f"{model}.tsv"
        write_table(path, pd.concat(tables, ignore_index=True))
    tables = []
    for unit in ["group", *units]:
        names = {"region": ["occipital pole", NASTY, "elsewhere 1", "elsewhere 2"]}
        table = pd.DataFrame(names | {"kind": ["visual", "auditory", "elsewhere", "elsewhere"]})
        scores = {"r": [0.3, 0.1, 0, 0], "p": [0.001, 0.2, 0.5, 0.01], "q": [0.002, 0.2, 0.5, 0.02]}
        tables.append(table.assign(unit=unit, model="vae", voxels=90, **scores))
    write_table(results / "planted" / "regions.tsv", pd.concat(tables, ignore_index=True))
    errors = pd.DataFrame({"unit": units, "error": "motion", "value": 0.03, "units": "mm RMS"})
    write_table(results / "planted" / "errors.tsv", errors)
    spaces = [
        (unit, kind, space, 0.1, share)
        for unit in units
        for kind, shares in (("visual", (0.8, 0.2)), ("auditory", (np.nan, np.nan)))
        for space, share in zip(("i3d_rgb", NASTY), shares, strict=True)
    ]
    columns = ["unit", "kind", "space", "explained", "share"]
    write_table(results / "planted" / "spaces.tsv", pd.DataFrame(spaces, columns=columns))
    shades = np.full((120, 360, 3), 90, np.uint8)
    Image.fromarray(shades).save(results / "planted" / "maps.png")


def write_decoding(results: Path) -> None:
    """What can be decoded, over participants."""
    rows = [
        ("labels", "bold", "all", "average_precision", 3, 0.4, 0.1, 0.3, 0.02, 2),
        ("labels", "bold", NASTY, "average_precision", 3, 0.5, 0.1, 0.3, 0.02, 2),
        ("clips", "bold", "film", "top1", 3, 0.2, 0.1, 0.1, 0.3, np.nan),
    ]
    columns = ["decoding", "origin", "item", "measure", "n", "value", "spread", "chance", "p"]
    table = pd.DataFrame(rows, columns=[*columns, "units_significant"])
    write_table(results / "decoding" / "summary.tsv", table)
    pooled = table[table["item"] != NASTY].drop(columns=["spread", "units_significant"])
    each = [pooled.assign(brains=brains, groups=4 - brains) for brains in (1, 3)]
    write_table(results / "decoding" / "pooled.tsv", pd.concat(each))


def write_quality(results: Path, number: int, unit: str) -> None:
    """Measures and pictures of one run; the second participant moves too much."""
    run = f"{unit}_task-film"
    measured = {"volumes": N_ROWS, "mean_fd": 0.1 + 0.6 * (number == 1), "max_fd": 1.0 + number}
    # Derivatives of the first have no DVARS.
    dvars = None if number == 0 else 1.0
    measured |= {"outliers": 0.01 * number, "mean_dvars": dvars, "tsnr": 60.0 - number}
    measured |= {"dice": 0.93, "tissue_r": 0.8}
    rng = np.random.default_rng(number)
    series = {name: [None, *rng.gamma(2, 0.1, N_ROWS - 1).tolist()] for name in ("fd", "std_dvars")}
    if dvars is None:
        series["std_dvars"] = [None] * N_ROWS
    measured |= {"series": series}
    write_json(results / "quality" / unit / f"{run}.json", measured)
    left_out = dict.fromkeys(("constant", "not_numbers", "not_covered", "not_positive"), 0)
    write_json(
        results / "cleaned" / unit / "func" / f"{run}_space-MNI_desc-cleaned_bold.json",
        {
            "VoxelsLeftOut": left_out | {"constant": 900 * number},
            "ConfoundsFilledIn": {},
            "ConfoundsLeftOut": [],
        },
    )
    figures = results / "preprocessed" / unit / "figures"
    figures.mkdir(parents=True)
    for k, ending in enumerate(
        (
            *("desc-carpet_bold", "desc-coregistration_bold", "desc-coregistration_T1w"),
            *("desc-normalised_bold", "desc-normalised_template", "desc-tsnr_bold"),
        )
    ):
        shades = np.full((60, 90, 3), 30 * (k + 1), np.uint8)
        Image.fromarray(shades).save(figures / f"{run}_{ending}.png")


def plant(results: Path, *, participants: int = 3) -> Source:
    """Write all artefacts of a study and return where a report finds them."""
    units = [f"sub-{number + 1:02d}" for number in range(participants)]
    labels = [unit.removeprefix("sub-") for unit in units]
    runs = [{"name": f"{unit}_task-film", "bold": "b", "t1w": "t", "echoes": 1} for unit in units]
    problem = {"severity": "warning", "what": "lacks a T1w image", "fix": "add one"}
    # Two files share it, so that they stand in a list.
    problems = [problem | {"file": NASTY}, problem | {"file": f"{NASTY} too"}]
    missing = [{"participant": "99", "reason": f"no BOLD run {NASTY}"}]
    inputs = {"TR": TR, "participants": labels, "runs": runs}
    empty = dict.fromkeys(("TR_from", "seconds", "film_onset", "events", "t1w", "confounds"))
    inputs["read"] = [
        {"kind": "run", "name": run["name"], "TR": TR, "volumes": N_ROWS, "echoes": 1, **empty}
        for run in runs
    ]
    inputs["read"].append({"kind": "film", "name": f"{NASTY}.mp4", "seconds": 156.0})
    write_json(results / "inputs.json", inputs | {"problems": problems, "missing": missing})
    write_json(results / "folds.json", {"folds": [{}, {}], "gap": 12.0})
    methods = {
        "study": f"A study of {NASTY}",
        "paragraphs": [f"We did {NASTY}."],
        "references": ["A & B (2020). A work."],
    }
    write_json(results / "methods.json", methods)
    write_json(results / "leakage.json", {"predictions": [{}] * 4})
    write_json(results / "stimulus" / "film.json", {"duration": N_ROWS * TR})
    (results / "stimulus").mkdir(exist_ok=True)
    sheet = np.linspace(0, 255, 200 * 300 * 3).reshape(200, 300, 3).astype(np.uint8)
    Image.fromarray(sheet).save(results / "stimulus" / "sheet.png")
    features = xr.DataArray(np.zeros((4, 2)), dims=("time", "feature"), name="features")
    features.attrs["weights"] = "NOT trained on film: planted"
    write_array(results / "features" / "i3d_rgb.nc", features)
    views = results / "views"
    views.mkdir()
    (views / "brain.json").write_text(packed_brain())
    write_json(views / "rules.json", layout(["a", "b", "c"], [("a", "b"), ("a", "c"), ("b", "c")]))
    stills = np.zeros((96, 96 * 4, 3), np.uint8) + np.repeat([40, 90, 140, 190], 96)[:, None]
    Image.fromarray(stills.astype(np.uint8)).save(views / "stills.jpg")
    write_json(views / "stills.json", {"times": [9.0, 27.0, 45.0, 63.0], "columns": 4})
    (results / "benchmarks" / "train_vae").mkdir(parents=True)
    for unit in units:
        (results / "benchmarks" / "train_vae" / f"{unit}.tsv").write_text(
            "s\th:m:s\tmax_rss\n12.5\t0:00:12\t800.0\n"
        )
    write_maps(results, units)
    write_scores(results, units)
    write_models(results, units)
    write_course(results)
    write_decoding(results)
    write_planted(results, units)
    for direction, own in DIRECTIONS.items():
        if direction.endswith("audio"):
            for unit in own or units:
                write_sounds(results, direction, unit)
    for number, unit in enumerate(units):
        write_regions(results, unit)
        write_quality(results, number, unit)
    config = yaml.safe_load((PROJECT / "config.yaml").read_text())
    return Source(
        results=Results(results),
        templates=PROJECT / "workflow" / "report" / "pages",
        environments=PROJECT / "envs",
        requirements=PROJECT / "requirements.txt",
        blocks=pd.DataFrame(
            {
                "onset": [0.0, 30.0, 60.0],
                "offset": [30.0, 60.0, 73.0],
                "trial_type": ["music", NASTY, "music"],
            }
        ),
        words=pd.DataFrame({"item": ["hallo", NASTY], "onset": [15.5, 17.0], "offset": [16, 18.0]}),
        config=config,
        simulated=True,
        film_onset=0.0,
        spaces=["i3d_rgb"],
    )
