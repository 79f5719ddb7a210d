import base64
import gzip

import nibabel as nib
import numpy as np
import pytest
from nilearn import datasets, surface

from stim2bold.report import brain_view, packed_maps


def unpacked(text, kind):
    """What the page makes of a packed array."""
    return np.frombuffer(gzip.decompress(base64.b64decode(text)), kind)


def image(values):
    return nib.Nifti1Image(np.asarray(values, np.float32), np.diag([2.0, 2, 2, 1]))


def test_a_map_comes_back_with_its_first_axis_running_fastest():
    rng = np.random.default_rng(0)
    r = rng.uniform(-1, 1, (3, 4, 5)).astype(np.float32)
    q = rng.uniform(0, 1, (3, 4, 5)).astype(np.float32)
    view = packed_maps.map_view(image(r), image(q), quantity="r")
    values = unpacked(view["values"], "<i2").reshape(view["shape"], order="F") / view["scale"]
    np.testing.assert_allclose(values, r, atol=0.5 / view["scale"] + 1e-6)
    rates = unpacked(view["q"], "u1").reshape(view["shape"], order="F") / 250
    np.testing.assert_allclose(rates, q, atol=1 / 250 + 1e-6)
    assert (rates >= q - 1e-6).all(), "rounding makes nothing significant"
    assert view["affine"][:4] == [2, 0, 0, 0]
    assert packed_maps.map_view(image(r), None, quantity="r")["q"] is None


def test_the_colours_reach_to_the_largest_values_but_noise_stays_pale():
    assert packed_maps.map_view(image(np.zeros((2, 2, 2))), None, quantity="r")["limit"] == 0.05
    r = np.zeros((10, 10, 10))
    r[0] = -0.4
    assert packed_maps.map_view(image(r), None, quantity="r")["limit"] == pytest.approx(0.4)


def test_the_packed_brain_is_nilearns():
    brain = brain_view.brain_view()
    files = datasets.fetch_surf_fsaverage("fsaverage5")
    faces = unpacked(brain["faces"], "<u2").reshape(-1, 3, order="F")
    for side in ("left", "right"):
        mesh = surface.load_surf_mesh(files[f"pial_{side}"])
        points = unpacked(brain[side]["pial"], "<i2").reshape(-1, 3, order="F") / 10
        np.testing.assert_allclose(points, mesh.coordinates, atol=0.051)
        np.testing.assert_array_equal(faces, mesh.faces)
        assert len(unpacked(brain[side]["depth"], "u1")) == len(points)
        # What is left of the cut surface are triangles of the whole one; the front of the outer
        # half lies at the side where it is seen from outside, and the top above.
        cut = unpacked(brain[side]["flat_faces"], "<u2").reshape(-1, 3, order="F")
        assert 18000 < len(cut) < len(faces)
        assert set(map(frozenset, cut.tolist())) <= set(map(frozenset, faces.tolist()))
        flat = unpacked(brain[side]["flat"], "<i2").reshape(-1, 3, order="F")
        outer = np.unique(cut)[np.abs(points[np.unique(cut), 0]) > 45]
        for axis in (1, 2):
            assert np.corrcoef(flat[outer, axis], points[outer, axis])[0, 1] > 0.85
    assert np.prod(brain["template"]["shape"]) == len(unpacked(brain["template"]["values"], "u1"))
