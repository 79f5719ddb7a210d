"""The report: one folder that needs nothing but a browser."""

import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

#: Packages whose version changes results, told on the page.
PACKAGES = ("torch", "numpy", "scipy", "nibabel", "nilearn", "librosa", "antspyx", "himalaya")

#: What each direction predicts, in words for the page.
WORDS = {
    "video2audio": "the film's sound from its picture",
    "video2bold": "the brain's response (BOLD) from the film's picture",
    "bold2audio": "what was heard from the brain (BOLD)",
}


def verdict_table(summary: pd.DataFrame) -> list[dict[str, Any]]:
    """Arrange the summary by direction for the page.

    Parameters
    ----------
    summary : DataFrame
        One row per direction and model: direction, model, n, r, r_spread.

    Returns
    -------
    list of dict
        One per direction: ``direction``, ``words``, ``n`` and ``models``, a list of ``name``, ``r``
        and ``spread`` (None where it cannot be had), best first; ``verdict`` compares the VAE with
        the best other model.
    """
    table = []
    for direction, part in summary.groupby("direction", sort=False):
        part = part.sort_values("r", ascending=False, na_position="last")
        models = [
            {
                "name": row.model,
                "r": None if pd.isna(row.r) else float(row.r),
                "spread": None if pd.isna(row.r_spread) else float(row.r_spread),
            }
            for row in part.itertuples()
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


def collect_file(source: str | Path, folder: Path, *, name: str) -> str:
    """Copy a file into the report's folder and return its address on the page."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, folder / name)
    return f"{folder.name}/{name}"


def package_versions() -> dict[str, str]:
    """Return the versions of the packages that shape the results and are installed here."""
    return {name: version(name) for name in PACKAGES}


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
