import numpy as np
from planted_problem import TR, fold_content

from stim2bold.circular_shifts import MARGIN, allowed_shifts, block_period


def test_no_shift_brings_a_block_near_to_its_own_kind():
    shifts = allowed_shifts(641, tr=TR, period=60.0)
    seconds = shifts * TR
    for moved in (seconds, 641 * TR - seconds):
        distance = np.abs(moved[:, None] - 60.0 * np.arange(8)).min(axis=1)
        assert distance.min() >= MARGIN
    # Most of what is left is left: 12 of 60 s are taken at either end.
    assert 0.5 < len(shifts) / 641 < 0.8


def test_a_short_period_leaves_half_of_the_shifts():
    shifts = allowed_shifts(400, tr=0.6, period=12.0)
    distance = np.abs(shifts * 0.6 % 12.0 - 6.0)
    assert distance.max() <= 3.0 + 1e-6
    assert len(shifts) > 150


def test_without_blocks_only_the_own_time_is_left_out():
    shifts = allowed_shifts(100, tr=1.0)
    assert shifts.tolist() == list(range(6, 95))


def test_the_period_is_that_of_pairs_of_blocks():
    assert block_period(fold_content(n_blocks=8, seconds=24.0)) == 48.0
