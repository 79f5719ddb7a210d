"""The brain's surface: a sphere of known volume."""

import tracemalloc

import numpy as np
import pytest

from stim2bold.preprocessing import brain_extraction


def test_icosphere_is_closed_and_round():
    vertices, faces = brain_extraction.icosphere(3)
    np.testing.assert_allclose(np.linalg.norm(vertices, axis=1), 1)
    # Euler's formula for a closed surface without holes: V - E + F = 2, with E = 3F / 2.
    assert len(vertices) - len(faces) / 2 == 2
    a, b, c = np.moveaxis(vertices[faces], 1, 0)
    volume = (np.cross(b - a, c - a) * a).sum() / 6
    assert volume == pytest.approx(4 / 3 * np.pi, rel=0.02)
    normals = brain_extraction.vertex_normals(vertices, faces)
    np.testing.assert_allclose((normals * vertices).sum(axis=1), 1, atol=1e-3)


def test_neighbours_are_those_that_share_a_side():
    vertices, faces = brain_extraction.icosphere(1)
    table, count = brain_extraction.vertex_neighbours(faces, len(vertices))
    assert sorted(set(count)) == [5, 6]
    for vertex in (0, 20):
        sharing = set(faces[(faces == vertex).any(axis=1)].ravel()) - {vertex}
        assert set(table[vertex]) - {vertex} == sharing


def test_inside_of_a_sphere_has_its_volume():
    vertices, faces = brain_extraction.icosphere(4)
    inside = brain_extraction.inside_surface(20 + 12 * vertices, faces, (41, 41, 41))
    # Voxels that are touched count: half a voxel more on every side.
    assert inside.sum() == pytest.approx(4 / 3 * np.pi * 12.5**3, rel=0.05)
    assert inside[20, 20, 20]
    assert not inside[0, 0, 0]


def test_a_surface_that_runs_away_is_noticed_and_takes_no_memory():
    vertices, faces = brain_extraction.icosphere(1)
    assert brain_extraction.within_reach(20 + 30 * vertices, (41, 41, 41))
    assert not brain_extraction.within_reach(20 + 45 * vertices, (41, 41, 41))
    assert not brain_extraction.within_reach(np.nan * vertices, (41, 41, 41))
    tracemalloc.start()
    brain_extraction.inside_surface(20 + 300 * vertices, faces, (41, 41, 41))
    # One triangle's points, and what is made of them; all triangles at once took 80 times that.
    assert tracemalloc.get_traced_memory()[1] < 200e6
    tracemalloc.stop()


def test_surface_stops_at_a_dark_border():
    x = np.indices((60, 60, 60)) - 29.5
    radius = np.sqrt((x**2).sum(axis=0)) * 3  # mm
    data = np.where(radius < 65, 100.0, np.where(radius < 72, 15.0, np.where(radius < 80, 90, 1)))
    rng = np.random.default_rng(1)
    data = (data + rng.normal(0, 2, data.shape)).astype(np.float32)
    vertices, faces = brain_extraction.brain_surface(data, 3.0, brain_extraction.SurfaceSettings())
    inside = brain_extraction.inside_surface(vertices, faces, data.shape)
    truth = radius < 65
    assert 2 * (inside & truth).sum() / (inside.sum() + truth.sum()) > 0.94
