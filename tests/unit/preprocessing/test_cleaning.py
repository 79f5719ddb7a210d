"""Cleaning against closed forms."""

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from shipped import shipped

from stim2bold.preprocessing import cleaning, film_rows
from stim2bold.runtime.errors import InputError
from stim2bold.stimulus import blocks

SHAPE, N, TR = (6, 7, 8), 256, 0.608
AFFINE = np.diag([4.0, 4.0, 4.0, 1.0])
ALL = np.ones(SHAPE, bool)
TIME = (np.arange(N) + 0.5) * TR


def clean(data, *, confounds=None, kept=None, mask=ALL, **settings):
    return cleaning.clean_series(
        nib.Nifti1Image(data.astype(np.float32), AFFINE),
        mask,
        pd.DataFrame({"x": np.random.default_rng(0).standard_normal(N)})
        if confounds is None
        else confounds,
        kept=np.arange(N) if kept is None else kept,
        TR=TR,
        settings=shipped(cleaning.CleaningSettings, **settings),
    )


def test_what_confounds_explain_is_gone_and_the_rest_is_percent():
    rng = np.random.default_rng(1)
    nuisance = rng.standard_normal((N, 3))
    signal = np.sin(2 * np.pi * TIME / 24)
    data = 400 + 40 * rng.standard_normal((*SHAPE, 3)) @ nuisance.T + 8 * signal
    cleaned = clean(data, confounds=pd.DataFrame(nuisance, columns=list("abc")))
    assert cleaned.shape == (N, ALL.sum())
    # 8 of 400 is 2 percent.
    slope = signal @ cleaned / (signal @ signal)
    np.testing.assert_allclose(slope, 2, rtol=0.1)
    assert np.abs(np.corrcoef(nuisance.T, cleaned.T)[:3, 3:]).max() < 1e-3


def test_drift_goes_and_the_blocks_stay():
    slow, fast = np.sin(2 * np.pi * TIME / 300), np.sin(2 * np.pi * TIME / 60)
    cleaned = clean(np.broadcast_to(100 + 5 * slow, (*SHAPE, N)))
    assert cleaned.std() < 0.1 * 5
    # A cut-off as 60 s high-pass would remove it; ours must not.
    cleaned = clean(np.broadcast_to(100 + 5 * fast, (*SHAPE, N)))
    assert cleaned.std() > 0.9 * 5 / np.sqrt(2)


def test_volumes_left_out_do_not_bend_the_rest_and_are_filled_in():
    rng = np.random.default_rng(2)
    data = 100 + rng.standard_normal((*SHAPE, N))
    spoilt = data.copy()
    spoilt[..., 50] = 1e4
    kept = np.delete(np.arange(N), 50)
    np.testing.assert_allclose(clean(data, kept=kept), clean(spoilt, kept=kept), atol=1e-3)
    filled = clean(spoilt, kept=kept)
    np.testing.assert_allclose(filled[50], (filled[49] + filled[51]) / 2, atol=1e-4)


def test_smoothing_takes_nothing_from_outside_the_mask():
    mask = ALL.copy()
    mask[:3] = False
    data = np.full(SHAPE, 7.0)
    data[:3] = 1e6
    smooth = cleaning.smooth_inside(data, mask, np.full(3, 1.5))
    np.testing.assert_allclose(smooth[mask], 7, rtol=1e-4)
    assert (smooth[~mask] == 0).all()


def test_smoothing_has_the_width_that_is_asked_for():
    impulse = np.zeros((31, 31, 31))
    impulse[15, 15, 15] = 1
    sigma = 8.0 / cleaning.FWHM / 2.0  # 8 mm in voxels of 2 mm
    line = cleaning.smooth_inside(impulse, np.ones_like(impulse, bool), np.full(3, sigma))[15, 15]
    # Half the maximum at half the width: 4 mm, two voxels.
    assert line[17] / line[15] == pytest.approx(0.5, abs=0.01)


def events(duration, n_blocks=13):
    return pd.DataFrame(
        {
            "onset": np.arange(n_blocks) * duration,
            "duration": duration,
            "trial_type": ["music", "speech"] * (n_blocks // 2) + ["music"] * (n_blocks % 2),
        }
    )


def test_period_of_alternating_blocks():
    assert blocks.design_period(events(30.0)) == 60
    mixed = events(30.0)
    mixed.loc[1, "trial_type"] = "music"
    assert blocks.design_period(mixed) is None


def test_a_filter_that_removes_the_blocks_is_refused():
    period = blocks.design_period(events(30.0))
    blocks.check_high_pass(1 / 128, period)
    with pytest.raises(InputError, match="alternate every 60 s"):
        blocks.check_high_pass(1 / 60, period)


def test_grey_matter_mask_lies_in_the_brain_and_is_the_same_for_everyone():
    from stim2bold.preprocessing.registration import grid_around, template

    grid = grid_around(template("mask", 2), (4.0, 4.0, 4.0))
    brain = np.ones(grid.shape, np.uint8)
    image = nib.Nifti1Image(brain, grid.affine)
    grey = cleaning.analysis_mask(image, shipped(cleaning.CleaningSettings))
    half = brain.copy()
    half[: grid.shape[0] // 2] = 0
    other = cleaning.analysis_mask(
        nib.Nifti1Image(half, grid.affine), shipped(cleaning.CleaningSettings)
    )
    np.testing.assert_array_equal(other, grey & (half > 0))
    litres = grey.sum() * 64 / 1e6
    assert 0.9 < litres < 2.0
    whole = cleaning.analysis_mask(image, shipped(cleaning.CleaningSettings, mask="brain"))
    assert whole.all()


def test_runs_become_voxels_at_film_times():
    rng = np.random.default_rng(5)
    runs = [nib.Nifti1Image(rng.random((*SHAPE, 30), dtype=np.float32), AFFINE) for _ in "ab"]
    first, second = ALL.copy(), ALL.copy()
    first[0], second[:, 0] = False, False
    # The film goes on from run to run.
    bold = film_rows.gather_runs(
        runs,
        [first, second],
        TR=TR,
        film_onset=2.0,
        onsets=[2.0, 2.0 - 30 * TR],
        space="MNI",
        source="a b",
    )
    assert bold.dims == ("time", "voxel")
    assert bold.sizes == {"time": 60, "voxel": (first & second).sum()}
    np.testing.assert_allclose(bold["time"][:2], [0.5 * TR - 2, 1.5 * TR - 2])
    v = 17
    place = tuple(int(bold[axis][v]) for axis in "ijk")
    np.testing.assert_array_equal(bold[:30, v], np.asarray(runs[0].dataobj)[place])
    np.testing.assert_allclose(np.reshape(bold.attrs["affine"], (4, 4)), AFFINE)


def test_a_film_seen_twice_is_averaged():
    a, b = np.random.default_rng(3).normal(size=(2, 30, 4)).astype(np.float32)
    rows, values = film_rows.at_rows([a, b], [0.0, 0.0])
    np.testing.assert_array_equal(rows, np.arange(30))
    np.testing.assert_allclose(values, (a + b) / 2, rtol=1e-5)


def test_runs_that_overlap_lie_where_the_film_was():
    film = np.random.default_rng(4).normal(size=(50, 3)).astype(np.float32)
    rows, values = film_rows.at_rows([film[:30], film[25:]], [0.0, 25.0])
    np.testing.assert_array_equal(rows, np.arange(50))
    np.testing.assert_allclose(values, film, rtol=1e-5)


def test_volumes_between_rows_are_interpolated():
    def wave(x):
        return np.sin(np.asarray(x)[:, None] / np.array([3.0, 5.0]))

    rows, values = film_rows.at_rows([wave(np.arange(60) + 7.4)], [7.4])
    np.testing.assert_array_equal(rows, np.arange(8, 67))
    np.testing.assert_allclose(values, wave(rows), atol=2e-3)


def test_a_hole_in_the_film_leaves_the_longest_stretch(caplog):
    parts = [np.ones((20, 2)), np.ones((30, 2)), np.ones((25, 2))]
    rows, values = film_rows.at_rows(parts, [0.0, 40.0, 70.0])
    assert rows[0] == 40 and rows[-1] == 94 and values.shape == (55, 2)
    assert "20 others" in caplog.text


def test_what_was_scanned_before_the_first_row_is_left_out():
    rows, values = film_rows.at_rows([np.arange(10.0)[:, None]], [-3.0])
    np.testing.assert_array_equal(rows, np.arange(7))
    np.testing.assert_array_equal(values[:, 0], np.arange(3, 10))
