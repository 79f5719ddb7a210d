"""Gaps in confounds are filled by the stated rule, or refused."""

import numpy as np
import planted_study
import pytest

from stim2bold.io.tables import read_tsv
from stim2bold.preprocessing import confound_gaps
from stim2bold.preprocessing.cleaning import choose_confounds
from stim2bold.runtime.errors import InputError
from stim2bold.study.check_run import check_confounds


@pytest.fixture
def derived(tmp_path):
    """A run's series and its table of confounds, as lists of cells by column."""
    folder = planted_study.write_derivatives(tmp_path, participants=1) / "sub-01" / "func"
    series = next(folder.glob("*MNI*preproc_bold.nii.gz"))
    path = next(folder.glob("*confounds_timeseries.tsv"))
    names, *rows = (line.split("\t") for line in path.read_text().splitlines())
    table = {name: [row[i] for row in rows] for i, name in enumerate(names)}

    def write():
        lines = [list(table), *zip(*table.values(), strict=True)]
        path.write_text("\n".join("\t".join(line) for line in lines) + "\n")

    return series, path, table, write


def check(path):
    return check_confounds(path, n_volumes=108, strategy="simple", motion="basic")


@pytest.mark.parametrize("gap", ["n/a", "nan", "", "inf", "-inf", "oops"])
def test_a_gap_is_filled_between_its_neighbours_and_told(derived, gap):
    series, path, table, write = derived
    healthy = np.array(table["rot_x"], dtype=float)
    for row in (40, 41, 107):
        table["rot_x"][row] = gap
    table["trans_y"][0] = "n/a"
    write()
    expected = healthy.copy()
    step = (healthy[42] - healthy[39]) / 3
    expected[40:42] = healthy[39] + step * np.array([1, 2])
    expected[107] = healthy[106]
    found = choose_confounds(series, "simple", motion="basic")
    np.testing.assert_allclose(found.table["rot_x"], expected - expected.mean(), atol=1e-9)
    assert found.filled == {"rot_x": [40, 41, 107]} and found.left_out == []
    assert found.table.notna().all().all()
    (said,) = check(path)
    assert said.severity == "warning" and "rot_x has no number in 3 row(s)" in said.what


def test_a_column_of_gaps_is_refused_by_check_and_by_cleaning(derived):
    series, path, table, write = derived
    table["csf"][20:60] = ["n/a"] * 40
    write()
    (said,) = check(path)
    assert said.severity == "error" and "csf has no number in 40 row(s)" in said.what
    with pytest.raises(InputError, match="csf has no number in 40"):
        choose_confounds(series, "simple", motion="basic")


def test_a_gap_of_a_column_that_is_not_used_harms_nobody(derived):
    series, path, table, write = derived
    table["std_dvars"] = ["n/a"] * 108
    write()
    assert check(path) == []
    found = choose_confounds(series, "simple", motion="basic")
    assert found.filled == {} and len(found.table.columns) == 8


def test_a_column_that_does_not_vary_is_named_as_left_out(derived):
    series, path, table, write = derived
    table["rot_z"] = table["csf"] = ["0.1"] * 108
    write()
    found = choose_confounds(series, "simple", motion="basic")
    assert set(found.left_out) == {"rot_z", "csf"} and not {"rot_z", "csf"} & set(found.table)
    (said,) = check(path)
    assert "the same in every row: rot_z, csf" in said.what


def test_derivatives_without_displacement_are_taken_with_a_word(derived):
    series, path, table, write = derived
    del table["framewise_displacement"], table["std_dvars"]
    write()
    (said,) = check(path)
    assert said.severity == "note" and "framewise_displacement, std_dvars" in said.what
    assert len(choose_confounds(series, "simple", motion="basic").table.columns) == 8


def test_a_column_of_the_users_own_is_no_hindrance(derived):
    series, path, table, write = derived
    plain = choose_confounds(series, "simple", motion="basic").table
    table["respirationRate"] = ["0.25"] * 108
    write()
    assert check(path) == []
    confound_gaps.pd.testing.assert_frame_equal(
        choose_confounds(series, "simple", motion="basic").table, plain
    )


def test_what_needs_no_filling_is_unchanged():
    table = confound_gaps.pd.DataFrame({"a": [np.nan, 2.0, 3.0], "b": [1.0, 2.0, 4.0]})
    confound_gaps.pd.testing.assert_frame_equal(confound_gaps.filled(table), table)
    assert confound_gaps.gaps_after_first(table) == {}


def test_a_row_of_gaps_is_told_as_a_volume_that_is_missing(derived):
    _, path, table, write = derived
    for cells in table.values():
        cells[50] = ""
    write()
    assert any("has 107 rows where the series has 108 volumes" in one.what for one in check(path))


def test_words_and_blanks_are_read_as_in_every_table(tmp_path):
    path = tmp_path / "confounds.tsv"
    path.write_bytes(b'\xef\xbb\xbfa \tb\tc\td\r\n1\t"2\tTrue\t 1 \r\n3\t4"\tFalse\tinf\r\n\r\n')
    table = confound_gaps.confounds_of(read_tsv(path), ["a", "b", "c", "d"])
    assert list(table.columns) == ["a", "b", "c", "d"]
    np.testing.assert_array_equal(table["a"], [1, 3])
    np.testing.assert_array_equal(table["d"], [1, np.nan])
    assert table["b"].isna().all() and table["c"].isna().all()
