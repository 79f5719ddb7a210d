"""Which modality explains a voxel: sums over its spaces, the largest, and their colours."""

import numpy as np
import pytest
import xarray as xr
from PIL import Image

from stim2bold.evaluation.modality_map import colours, draw_modalities, modality_shares, winners

SPACES = ["i3d_rgb", "mel", "modulation", "words", "annotations"]


@pytest.fixture
def explained():
    """A voxel of frames, one of sound, one of words, one of annotations, one of nothing."""
    values = np.zeros((5, 5), np.float32)
    values[0, 0] = 0.3
    values[[1, 2], 1] = 0.1, 0.15
    values[3, 2] = 0.2
    values[4, 3] = 0.4
    values[0, 4] = -0.3
    affine = np.diag([4.0, 4, 4, 1])
    affine[:3, 3] = (-98, -134, -72)
    return xr.DataArray(
        values,
        dims=("space", "voxel"),
        coords={"space": SPACES}
        | {"i": ("voxel", [10, 15, 24, 30, 35])}
        | {"j": ("voxel", [20, 20, 20, 20, 20]), "k": ("voxel", [19] * 5)},
        attrs={"affine": affine.ravel(), "shape": np.array([50, 59, 48])},
    )


def test_spaces_of_one_modality_add_up(explained):
    shares = modality_shares(explained)
    np.testing.assert_allclose(
        shares, [[0.3, 0, 0], [0, 0.25, 0], [0, 0, 0.2], [0, 0, 0], [0, 0, 0]], atol=1e-6
    )
    shown = colours(shares)
    assert shown[0].argmax() == 0 and shown[1].argmax() == 1 and shown[2].argmax() == 2
    assert shown[0, 0] > 0.9 and not shown[3:].any()


def test_the_winner_is_the_space_that_explains_most(explained):
    np.testing.assert_array_equal(winners(explained), [1, 3, 4, 5, 0])


def test_the_picture_shows_each_modality_on_its_side(explained, tmp_path):
    # z of k = 19 is 4 mm, one of the slices.
    draw_modalities(explained, path=tmp_path / "map.png")
    picture = np.asarray(Image.open(tmp_path / "map.png").convert("RGB")).astype(int)
    places = []
    for colour in range(3):
        others = np.delete(picture, colour, axis=2).max(axis=2)
        strong = (picture[..., colour] > 150) & (others < 60)
        assert strong.any()
        places.append(np.argwhere(strong)[:, 1].mean())
    # i grows to the right of the brain, which is drawn on the right.
    assert places[0] < places[1] < places[2]
