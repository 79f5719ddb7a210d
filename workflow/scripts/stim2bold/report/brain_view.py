"""What maps are drawn on in the report: the template and the surface of the cortex."""

from typing import Any

import numpy as np
from nilearn import datasets, surface

from stim2bold.report.packed_maps import packed

#: Voxels of the template on the page, mm.
TEMPLATE_VOXEL = 2


def brain_view() -> dict[str, Any]:
    """Pack what maps are drawn on: the MNI152 template and fsaverage5 (both come with nilearn).

    Returns
    -------
    dict
        ``template`` (shape, affine, values from 0 to 255), ``faces`` (the same for both
        hemispheres) and for ``left`` and ``right`` the vertices ``white``, ``pial``,
        ``inflated`` and ``flat``, in tenths of a millimetre, x of all vertices first,
        ``flat_faces``, those that are left of the cut surface, and ``depth``, sulcal depth from 0
        (crown) to 255 (fundus).
    """
    template = datasets.load_mni152_template(resolution=TEMPLATE_VOXEL)
    values = np.asarray(template.dataobj, dtype=np.float32)
    files = datasets.fetch_surf_fsaverage("fsaverage5")
    faces = surface.load_surf_mesh(files["white_left"]).faces
    brain = {
        "template": {
            "shape": list(values.shape),
            "affine": [float(x) for x in template.affine.ravel()],
            "values": packed(255 * np.clip(values / values.max(), 0, 1), "u1"),
        },
        "faces": packed(faces, "<u2"),
    }
    for side in ("left", "right"):
        depth = surface.load_surf_data(files[f"sulc_{side}"])
        low, high = np.percentile(depth, (2, 98))
        brain[side] = {
            name: packed(np.rint(vertices(files[f"{key}_{side}"]) * 10), "<i2")
            for name, key in (("white", "white"), ("pial", "pial"), ("inflated", "infl"))
        }
        pial = vertices(files[f"pial_{side}"])
        cut = surface.load_surf_mesh(files[f"flat_{side}"])
        flat = upright(np.asarray(cut.coordinates), pial, np.unique(cut.faces))
        brain[side]["flat"] = packed(np.rint(flat * 10), "<i2")
        brain[side]["flat_faces"] = packed(cut.faces, "<u2")
        brain[side]["depth"] = packed(255 * np.clip((depth - low) / (high - low), 0, 1), "u1")
    return brain


def upright(flat: np.ndarray, pial: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Turn a flattened hemisphere as it is seen from outside: the front at its side, the top up.

    Parameters
    ----------
    flat, pial : ndarray of shape (n_vertices, 3)
        mm; of the flat surface x and y count.
    kept : ndarray of int
        Vertices that are left of the cut surface.

    Returns
    -------
    ndarray of shape (n_vertices, 3)
        x is 0; y and z are those of the outer half of the hemisphere, as far as a turn or a
        reflection of the plane can bring them there.
    """
    x = np.abs(pial[kept, 0])
    outer = kept[x > np.median(x)]
    plane, goal = (part - part[outer].mean(axis=0) for part in (flat[:, :2], pial[:, 1:]))
    left, _, right = np.linalg.svd(plane[outer].T @ goal[outer])
    return np.column_stack([np.zeros(len(flat)), plane @ left @ right])


def vertices(path: str) -> np.ndarray:
    """Return the vertices of a surface in mm, shape (n_vertices, 3)."""
    return np.asarray(surface.load_surf_mesh(path).coordinates)
