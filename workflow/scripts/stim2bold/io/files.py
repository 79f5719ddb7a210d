"""Files that are written whole or not at all."""

import csv
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stim2bold.runtime.disk import REMEDIES

if TYPE_CHECKING:
    import pandas as pd

#: Columns of names, which may look like numbers: a kind of block called 01.
TEXT = ("trial_type", "segment", "participant", "unit")


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` that takes its place when the block succeeds.

    Parameters
    ----------
    path : str or Path
        The file to write, or a folder that is not there or empty. Its own folder is made when it is
        not there.

    Yields
    ------
    Path
        In the same folder and with the same suffixes, so that writers which choose a format by
        suffix (nibabel, soundfile) do the right thing and the rename cannot cross file systems.

    Raises
    ------
    OSError
        Of a full disk and the like, with the name of the file that was to be written.
    """
    path = Path(path)
    # What a job that was killed left of this very file goes when the job is done again.
    mark = f".writing-{hashlib.sha256(path.name.encode()).hexdigest()[:12]}-"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in path.parent.glob(f"{mark}*"):
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=mark) as folder:
            temporary = Path(folder) / path.name
            yield temporary
            os.replace(temporary, path)
    except OSError as error:
        if error.errno not in REMEDIES:
            raise
        # A user knows nothing of temporary names, and a write that fails has no name at all.
        raise OSError(error.errno, os.strerror(error.errno), os.fspath(path)) from error


def write_json(path: str | Path, content: Any) -> None:
    """Write JSON with sorted keys, so that the same content is the same bytes.

    Parameters
    ----------
    path : str or Path
        The file to write.
    content : object
        Anything that JSON can hold; NaN is refused, for it is not JSON.
    """
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    with replacing(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: str | Path) -> Any:
    """Read a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def write_table(path: str | Path, table: "pd.DataFrame") -> None:
    """Write a table as BIDS wants it: tab-separated, ``n/a`` where a value is missing.

    Nothing is quoted; a tab or line break within a text becomes a blank.

    Parameters
    ----------
    path : str or Path
        The file to write.
    table : DataFrame
        Its index is not written.
    """
    with replacing(path) as temporary:
        table.replace({r"[\t\r\n]+": " "}, regex=True).to_csv(
            temporary,
            sep="\t",
            index=False,
            na_rep="n/a",
            lineterminator="\n",
            quoting=csv.QUOTE_NONE,
            quotechar=None,
        )


def read_table(path: str | Path) -> "pd.DataFrame":
    """Read a table that `write_table` wrote: only ``n/a`` stands for a missing value."""
    # Imported here: a third of what it takes to start a step that reads no table.
    import pandas as pd

    return pd.read_csv(
        path,
        sep="\t",
        keep_default_na=False,
        na_values=["n/a"],
        quoting=csv.QUOTE_NONE,
        dtype=dict.fromkeys(TEXT, str),
    )
