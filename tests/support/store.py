"""What is dear to make, made once in a run of the tests, for all its workers."""

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


class Store:
    """Folders by what made them.

    Parameters
    ----------
    root : Path
        Shared by the workers of a run; pytest removes it.
    """

    def __init__(self, root: Path):
        self.root = root
        root.mkdir(exist_ok=True)

    def folder(self, name: str, make: Callable[[Path], object], **made_from) -> Path:
        """Return a folder, and make it first if no test has.

        Parameters
        ----------
        name : str
            Its last part: what a shell must not take apart, say.
        make : callable
            Fills the folder it is given, which is not there yet. Where it fails, the next test
            that asks tries again.
        **made_from
            What its content follows from, as JSON can hold it; its digest is the key.
        """
        text = json.dumps([name, made_from], sort_keys=True)
        place = self.root / hashlib.sha256(text.encode()).hexdigest()[:12]
        place.mkdir(exist_ok=True)
        with FileLock(place / "lock"):
            if not (place / "done").exists():
                make(place / name)
                (place / "done").touch()
        return place / name


@pytest.fixture(scope="session")
def store(tmp_path_factory) -> Store:
    """The store of this run."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    return Store(shared / "store")
