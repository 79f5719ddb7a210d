"""Voxels of a mask that hold a signal."""

import numpy as np
import pytest

from stim2bold.preprocessing.signal_voxels import LeftOut, with_signal
from stim2bold.runtime.errors import InputError

SHAPE, N = (4, 5, 6), 40
ALL = np.ones(SHAPE, bool)


@pytest.fixture
def data():
    rng = np.random.default_rng(2)
    return rng.normal(500, 5, (*SHAPE, N)).astype(np.float32)


def test_a_whole_series_keeps_every_voxel_of_the_mask(data):
    mask = ALL.copy()
    mask[0] = False
    data[0] = np.nan
    kept, left_out = with_signal(data, mask, name="x")
    np.testing.assert_array_equal(kept, mask)
    assert left_out == LeftOut(0, 0, 0, 0)


def test_each_voxel_without_a_signal_is_left_out_under_its_reason(data):
    data[0, 0] = 0
    data[0, 1, 0] = 7
    data[0, 2, :2] = np.nan
    data[1, 0, 0, 3] = np.nan
    data[1, 0, 1, 4], data[1, 0, 2, 39] = np.inf, -np.inf
    # Out of the field of view at the end, after the head moved.
    data[2, 0, :, 30:] = 0
    data[3, 0, 0] -= 600
    kept, left_out = with_signal(data, ALL, name="x")
    expected = ALL.copy()
    expected[0, 0], expected[0, 1, 0], expected[0, 2, :2] = False, False, False
    expected[1, 0, :3], expected[2, 0], expected[3, 0, 0] = False, False, False
    np.testing.assert_array_equal(kept, expected)
    assert left_out == LeftOut(constant=9, not_numbers=3, not_covered=6, not_positive=1)
    assert left_out.total == (~expected).sum()


def test_a_slab_may_leave_most_of_a_mask_empty(data):
    data[:, :, 1:] = 0
    kept, left_out = with_signal(data, ALL, name="x")
    assert kept.sum() == 20 and left_out.constant == 100


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 0])
def test_a_volume_without_signal_is_refused_by_its_number(data, value):
    data[..., 17] = value
    with pytest.raises(InputError, match=r"x: volume 17 holds no signal in 120 of 120 voxels"):
        with_signal(data, ALL, name="x")


@pytest.mark.parametrize("value", [np.nan, 0.0, 3.0])
def test_a_series_without_any_signal_is_refused(data, value):
    data[:] = value
    with pytest.raises(InputError, match="none of the 120 voxels"):
        with_signal(data, ALL, name="x")


def test_a_centred_series_is_refused(data):
    data -= data.mean(axis=-1, keepdims=True)
    with pytest.raises(InputError, match="mean of 0 or below"):
        with_signal(data, ALL, name="x")


def test_zeros_of_a_series_that_goes_below_are_values(data):
    rng = np.random.default_rng(4)
    data[:] = np.rint(rng.normal(1, 2, data.shape))
    assert (data == 0).any(axis=-1).mean() > 0.9
    kept, left_out = with_signal(data, ALL, name="x")
    assert left_out.not_covered == 0 and kept.mean() > 0.9
