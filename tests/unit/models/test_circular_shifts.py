import numpy as np
import pytest
from planted_problem import TR, fold_content

from stim2bold.models.circular_shifts import allowed_shifts, block_period


@pytest.mark.parametrize("n_rows", [641, 592])
def test_no_shift_brings_most_blocks_near_to_their_own_kind(n_rows):
    """With half a period left over, as in ds003688, and with whole periods."""
    block = (np.arange(n_rows) * TR // 30).astype(int) % 2
    shifts = allowed_shifts(n_rows, tr=TR, period=60.0)
    same = {s: np.mean(np.roll(block, s) == block) for s in range(1, n_rows)}
    assert max(same[s] for s in shifts) < 0.85
    assert max(same.values()) > 0.95 or n_rows == 641
    assert {1, 9, n_rows - 1}.isdisjoint(shifts)
    # Most of what is left is left: 12 of 60 s are taken.
    assert 0.7 < len(shifts) / n_rows < 0.85


def test_a_short_period_leaves_half_of_the_shifts():
    for n_rows in (400, 258):
        shifts = allowed_shifts(n_rows, tr=0.6, period=12.0)
        way = np.minimum(shifts, n_rows - shifts) * 0.6
        assert np.abs(way % 12.0 - 6.0).max() <= 3.0 + 1e-6
        assert 0.45 < len(shifts) / n_rows < 0.6


def test_without_blocks_only_the_own_time_is_left_out():
    shifts = allowed_shifts(100, tr=1.0)
    assert shifts.tolist() == list(range(6, 95))


def test_the_period_is_that_of_pairs_of_blocks():
    assert block_period(fold_content(n_blocks=8, seconds=24.0)) == 48.0
