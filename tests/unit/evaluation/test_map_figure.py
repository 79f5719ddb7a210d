import matplotlib.image
import nibabel as nib
import numpy as np
from nilearn.datasets import load_mni152_brain_mask

from stim2bold.evaluation import map_figure


def blob(mm: tuple[float, float, float], value: float) -> nib.Nifti1Image:
    """A map that is `value` within 12 mm of a point, and 0 elsewhere."""
    mask = load_mni152_brain_mask(resolution=4)
    ijk = np.moveaxis(np.indices(mask.shape), 0, -1)
    distance = np.linalg.norm(nib.affines.apply_affine(mask.affine, ijk) - mm, axis=-1)
    return nib.Nifti1Image(np.where(distance < 12, value, 0).astype("float32"), mask.affine)


def test_limit_does_not_make_noise_look_like_a_result():
    assert map_figure.symmetric_limit([blob((0, 0, 0), 0.001)]) == 0.05
    assert map_figure.symmetric_limit([blob((0, 0, 0), 0.0)]) == 0.05
    assert np.isclose(map_figure.symmetric_limit([blob((0, 0, 0), -0.4)]), 0.4)


def red(picture):
    """Which pixels are red, dark or light."""
    return (picture[..., 0] > 0.25) & (picture[..., 0] > 2 * picture[..., 1:3].max(axis=-1))


def test_a_one_sided_map_is_drawn_on_its_side(tmp_path):
    # Left of the brain is on the left of the picture (nilearn's convention, marked L and R).
    for side, sign in (("left", -1), ("right", 1)):
        image = blob((sign * 50, -20, 4), 0.5)
        map_figure.draw_rows([image], [side], path=tmp_path / f"{side}.png")
    on_left = red(matplotlib.image.imread(tmp_path / "left.png"))
    on_right = red(matplotlib.image.imread(tmp_path / "right.png"))
    # Colour bars are equal in both pictures; what differs is the blob.
    x_left = np.argwhere(on_left & ~on_right)[:, 1]
    x_right = np.argwhere(on_right & ~on_left)[:, 1]
    assert len(x_left) > 20 and len(x_right) > 20
    assert np.median(x_left) < np.median(x_right)
