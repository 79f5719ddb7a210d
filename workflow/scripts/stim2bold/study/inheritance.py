"""BIDS's inheritance: the files that a series takes its metadata from."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from stim2bold.runtime.issues import Problem, error, few
from stim2bold.study.bids_index import list_folder
from stim2bold.study.bids_names import entities, stem

if TYPE_CHECKING:
    pass


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
