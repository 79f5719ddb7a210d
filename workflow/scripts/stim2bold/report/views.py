"""What the report's viewers and players show: maps and sounds, put below the report."""

from pathlib import Path
from typing import Any

import nibabel as nib
import pandas as pd

from stim2bold.io.files import read_table
from stim2bold.models.catalogue import MODELS
from stim2bold.report import pages
from stim2bold.report import scores as report_scores
from stim2bold.report.packed_maps import map_view
from stim2bold.report.player import SOUND_SCORES, player, rung_scores
from stim2bold.report.source import Source

#: What is told of a model's map, and in which words it is offered.
QUANTITIES = {
    "r": "r",
    "q": "q",
    "t": "t over participants",
    "pmax": "p, corrected by the largest r,",
    "q-participants": "q, participants as the sample,",
    "pmax-participants": "p, corrected by the largest t, participants as the sample,",
    "normalised": "r divided by the ceiling",
}


def maps_of(
    source: Source,
    directions: list[str],
    unit: str,
    root: Path,
    *,
    brain: str | None,
    up: str,
) -> dict[str, Any] | None:
    """Pack the maps of a unit for the viewer and copy them for download, None where none is.

    Parameters
    ----------
    source : Source
    directions : list of str
    unit : str
        A participant, or ``group``.
    root : Path
        The report.
    brain : str or None
        Address of what maps are drawn on.
    up : str
        From the page to the report's root.
    """
    shown, picture = [], None
    for direction in directions:
        folder = source.results.maps(direction, unit)
        names = {path.name.removesuffix("_r.nii.gz") for path in folder.glob("*_r.nii.gz")}
        order = [name for name in [*MODELS, "ceiling"] if name in names]
        for name in order + sorted(names - set(order)):
            words = f"{direction}: {report_scores.model_label(name)}"
            files = {key: folder / f"{name}_{key}.nii.gz" for key in QUANTITIES}
            files = {key: path for key, path in files.items() if path.exists()}
            shown.append(_map(root, f"{direction}_{unit}_{name}", words, files, up))
        drawn = source.results.drawn_maps(direction, unit)
        if drawn.exists():
            picture = pages.copy_picture(root, f"assets/maps/{direction}_{unit}", drawn)
    for path in source.results.partition_maps(unit):
        space = path.name.removesuffix(".nii.gz")
        words, files = f"variance explained by {space}", {"share": path}
        shown.append(_map(root, f"partition_{unit}_{space}", words, files, up))
    if not shown or brain is None:
        return None
    return {"name": unit, "brain": f"{up}{brain}", "maps": shown, "picture": picture}


def _map(root: Path, name: str, words: str, files: dict[str, Path], up: str) -> dict[str, Any]:
    """Put one map below the report, for the viewer and as images.

    Parameters
    ----------
    root : Path
        The report.
    name : str
        Of its files.
    words : str
        What it is a map of.
    files : dict of str to Path
        The map by the name of its quantity, which is shown, and what is told of it, of which
        ``q``, its false-discovery rate, bounds what is shown.
    up : str
        From the page to the report's root.
    """
    quantity, *_ = files
    rate = nib.load(files["q"]) if "q" in files else None
    view = map_view(nib.load(files[quantity]), rate, quantity=quantity)
    return {
        "words": words,
        "address": up + pages.write_data(root, f"assets/maps/{name}", view),
        "downloads": [
            {
                "address": up + pages.copy_into(root, f"assets/maps/{name}_{key}.nii.gz", path),
                "words": f"{QUANTITIES.get(key, key)} of {words} (NIfTI)",
            }
            for key, path in files.items()
        ],
    }


def players_of(
    source: Source, directions: list[str], unit: str, root: Path, *, up: str
) -> list[dict[str, Any]]:
    """Copy the sounds of a unit and return its players, one for each direction that has any."""
    found = []
    for direction in directions:
        folder = source.results.listening(direction, unit)
        if not folder.is_dir():
            continue
        address = f"assets/listening/{direction}/{unit}"
        for path in sorted(folder.iterdir()):
            if path.suffix in (".mp3", ".webp"):
                pages.copy_into(root, f"{address}/{path.name}", path)
        scores = read_table(source.results.sound_scores(direction, unit))
        view = player(folder, scores, source.words, address=up + pages.quote(address))
        kinds = source.config["sounds"]["speech"]
        speech = [bool(one["words"]) or one["label"] in kinds for one in view["segments"]]
        middle = len(speech) // 2
        # The segment shown first: the first with speech from the middle of the film on.
        first = next((i for i in range(middle, len(speech)) if speech[i]), middle)
        found.append({**view, "name": f"{direction}, {unit}", "first": first})
    return found


def sounds_of(source: Source, directions: list[str]) -> dict[str, Any]:
    """Return the scores of sounds of each direction, mean over segments and units."""
    rows, n_units, measures = [], 0, set()
    for direction in directions:
        paths = source.results.sounds_scored(direction)
        if paths:
            n_units = max(n_units, len(paths))
            table = pd.concat([read_table(path) for path in paths], ignore_index=True)
            measures |= set(table["measure"])
            rungs = {
                row["rung"]: row["what"]
                for path in paths
                for row in read_table(source.results.rungs(direction, path.stem)).to_dict("records")
            }
            rows += [{**row, "direction": direction} for row in rung_scores(table, rungs)]
    return {
        "sound_table": rows,
        "sound_scores": list(SOUND_SCORES.values()),
        "without_pesq": "stoi" in measures and "pesq_wb" not in measures,
        "n_listened": n_units,
    }
