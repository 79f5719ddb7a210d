"""Whether two runs of a study came to the same results."""

from pathlib import Path

import nibabel as nib
import numpy as np
import xarray as xr

#: What an analysis makes. Logs, costs, pages and records hold times and paths.
FOLDERS = ("bold", "cleaned", "decoding", "features", "maps", "partition", "predictions")
FOLDERS += ("preprocessed", "quality", "regions", "scores", "sounds", "stimulus")
KINDS = (".tsv", ".wav", ".nc", ".nii.gz")
#: Of the largest value in an array.
TOLERANCE = 1e-6


def files(results: Path) -> set[str]:
    """Return the tables, sounds and arrays below a folder of results."""
    return {
        str(path.relative_to(results))
        for folder in FOLDERS
        for path in (results / folder).rglob("*")
        if path.name.endswith(KINDS)
    }


def differences(one: Path, other: Path) -> list[str]:
    """Return the files that are not the same in two folders of results, or only in one.

    Tables and sounds are compared byte for byte, arrays to 1e-6 of their largest value.
    """
    both = files(one) & files(other)
    different = [name for name in both if not same(one / name, other / name)]
    return sorted([*different, *(files(one) ^ files(other))])


def same(one: Path, other: Path) -> bool:
    """Say whether two files hold the same."""
    if one.name.endswith((".tsv", ".wav")):
        return one.read_bytes() == other.read_bytes()
    a, b = arrays(one), arrays(other)
    return a.keys() == b.keys() and all(close(a[name], b[name]) for name in a)


def arrays(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of a file by name."""
    if path.name.endswith(".nc"):
        with xr.open_dataset(path, engine="h5netcdf", decode_times=False) as dataset:
            return {str(name): dataset[name].values for name in dataset.variables}
    image = nib.load(path)
    return {"data": np.asanyarray(image.dataobj), "affine": image.affine}


def close(a: np.ndarray, b: np.ndarray) -> bool:
    """Say whether two arrays agree: exactly, where they are no numbers."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if a.dtype.kind not in "fc":
        return bool((a == b).all())
    size = np.nanmax(np.abs(a), initial=0, where=np.isfinite(a))
    return np.allclose(a, b, rtol=0, atol=TOLERANCE * size, equal_nan=True)
