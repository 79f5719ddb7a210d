"""What tables of features that a lab brings tell before anything is computed from them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from stim2bold.runtime.errors import InputError
from stim2bold.runtime.issues import Problem, error, few, from_refusal, warning
from stim2bold.stimulus.own_features import OwnFeatures, gaps_of, read_own_features
from stim2bold.study.check_film import SLACK


def check_own_features(
    config: dict[str, Any], used: Iterable[str], *, duration: float | None
) -> tuple[list[Problem], list[dict[str, Any]]]:
    """Check the user's tables: that they can be read, have no gap, and are as long as the film.

    Parameters
    ----------
    config : dict
        The configuration.
    used : iterable of str
        Feature spaces that some direction uses.
    duration : float or None
        Length of the film in seconds, where it is known.

    Returns
    -------
    problems : list of Problem
    records : list of dict
        What was read, see `stim2bold.study.read_records`.
    """
    problems, records = [], []
    for name, section in config["own_features"].items():
        path = Path(section["file"])
        if name not in used:
            problems.append(
                warning("config.yaml", f"own_features.{name} is in no source", "name it in sources")
            )
        missing = [p for p in (path, section.get("times")) if p and not Path(p).is_file()]
        if missing:
            problems.append(error(missing[0], "is not there", f"correct own_features.{name}"))
            continue
        try:
            table = read_own_features(path, section.get("times"))
        except InputError as refusal:
            problems.append(from_refusal(refusal, path))
            continue
        problems += check_times(table, path, duration=duration)
        records.append(
            {
                "kind": "features",
                "name": path.name,
                "file": str(path),
                "rows": len(table.values),
                "columns": len(table.names),
                "seconds": round(table.end, 3),
            }
        )
    return problems, records


def check_times(table: OwnFeatures, path: Path, *, duration: float | None) -> list[Problem]:
    """Check that a table has no gap, and covers the film."""
    problems = []
    if gaps := gaps_of(table):
        told = few([f"{start:g} to {end:g} s" for start, end in gaps])
        problems.append(
            warning(path, f"has no row from {told}", "values there are interpolated: fill them in")
        )
    if duration is None:
        return problems
    start = float(table.onsets.min())
    if table.end > duration + SLACK or start < -SLACK:
        problems.append(
            warning(
                path,
                f"goes from {start:.1f} to {table.end:.1f} s, the film from 0 to {duration:.1f} s",
                "its times are seconds of film time: look whether they are those of the scan",
            )
        )
    if table.offsets is None and (table.end < duration - SLACK or start > SLACK):
        problems.append(
            warning(
                path,
                f"covers {start:.1f} to {table.end:.1f} s of a film of {duration:.1f} s",
                "beyond its ends its first and last row are held: give it to the film's end",
            )
        )
    return problems
