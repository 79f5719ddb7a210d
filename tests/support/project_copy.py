"""A copy of the project, to change and to run."""

import shutil
from pathlib import Path

from processes import run

PROJECT = Path(__file__).parents[2]


def copy_project(root: Path) -> None:
    """Copy what git tracks, or would: no results, no environment."""
    listed = run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT,
        seconds=60,
    )
    assert listed.returncode == 0, listed.stderr
    for name in filter(None, listed.stdout.split("\0")):
        source = PROJECT / name
        if source.is_file():
            target = root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
