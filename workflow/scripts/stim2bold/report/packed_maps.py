"""Brain maps for the report's own viewer: small, exact, and without any request."""

import base64
import gzip
from typing import Any

import nibabel as nib
import numpy as np

#: A map is shown in steps of 1/10000 of its unit.
SCALE = 10000


def packed(values: np.ndarray, kind: str) -> str:
    """Return an array's bytes, compressed, as text that can stand in a script.

    Parameters
    ----------
    values : ndarray
        Written with the first axis running fastest, as NIfTI does.
    kind : str
        Type to write, little-endian: ``u1``, ``<u2``, ``<i2``.
    """
    flat = np.asarray(values).ravel(order="F").astype(kind)
    # No time stamp: the same array is the same text.
    return base64.b64encode(gzip.compress(flat.tobytes(), 9, mtime=0)).decode()


def map_view(r: nib.Nifti1Image, q: nib.Nifti1Image | None, *, quantity: str) -> dict[str, Any]:
    """Pack one map.

    Parameters
    ----------
    r : Nifti1Image
        The map; 0 lies outside.
    q : Nifti1Image or None
        Its false-discovery rate, on the same grid.
    quantity : str
        What the values are, for the page.

    Returns
    -------
    dict
        ``shape``, ``affine`` (row by row), ``scale``, ``limit`` (the 99.5th percentile of the
        absolute values, 0.05 at the least), ``quantity``, ``values`` and ``q`` in steps of 1/250.
    """
    values = np.nan_to_num(np.asarray(r.dataobj, dtype=np.float32))
    inside = np.abs(values[values != 0])
    view = {
        "shape": list(values.shape),
        "affine": [round(float(x), 6) for x in r.affine.ravel()],
        "scale": SCALE,
        "limit": max(0.05, float(np.percentile(inside, 99.5))) if inside.size else 0.05,
        "quantity": quantity,
        "values": packed(np.clip(np.rint(values * SCALE), -32767, 32767), "<i2"),
        "q": None,
    }
    if q is not None:
        rates = np.clip(np.nan_to_num(np.asarray(q.dataobj), nan=1.0), 0, 1)
        view["q"] = packed(np.ceil(rates * 250), "u1")
    return view
