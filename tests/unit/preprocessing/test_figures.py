"""Quality control: figures are drawn in world space, tSNR is what it says."""

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from stim2bold.preprocessing import figures, mosaics


def test_tsnr_ignores_a_straight_drift():
    rng = np.random.default_rng(1)
    noise = rng.standard_normal((4, 4, 4, 500))
    data = 1000 + 10 * noise + np.linspace(0, 200, 500)
    series = nib.Nifti1Image(data.astype(np.float32), np.eye(4))
    ratio = figures.tsnr(series, np.ones((4, 4, 4), bool))
    assert np.median(ratio) == pytest.approx(1100 / 10, rel=0.05)


def test_tsnr_of_a_voxel_without_variation_is_zero():
    series = nib.Nifti1Image(np.ones((2, 2, 2, 20), np.float32), np.eye(4))
    assert (figures.tsnr(series, np.ones((2, 2, 2), bool)) == 0).all()


def test_slice_points_lie_in_their_plane():
    points, extent = mosaics.slice_points(1, 5.0, np.array([[-10, -20, -30], [10, 20, 30]]), 2.0)
    assert (points[1] == 5).all()
    assert points[0, 0, 0] == -10
    assert points[2, 0, 0] == -30
    assert extent == (-11, 11, -31, 31)


def test_left_of_a_slice_is_the_left_of_the_head():
    # Bright on the left (negative x), stored with x running leftwards.
    affine = np.diag([-4.0, 4.0, 4.0, 1.0])
    affine[:3, 3] = (38, -38, -38)
    data = np.zeros((20, 20, 20), np.float32)
    data[10:] = 1
    image = nib.Nifti1Image(data, affine)
    figure = mosaics.mosaic(
        image, nib.Nifti1Image(np.ones_like(data), affine), contours=[], title="", columns=3
    )
    picture = figure.axes[1].images[0]
    shown = picture.get_array()
    assert shown[:, : shown.shape[1] // 2 - 3].max() == 1
    assert shown[:, shown.shape[1] // 2 + 3 :].max() == 0
    assert picture.get_extent()[0] < picture.get_extent()[1]
    figures.plt.close(figure)


def test_figures_are_written_and_repeat_themselves(tmp_path):
    rng = np.random.default_rng(2)
    n = 80
    table = pd.DataFrame(
        {
            **{f"{kind}_{axis}": rng.normal(size=n) for kind in ("trans", "rot") for axis in "xyz"},
            "framewise_displacement": [np.nan, *rng.random(n - 1)],
            "std_dvars": [np.nan, *rng.random(n - 1)],
            "global_signal": rng.random(n),
        }
    )
    voxels = rng.normal(size=(300, n))
    kinds = rng.integers(1, 4, 300)
    for name in ("a", "b"):
        carpet = figures.carpet_figure(voxels, kinds, table, TR=0.608, title="t")
        figures.save_figure(carpet, tmp_path / f"{name}_carpet.png")
        motion = figures.motion_figure(table, TR=0.608, outlier=0.5, title="t")
        figures.save_figure(motion, tmp_path / f"{name}_motion.png")
    for figure in ("carpet", "motion"):
        first = (tmp_path / f"a_{figure}.png").read_bytes()
        assert first == (tmp_path / f"b_{figure}.png").read_bytes()
        assert len(first) > 10_000
