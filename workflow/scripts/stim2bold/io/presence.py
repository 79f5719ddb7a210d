"""Whether a file is there for us: hidden files are not, and links of git-annex may be empty."""

import os
from pathlib import Path

from stim2bold.runtime.issues import Problem, error

IMAGES = (".nii", ".nii.gz")


def hidden(path: str | Path) -> bool:
    """Tell whether a path, relative to the data set, is hidden or lies in a hidden folder.

    Such files belong to programs: macOS keeps ``._NAME`` beside NAME, git its folder ``.git``.
    """
    return any(part.startswith(".") and part != ".." for part in Path(path).parts)


def check_present(path: Path) -> list[Problem]:
    """Check that a file has content, and say so where git-annex keeps it elsewhere."""
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        if not path.is_symlink():
            return [error(path, "the file is not there", "add it or leave its participant out")]
        target = os.readlink(path)
        if "annex/objects" in Path(target).as_posix():
            return [absent_content(path)]
        return [
            error(path, f"is a link to {target}, which is not there", "mend the link or fetch it")
        ]
    except OSError as fault:
        return [error(path, f"cannot be read ({fault.strerror})", "mend the path or permissions")]
    if 0 < size < 1000 and path.name.endswith(IMAGES):
        with path.open("rb") as file:
            # What git-annex leaves in place of an unlocked file.
            if file.read(15) == b"/annex/objects/":
                return [absent_content(path)]
    return []


def absent_content(path: Path) -> Problem:
    """Return the problem of a file of git-annex that was not fetched."""
    return error(
        path,
        "its content is absent: git-annex (datalad) keeps it elsewhere",
        "fetch it by 'datalad get' or 'git annex get', or exclude the participant",
    )
