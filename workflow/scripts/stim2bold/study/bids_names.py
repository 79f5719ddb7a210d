"""Names of BIDS files: their entities, when two mean the same, and which apply to another.

Which metadata apply to a series is a matter of names too: BIDS' inheritance principle.
"""

import os
from collections.abc import Callable
from pathlib import Path

from stim2bold.io.presence import hidden
from stim2bold.runtime.issues import Problem, error, few

#: Entities that are numbers: run-01 is run-1.
INDICES = {"run", "echo", "flip", "inv", "split", "chunk"}


def stem(path: Path) -> str:
    """Return the entities of a BIDS file name, without its suffix and extension."""
    return path.name.split(".", 1)[0].rsplit("_", 1)[0]


def entities(name: str) -> dict[str, str]:
    """Return the entities of a name as they are compared.

    Numbers go without their zeros, and ``part-mag`` goes: a magnitude image is what an image is
    where nothing else is said.
    """
    pairs = dict(part.split("-", 1) for part in name.split("_") if "-" in part)
    pairs = {
        key: str(int(value)) if key in INDICES and value.isascii() and value.isdigit() else value
        for key, value in pairs.items()
    }
    if pairs.get("part") == "mag":
        del pairs["part"]
    return pairs


def named(key: str) -> dict[str, str]:
    """Return the entities of a participant or run as a user names it: 02, sub-02, 02_run-1."""
    first, *rest = key.split("_")
    return entities("_".join([first if "-" in first else f"sub-{first}", *rest]))


def list_folder(folder: Path) -> list[str]:
    """Return the names in a folder that are not hidden, in order."""
    return sorted(name for name in os.listdir(folder) if not hidden(name))


def inherited(
    root: Path,
    series: Path,
    extension: str,
    *,
    suffix: str = "bold",
    listing: Callable[[Path], list[str]] = list_folder,
) -> list[Path]:
    """Find the files that apply to a series by BIDS' inheritance principle.

    A file applies when it lies in the series' folder or one above it and each of its entities is
    also one of the series'.

    Parameters
    ----------
    root : Path
        The data set.
    series : Path
        The series, relative to `root`.
    extension, suffix : str
        Of the files looked for.
    listing : callable
        Returns the names in a folder.

    Returns
    -------
    list of Path
        From the root to the series' own folder; in one folder, the more particular last.
    """
    own = entities(stem(series)).items()
    found = []
    for folder in (root / parent for parent in reversed(series.parents)):
        if not folder.is_dir():
            continue
        here = [
            name
            for name in listing(folder)
            if name == f"{suffix}{extension}"
            or (
                name.endswith(f"_{suffix}{extension}")
                and all("-" in part for part in stem(Path(name)).split("_"))
                and entities(stem(Path(name))).items() <= own
            )
        ]
        found += [folder / name for name in sorted(here, key=lambda name: name.count("_"))]
    return found


def nearest(found: list[Path], series: Path) -> tuple[Path | None, list[Problem]]:
    """Return the nearest of the tables that apply to a series, and whether that is one."""
    if not found:
        return None, []
    best = found[-1]
    rivals = [
        path
        for path in found[:-1]
        if path.parent == best.parent
        and not entities(stem(path)).items() < entities(stem(best)).items()
    ]
    if not rivals:
        return best, []
    what = f"{best.name} and {few(path.name for path in rivals)} both apply to {series.name}"
    return best, [error(best, what, "remove one of them, or name it for the run it belongs to")]
