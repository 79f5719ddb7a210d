"""Quality of all runs side by side: peaks stay, gaps stay, and who is flagged can be excluded."""

import numpy as np
import pytest
import yaml

from stim2bold.report.group_quality import MOST_POINTS, drawn, exclusions, path_of, top_of
from stim2bold.study.bids_index import excluded


@pytest.mark.parametrize("n_volumes", [3, MOST_POINTS, MOST_POINTS + 1, 641, 11842])
def test_a_long_course_keeps_its_peaks(n_volumes):
    values = np.random.default_rng(0).gamma(2, 0.1, n_volumes)
    values[n_volumes // 2] = 7.0
    found = drawn([None, *values])
    assert len(found) <= MOST_POINTS and max(value for value in found if value is not None) == 7.0
    # A peak is drawn at its time.
    place = next(i for i, value in enumerate(found) if value == 7.0)
    assert place / len(found) == pytest.approx((n_volumes // 2 + 1) / (n_volumes + 1), abs=0.02)


def test_what_has_no_value_breaks_the_line():
    assert path_of([None, 1.0, 2.0, None, 3.0], top=2.0) == "M25.0 10.0L50.0 0.0M100.0 0.0"
    assert drawn([None] * 400) == [None] * len(drawn([None] * 400))
    assert top_of([[None], [None, None]]) == 1.0
    assert top_of([[0.0, 0.0]]) == 1.0


def test_the_proposed_line_is_read_as_a_user_would_write_it():
    runs = {
        "sub-02": [{"name": "sub-02_task-film", "flags": ["mean FD above 0.5 mm"]}],
        "sub-03": [
            {"name": "sub-03_task-film_run-1", "flags": []},
            {"name": "sub-03_task-film_run-2", "flags": ["above 20% outliers", "cut: 'x'"]},
        ],
        "sub-10": [{"name": "sub-10_task-film", "flags": []}],
    }
    line = yaml.safe_load(exclusions(runs))
    assert excluded(line["exclude"]) == {
        "02": "mean FD above 0.5 mm",
        "03_run-2": "above 20% outliers; cut: 'x'",
    }
    assert exclusions({"sub-10": runs["sub-10"]}) is None
    # Bounds by which nobody is left are no reason to leave anybody out.
    assert exclusions({"sub-02": runs["sub-02"]}) is None
