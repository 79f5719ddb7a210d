"""What the report says of each participant: scores and quality, and all side by side."""

from pathlib import Path
from typing import Any

from stim2bold.evaluation.headlines import HEADLINES
from stim2bold.io.files import read_json
from stim2bold.models.catalogue import BOLD, direction_label, split_name
from stim2bold.preprocessing.iqm import MEASURES, flags
from stim2bold.report import scores as report_scores
from stim2bold.report.methods_text import left_out_sentences
from stim2bold.report.pages import quote
from stim2bold.report.quality_pictures import pictures_of
from stim2bold.report.source import Source, table_of

#: How the score that heads a direction is called in a table.
R_OF = {"r": "r", "r_within": "r within blocks"}

#: Decimals of the measures of quality that need others than three.
DIGITS = {
    "volumes": 0,
    "mean_fd": 2,
    "max_fd": 2,
    "outliers": 2,
    "mean_dvars": 2,
    "tsnr": 0,
    "dice": 2,
}


def page_of(unit: str) -> str:
    """Return the address of a participant's page, from the report's root."""
    return quote(f"participants/{unit}.html")


def scores_of(source: Source, unit: str, directions: list[str]) -> list[dict[str, Any]]:
    """Return the scores of a participant, direction by direction."""
    found = []
    for direction in directions:
        table = table_of(source.results.scores(direction, unit))
        if table is not None:
            found.append(
                {
                    "direction": direction,
                    "words": direction_label(direction),
                    "models": report_scores.unit_scores(table, direction),
                }
            )
    return found


def runs_of(source: Source, unit: str, inputs: dict, root: Path) -> list[dict[str, Any]]:
    """Return the quality and pictures of each run of a participant that was preprocessed here."""
    found = []
    for run in inputs["runs"]:
        name = run["name"]
        path = source.results.quality(unit, name)
        if name.split("_")[0] != unit or path is None:
            continue
        measured = read_json(path)
        cleaned = source.results.cleaned(unit, name)
        found.append(
            {
                "name": name,
                "measured": measured,
                "measures": [
                    (words, f"{measured[key]:.{DIGITS.get(key, 3)}f}")
                    for key, words in MEASURES.items()
                    if measured[key] is not None
                ],
                "flags": flags(measured, source.settings_of_quality),
                "left_out": left_out_sentences([read_json(path) for path in cleaned]),
                "figures": pictures_of(name, source.results.preprocessed, root),
            }
        )
    return found


def participant_table(
    source: Source, units: list[str], runs: dict[str, list], directions: list[str]
) -> dict[str, Any]:
    """Return one row a run with its quality and its participant's scores."""
    own = [name for name in directions if BOLD in split_name(name)]
    measured = any(runs.values())
    rows = []
    for unit in units:
        scores = {row["direction"]: row["models"] for row in scores_of(source, unit, own)}
        r = [scores.get(name, {}).get("vae", {}).get("r") for name in own]
        for run in runs[unit] or [{"name": unit, "measured": {}, "flags": []}]:
            quality = [run["measured"].get(key) for key in MEASURES] if measured else []
            rows.append(
                {
                    # A participant with several runs has a row for each.
                    "name": run["name"] if len(runs[unit]) > 1 else unit,
                    "page": page_of(unit),
                    "values": [*r, *quality],
                    "digits": [3] * len(r) + [DIGITS.get(key, 3) for key in MEASURES],
                    "flags": run["flags"],
                }
            )
    return {
        "participants": rows,
        "participant_columns": [
            f"{R_OF[HEADLINES[split_name(name)[1]]]} of the VAE, {name}" for name in own
        ]
        + (list(MEASURES.values()) if measured else []),
        "measured": measured,
    }
