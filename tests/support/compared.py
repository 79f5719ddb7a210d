"""Two folders of results, file by file: what may differ between two runs, and what does.

Tables, sounds, pages, pictures and films are compared byte for byte; of JSON the content; of
images, feature tables, transforms and weights every array and attribute, where numbers may lie 1e-6
of the array's largest value apart.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import h5py
import nibabel as nib
import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from stim2bold.io.files import read_json

TOLERANCE = 1e-6
#: What tells of the run and not of the data: how long steps took, and what they said.
#: The picture of the rules tells of the plan: of a resumed run, without what is done.
TOLD = ("logs/", "benchmarks/", "failures.json", "bench/", "views/rules.json")
#: Of the report, the table of what the steps cost, and that picture.
COSTS = re.compile(
    r'aria-label="Time and memory of each rule">.*?</table>|<svg class="graph".*?</svg>', re.DOTALL
)
#: Made by steps that were cut off; nothing reads them.
LEFT = (".writing-", "_checkpoint", ".snakemake_timestamp", ".gitkeep")


def files(results: Path) -> set[str]:
    """Return the names of all files of results, but of what tells of the run."""
    names = (path.relative_to(results).as_posix() for path in results.rglob("*") if path.is_file())
    return {
        name
        for name in names
        if not name.startswith(TOLD) and not any(mark in name for mark in LEFT)
    }


def apart(one: Path, other: Path) -> float:
    """Return how far two files are apart.

    Returns
    -------
    float
        0 where they hold the same; for arrays the largest difference, as a share of the largest
        value in the array; infinity where anything else differs or a file cannot be read.
    """
    if one.read_bytes() == other.read_bytes():
        return 0.0
    try:
        if one.suffix == ".json":
            return 0.0 if read_json(one) == read_json(other) else np.inf
        if one.suffix == ".html":
            pages = [COSTS.sub("", path.read_text(encoding="utf-8")) for path in (one, other)]
            return 0.0 if pages[0] == pages[1] else np.inf
        a, b = dict(content(one)), dict(content(other))
    except (OSError, EOFError, ValueError, SafetensorError):
        return np.inf
    if not a or a.keys() != b.keys():
        return np.inf
    return max(distance(a[name], b[name]) for name in a)


def content(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    """Give the arrays and attributes of a file, by name; nothing of a file without any."""
    if path.name.endswith(".nii.gz"):
        image = nib.load(path)
        yield "header", np.frombuffer(image.header.binaryblock, np.uint8)
        yield "data", np.asanyarray(image.dataobj)
    elif path.suffix in (".nc", ".h5"):
        with h5py.File(path) as file:
            found = {}
            file.visititems(lambda name, item: found.update({name: item}))
            for name, item in found.items():
                if isinstance(item, h5py.Dataset) and item.shape is not None:
                    yield name, np.asarray(item[()])
            for name, item in {"": file, **found}.items():
                for key, value in item.attrs.items():
                    if not isinstance(value, h5py.Empty) and key not in REFERENCES:
                        yield f"{name}@{key}", np.asarray(value)
    elif path.suffix == ".safetensors":
        yield from load_file(path).items()


#: Addresses inside an HDF5 file.
REFERENCES = ("DIMENSION_LIST", "REFERENCE_LIST")


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """Return how far two arrays are apart, as a share of the largest value."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return np.inf
    if a.dtype.kind not in "fc":
        return 0.0 if np.array_equal(a, b) else np.inf
    if not np.array_equal(np.isfinite(a), np.isfinite(b)):
        return np.inf
    known = np.isfinite(a)
    if not known.any():
        return 0.0
    largest = float(np.abs(a[known]).max()) or 1.0
    return float(np.abs(a[known].astype(float) - b[known].astype(float)).max()) / largest


def differences(one: Path, other: Path, *, names: set[str] | None = None) -> dict[str, float]:
    """Return the files that differ, or are missing in one, each with how far they are apart.

    Parameters
    ----------
    one, other : Path
        Folders of results.
    names : set of str, optional
        The files to look at. By default all that one of the folders has.
    """
    names = files(one) | files(other) if names is None else names
    found = {
        name: apart(one / name, other / name)
        if (one / name).is_file() and (other / name).is_file()
        else np.inf
        for name in sorted(names)
    }
    return {name: value for name, value in found.items() if not value <= TOLERANCE}


def largest(one: Path, other: Path) -> float:
    """Return how far apart the results are that both folders hold, the worst file counting."""
    return max(apart(one / name, other / name) for name in files(one) & files(other))
