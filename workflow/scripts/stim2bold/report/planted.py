"""What the report says of simulated participants: planted and found."""

from pathlib import Path
from typing import Any

from stim2bold.evaluation.headlines import SIGNIFICANT
from stim2bold.io.files import read_table
from stim2bold.report import pages
from stim2bold.report.scores import model_label, number
from stim2bold.report.source import Results
from stim2bold.simulation.brain.recovery_verdict import counts, verdict

SECTIONS = [
    ("maps", "Maps"),
    ("regions", "Regions"),
    ("spaces", "What explains what"),
    ("errors", "Errors"),
]


def planted_of(results: Results, root: Path) -> dict[str, Any] | None:
    """Return what the page shows, None where nothing was planted.

    Parameters
    ----------
    results : Results
    root : Path
        The report; the figure is copied below it.
    """
    folder = results.planted
    if not folder.is_dir():
        return None
    regions = read_table(folder / "regions.tsv")
    spaces = read_table(folder / "spaces.tsv")
    errors = read_table(folder / "errors.tsv")
    found = []
    for (model, unit), table in regions.groupby(["model", "unit"], sort=False):
        planted, elsewhere = counts(table)
        found.append(
            {
                "words": f"{model_label(model)}, {unit}",
                "verdict": verdict(table),
                "found": f"{planted['found'].sum()} of {len(planted)}",
                "missed": "; ".join(planted.loc[~planted["found"], "region"]) or "none",
                "false": number(elsewhere["found"].mean()),
                "rows": planted.to_dict("records"),
            }
        )
    shares = spaces.pivot_table("share", "kind", "space", sort=False, dropna=False)
    explained = spaces.groupby(["unit", "kind"], sort=False)["explained"].sum()
    explained = explained.groupby("kind", sort=False).mean()
    wide = errors.pivot_table("value", ["error", "units"], "unit", sort=False)
    return {
        "picture": pages.copy_picture(root, "assets/planted", folder / "maps.png"),
        "significant": SIGNIFICANT,
        "found": found,
        "spaces": {
            "names": [str(name) for name in shares.columns],
            "rows": [
                {
                    "kind": kind,
                    "shares": [number(value) for value in row],
                    "explained": explained[kind],
                }
                for kind, row in zip(shares.index, shares.to_numpy(), strict=True)
            ],
        },
        "errors": {
            "units": [str(name) for name in wide.columns],
            "rows": [
                {"error": error, "units": units, "values": [number(value) for value in row]}
                for (error, units), row in zip(wide.index, wide.to_numpy(), strict=True)
            ],
        },
    }
