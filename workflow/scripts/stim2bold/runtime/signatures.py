"""Whether a file that the user gave is still the one that a result was made from.

Snakemake asks whether an input is newer than the output. A file that was replaced by an older one
(cp -p, rsync -a, a download), or a table put into a folder, is not; so what a rule reads stands in
its params too, as the signature that is computed here when the workflow is planned.
"""

import functools
import hashlib
import os
import stat
from collections.abc import Iterable
from pathlib import Path

# Files up to this size count by their content: Snakemake, too, takes a touched one for unchanged.
SMALL = 1_000_000


@functools.cache
def signature(path: str) -> str:
    """Return what tells one state of a file or folder from another.

    Parameters
    ----------
    path : str
        A file of up to 1 MB counts by its content, a larger one by its size and date, a folder by
        all files in it, with their names.

    Returns
    -------
    str
        'absent' where there is none.
    """
    try:
        found = os.stat(path)
        if stat.S_ISDIR(found.st_mode):
            names = sorted(
                os.path.relpath(os.path.join(folder, name), path)
                for folder, _, files in os.walk(path)
                for name in files
                # Left there by file managers; never read.
                if not name.startswith(".")
            )
            parts = [f"{name} {signature(os.path.join(path, name))}" for name in names]
            return _short("\n".join(parts).encode())
        if found.st_size <= SMALL:
            return _short(Path(path).read_bytes())
    except OSError:
        return "absent"
    return f"{found.st_size}-{found.st_mtime_ns}"


def signatures(paths: Iterable[str]) -> str:
    """Return one signature of several files, in their order; '' for none.

    Parameters
    ----------
    paths : iterable of str
        Files or folders.
    """
    found = [signature(path) for path in paths]
    return _short(" ".join(found).encode()) if found else ""


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
