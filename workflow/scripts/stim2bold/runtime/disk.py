"""What is said of a disk that cannot be written: one line, with the file and the fix."""

import errno
import os
import shutil
from pathlib import Path

AGAIN = "and run the same command again"
REMEDIES = {
    errno.ENOSPC: f"the disk is full; free some space {AGAIN}",
    errno.EDQUOT: f"your quota on this disk is used up; free some space or ask for more, {AGAIN}",
    errno.EFBIG: f"the file may not become this large here; raise the limit (ulimit -f) {AGAIN}",
    errno.EROFS: f"the disk can only be read; make it one that can be written {AGAIN}",
    errno.EACCES: f"you have no permission; give it (chmod, chown) {AGAIN}",
}
#: With less than this a step cannot even say what was wrong.
FULL = 1 << 16


def explained(error: OSError) -> str | None:
    """Say what is wrong with the disk in one line.

    Parameters
    ----------
    error : OSError

    Returns
    -------
    str or None
        The file, what is wrong and the fix; None where it is no fault of the disk.
    """
    if error.errno not in REMEDIES:
        return None
    file = f"{error.filename}: " if error.filename else ""
    return file + REMEDIES[error.errno]


def nearest(path: str | Path) -> Path:
    """Return the deepest folder of a path that is there."""
    path = Path(path).absolute()
    return next(folder for folder in (path, *path.parents) if folder.is_dir())


def unwritable(path: str | Path) -> str | None:
    """Say why nothing can be written in a folder, which need not be there yet.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    str or None
        One line; None where it can be written.
    """
    folder = nearest(path)
    if os.access(folder, os.W_OK):
        return None
    read_only = os.statvfs(folder).f_flag & os.ST_RDONLY
    return explained(OSError(errno.EROFS if read_only else errno.EACCES, "", str(path)))


def full(path: str | Path) -> str | None:
    """Say that the disk of a folder is full; None where it is not."""
    if shutil.disk_usage(nearest(path)).free >= FULL:
        return None
    return explained(OSError(errno.ENOSPC, "", str(path)))
