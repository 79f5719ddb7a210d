"""Transforms in ITK's files, written by hand as fMRIPrep's tools lay them out."""

from pathlib import Path

import h5py
import numpy as np

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def write_affines(path: Path, matrices: np.ndarray, *, centre=(0.0, 0.0, 0.0)) -> None:
    """Write maps of RAS+ points, shape (n, 4, 4), as affine transforms about a centre (LPS+)."""
    lines = ["#Insight Transform File V1.0"]
    for number, matrix in enumerate(np.reshape(matrices, (-1, 4, 4))):
        turned = LPS @ matrix @ LPS
        offset = turned[:3, 3] - np.asarray(centre) + turned[:3, :3] @ np.asarray(centre)
        lines += [
            f"#Transform {number}",
            "Transform: AffineTransform_double_3_3",
            "Parameters: " + " ".join(f"{x:.17g}" for x in [*turned[:3, :3].ravel(), *offset]),
            "FixedParameters: " + " ".join(f"{x:.17g}" for x in centre),
        ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


def write_composite(path: Path, matrix: np.ndarray, shift: np.ndarray, affine: np.ndarray) -> None:
    """Write a composite as ANTs does: points go through a field of shifts, then an affine map.

    Parameters
    ----------
    path : Path
        HDF5.
    matrix : ndarray of shape (4, 4)
        Of RAS+ points.
    shift : ndarray of shape (x, y, z, 3)
        RAS+ millimetres.
    affine : ndarray of shape (4, 4)
        Voxels of the field to RAS+ points.
    """
    turned, grid = LPS @ matrix @ LPS, LPS @ affine
    spacing = np.linalg.norm(grid[:3, :3], axis=0)
    direction = (grid[:3, :3] / spacing).ravel()
    fixed = np.concatenate([shift.shape[:3], grid[:3, 3], spacing, direction])
    # The first axis runs fastest, the three numbers of a vector together.
    vectors = np.transpose(shift * [-1, -1, 1], (2, 1, 0, 3)).ravel()
    parts = [
        ("CompositeTransform_double_3_3", None, None),
        ("AffineTransform_double_3_3", [*turned[:3, :3].ravel(), *turned[:3, 3]], np.zeros(3)),
        ("DisplacementFieldTransform_double_3_3", vectors, fixed),
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        text = h5py.string_dtype("ascii")
        for name, said in (("HDFVersion", "1.12.1"), ("ITKVersion", "5.3.0"), ("OSName", "Linux")):
            file.create_dataset(name, data=[said], dtype=text)
        for number, (kind, parameters, fixed) in enumerate(parts):
            group = file.create_group(f"TransformGroup/{number}")
            group.create_dataset("TransformType", data=[kind], dtype=text)
            if parameters is not None:
                group.create_dataset("TransformFixedParameters", data=np.asarray(fixed, float))
                group.create_dataset("TransformParameters", data=np.asarray(parameters, float))
