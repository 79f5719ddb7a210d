"""The report: one folder that needs nothing but a browser."""

import shutil
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
import pandas as pd

from stim2bold.files import read_table

#: Packages whose version changes results, told on the page.
PACKAGES = ("torch", "numpy", "scipy", "nibabel", "nilearn", "librosa", "antspyx", "himalaya")

#: What each direction predicts, in words for the page.
WORDS = {
    "video2audio": "the film's sound from its picture",
    "video2bold": "the brain's response (BOLD) from the film's picture",
    "bold2audio": "what was heard from the brain (BOLD)",
}


#: What the table of scores shows of each model, beside its name.
SHOWN = ("r", "r_spread", "r_low", "r_high", "p", "units_significant", "identification")


def verdict_table(summary: pd.DataFrame) -> list[dict[str, Any]]:
    """Arrange the summary by direction for the page.

    Parameters
    ----------
    summary : DataFrame
        One row per direction and model: direction, model, n and the columns `SHOWN`.

    Returns
    -------
    list of dict
        One per direction: ``direction``, ``words``, ``n`` and ``models``, a list of ``name`` and
        what is `SHOWN` (None where it cannot be had), best first; ``verdict`` compares the VAE with
        the best other model.
    """
    table = []
    for direction, part in summary.groupby("direction", sort=False):
        part = part.sort_values("r", ascending=False, na_position="last")
        models = [
            {
                "name": row["model"],
                **{key: None if pd.isna(row[key]) else float(row[key]) for key in SHOWN},
            }
            for _, row in part.iterrows()
        ]
        table.append(
            {
                "direction": direction,
                "words": WORDS[direction],
                "n": int(part["n"].max()),
                "models": models,
                "verdict": verdict(models),
            }
        )
    return table


def verdict(models: list[dict[str, Any]]) -> str:
    """Say in one sentence how the VAE did beside the best of the other models."""
    scores = {model["name"]: model["r"] for model in models if model["r"] is not None}
    if "vae" not in scores:
        return "The VAE has no score."
    others = {name: r for name, r in scores.items() if not name.startswith("vae")}
    if not others:
        return "There is no baseline to compare with."
    best = max(others, key=others.get)
    difference = scores["vae"] - others[best]
    relation = "above" if difference > 0 else "below"
    return (
        f"The VAE (r = {scores['vae']:.3f}) is {abs(difference):.3f} {relation} the best baseline, "
        f"{best} (r = {others[best]:.3f})."
    )


def opening(
    *, inputs: dict, film: dict, folds: dict, simulation: dict[str, Any] | None
) -> dict[str, Any]:
    """Return what the page says first.

    Parameters
    ----------
    inputs, film, folds : dict
        Contents of inputs.json, film.json and folds.json.
    simulation : dict or None
        Section ``simulation`` of the configuration, where the data set is simulated.

    Returns
    -------
    dict
        ``sentence``, ``ceiling`` (None where the data are real), ``warnings``,
        ``n_folds`` and ``gap``.
    """
    n = len(inputs["participants"])
    return {
        "sentence": (
            f"{n} participant{'s' * (n != 1)}, {len(inputs['runs'])} run(s) at a TR of "
            f"{inputs['TR']:g} s, a film of {film['duration']:.1f} s."
        ),
        "ceiling": None if simulation is None else simulation["images"]["ceiling"],
        "warnings": left_out(inputs) + [problem["message"] for problem in inputs["problems"]],
        "n_folds": len(folds["folds"]),
        "gap": folds["gap"],
    }


def left_out(inputs: dict) -> list[str]:
    """Say who is missing from the study, and why."""
    return [f"{row['participant']} is left out: {row['reason']}" for row in inputs["missing"]]


def ceiling_sentence(table: pd.DataFrame) -> str:
    """Say how much of a participant's BOLD the others' tells: the ceiling of video2bold.

    Parameters
    ----------
    table : DataFrame
        unit, r, r_low and r_high of each participant; no row where there are fewer than three.
    """
    if table.empty:
        return "Ceiling: not available with fewer than three participants."
    mean = table[["r", "r_low", "r_high"]].astype(float).mean()
    return (
        f"Ceiling: the mean of the others correlates with a participant at r = {mean.r:.3f} "
        f"({mean.r_low:.3f} to {mean.r_high:.3f}; leave-one-out inter-subject correlation, mean of "
        f"{len(table)} participants over the same voxels). One viewing, and only what all share: a "
        "lower bound of what can be predicted."
    )


def leakage_sentence(leakage: dict) -> str:
    """Say what the leakage check looked at; a DAG that found leakage never gets here."""
    n = len(leakage["predictions"])
    return (
        f"Leakage check passed: the rows that each of {n} prediction files was fitted on were "
        "compared with folds.json; none was held out."
    )


def shown_segments(segments: pd.DataFrame) -> list[str]:
    """Choose what is played, by rule and not by ear: the middle block of each kind.

    Parameters
    ----------
    segments : DataFrame
        Columns segment (file name stem) and trial_type, in order of time.

    Returns
    -------
    list of str
        Names of segments, one for each kind of block.
    """
    return [
        part["segment"].iloc[len(part) // 2]
        for _, part in segments.groupby("trial_type", sort=False)
    ]


def collect_file(source: str | Path, assets: Path, *, name: str) -> str:
    """Copy a file into the report's folder of files and return its address on the page."""
    shutil.copyfile(source, assets / name)
    return quote(f"{assets.name}/{name}")


def gather_maps(pictures: list[Path], assets: Path) -> list[dict[str, str]]:
    """Copy the map pictures, named for their units, and return what the page shows of them."""
    return [
        {
            "unit": path.stem,
            "address": collect_file(path, assets, name=f"map_{path.name}"),
        }
        for path in pictures
    ]


def gather_sounds(folder: Path, assets: Path) -> dict[str, Any]:
    """Copy the sounds of one unit that the page plays.

    Parameters
    ----------
    folder : Path
        ``.../DIRECTION/UNIT``, with segments.tsv and a file SEGMENT_RUNG.wav for each rung.
    assets : Path
        Where to copy to.

    Returns
    -------
    dict
        ``direction``, ``unit``, ``rungs`` and ``segments``.
    """
    direction, unit = folder.parts[-2:]
    segments = shown_segments(read_table(folder / "segments.tsv"))
    found = {path.stem.rpartition("_")[2] for path in folder.glob("*.wav")}
    # From the original down to the predictions; models in alphabetical order.
    rungs = [rung for rung in ("original", "griffinlim") if rung in found]
    rungs += sorted(found - set(rungs))
    return {
        "direction": direction,
        "unit": unit,
        "rungs": rungs,
        "segments": [
            {
                "name": name,
                "sounds": [
                    {
                        "rung": rung,
                        "address": collect_file(
                            folder / f"{name}_{rung}.wav",
                            assets,
                            name=f"{direction}_{unit}_{name}_{rung}.wav",
                        ),
                    }
                    for rung in rungs
                ],
            }
            for name in segments
        ],
    }


#: Scores of sounds that the page shows, with their words.
SOUND_SCORES = {
    "stoi": "STOI of speech",
    "pesq_wb": "PESQ of speech",
    "mcd": "cepstral distortion of speech (dB)",
    "mel_r": "mel correlation",
    "convergence": "spectral convergence",
}


def rung_scores(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Average the scores of sounds over segments.

    Parameters
    ----------
    table : DataFrame
        As `stim2bold.sound_scores.score_ladder` returns it.

    Returns
    -------
    list of dict
        For each rung its name as ``rung`` and ``values``, one for each of `SOUND_SCORES`, None
        where there is none. Griffin-Lim of the film's own spectrogram, which nothing can surpass,
        comes first.
    """
    means = table.pivot_table(index="rung", columns="measure", values="value")
    means = means.reindex(columns=list(SOUND_SCORES))
    order = sorted(means.index, key=lambda rung: (rung != "griffinlim", rung))
    return [
        {
            "rung": rung,
            "values": [None if pd.isna(value) else float(value) for value in means.loc[rung]],
        }
        for rung in order
    ]


def belongs(figure: str, run: str) -> bool:
    """Tell whether a picture is of a run, or of the anatomy of its participant."""
    of_anatomy = "_task-" not in figure and figure.split("_")[0] == run.split("_")[0]
    return of_anatomy or figure.startswith(f"{run}_")


def gather_quality(
    confounds: list[Path], figures: list[Path], assets: Path
) -> list[dict[str, Any]]:
    """Summarise the head motion of each run and copy its figures.

    Parameters
    ----------
    confounds : list of Path
        ``RUN_desc-confounds_timeseries.tsv`` of each run.
    figures : list of Path
        Pictures, named for a run or for a T1w image.
    assets : Path
        Where to copy to.

    Returns
    -------
    list of dict
        ``name``, ``n_volumes``, ``mean_fd``, ``max_fd`` in mm and ``figures`` of each run.
    """
    quality = []
    for path in confounds:
        name = path.name.removesuffix("_desc-confounds_timeseries.tsv")
        fd = read_table(path)["framewise_displacement"]
        quality.append(
            {
                "name": name,
                "n_volumes": len(fd),
                "mean_fd": float(fd.mean()),
                "max_fd": float(fd.max()),
                "figures": [
                    {
                        "address": collect_file(figure, assets, name=figure.name),
                        "words": figure.stem.removeprefix(f"{name}_").replace("_", ", "),
                    }
                    for figure in figures
                    if belongs(figure.name, name)
                ],
            }
        )
    return quality


def pinned_versions(requirements: str | Path) -> dict[str, str]:
    """Return the versions, pinned for every environment, of the packages that shape the results.

    Parameters
    ----------
    requirements : str or Path
        ``requirements.txt``; the rules' conda environments have the same versions.
    """
    lines = Path(requirements).read_text(encoding="utf-8").splitlines()
    pinned = dict(line.split("==", 1) for line in lines if "==" in line)
    return {name: pinned[name] for name in PACKAGES}


def render(template: str | Path, **content: Any) -> str:
    """Fill the page's template; every value is escaped.

    Parameters
    ----------
    template : str or Path
        A Jinja2 template.
    **content
        What the template shows.

    Raises
    ------
    jinja2.UndefinedError
        When the template asks for what `content` lacks.
    """
    template = Path(template)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template.parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template.name).render(**content)
