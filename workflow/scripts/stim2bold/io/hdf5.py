"""HDF5 files on a disk that may become full."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stim2bold.io.files import replacing


class Unfailing(io.FileIO):
    """A file that takes what cannot be written, and remembers why.

    HDF5 takes the whole process down (a segmentation fault) when it closes a file that it could not
    write. So it is told that all went well, and the fault is raised once it has closed the file.

    Attributes
    ----------
    fault : OSError or None
        What the first write that failed said.
    """

    fault: OSError | None = None

    def write(self, content: bytes) -> int:
        """Write everything, or remember why not."""
        rest = memoryview(content).cast("B")
        size = len(rest)
        try:
            while len(rest):
                rest = rest[super().write(rest) :]
        except OSError as error:
            self.fault = self.fault or error
        return size

    def check(self) -> None:
        """Raise what the first write that failed said."""
        if self.fault:
            raise self.fault


@contextmanager
def replacing_hdf5(path: str | Path) -> Iterator[Unfailing]:
    """Yield an open file for HDF5 that takes the place of `path` when the block succeeds.

    Parameters
    ----------
    path : str or Path
        The file to write.

    Yields
    ------
    Unfailing
        To be closed by HDF5 before the block ends.

    Raises
    ------
    OSError
        When not everything could be written.
    """
    with replacing(path) as temporary, Unfailing(temporary, "w+b") as file:
        yield file
        file.check()
