"""A row of the benchmarks has a goal that it can miss, or none."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "bench"))

import planted  # noqa: E402
from benchmarks_page import lines_by_claim, page  # noqa: E402
from claims import row  # noqa: E402

LABELS = {"unit": "r", "better": "higher", "seconds": 1.0}


def test_a_goal_that_knowing_nothing_reaches_is_refused():
    assert row("area_x", [0.3, 0.5], goal=0.2, trivial=0.0, **LABELS)["value"] == 0.4
    with pytest.raises(ValueError, match="knowing nothing gives 0.0, which reaches 0.0"):
        row("area_x", [0.3], goal=0.0, trivial=0.0, **LABELS)
    lower = LABELS | {"better": "lower"}
    with pytest.raises(ValueError, match="knowing nothing"):
        row("area_x", [0.01], goal=0.05, trivial=0.02, **lower)


def test_a_row_without_a_goal_is_reported():
    found = row("area_x", [0.3], trivial=0.3, **LABELS)
    assert np.isnan(found["goal"]) and found["trivial"] == 0.3


@pytest.mark.parametrize("tr", [0.608, 2.0])
def test_planted_bold_is_the_response_at_the_middles_of_volumes(tr):
    """An impulse in one step of the fine grid, and where the response to it is strongest."""
    n_rows, steps = round(120 / tr), planted.STEPS
    courses = np.zeros((n_rows * steps, 1))
    courses[10 * steps + steps // 2] = 1
    shown = planted.delayed(courses, tr=tr)[:, 0]
    middles = (np.arange(n_rows) + 0.5) * tr
    lag = middles - (10.5 * tr + tr / steps / 2)
    # Closed form: t^5 exp(-t) / 5! less a sixth of t^15 exp(-t) / 15!.
    t = np.clip(lag, 0, 32)
    response = t**5 * np.exp(-t) / 120 - t**15 * np.exp(-t) / 1307674368000 / 6
    response -= response.mean()
    np.testing.assert_allclose(shown, response / response.std(), atol=0.02)


def test_the_page_has_what_misses_its_goal_on_top_and_loses_no_row():
    old = "| b_kept | 1 | 1 | 1 | 1 | s |  | reported |  | 3 |"
    rows = [
        row("a_met", [3.0], goal=2.0, **LABELS),
        row("b_missed", [1.0], goal=2.0, **LABELS),
        row("c_told", [1.0], **LABELS),
        row("b_met", [3.0], goal=2.0, **LABELS),
    ]
    text = page(pd.DataFrame(rows), f"# Benchmarks\n\n{old}\n")
    claims = list(lines_by_claim(text))
    assert claims == ["b_missed", "b_kept", "b_met", "a_met", "c_told"]
    assert old in text and "1 of 5 rows miss their goal: 1 in [b](#b)." in text
    again = page(pd.DataFrame(rows[:0], columns=rows[0].keys()), text)
    assert lines_by_claim(again) == lines_by_claim(text)
