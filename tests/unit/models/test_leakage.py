import copy

import numpy as np
import pytest
import xarray as xr
from planted_problem import fold_content

from stim2bold.models.folds import read_folds
from stim2bold.models.leakage import check_folds, check_prediction, fit_record


@pytest.fixture()
def content():
    return fold_content()


def predicted(content):
    folds = read_folds(content)
    rows = np.concatenate([fold.test for fold in folds])
    number = np.concatenate([np.full(len(fold.test), fold.number) for fold in folds])
    return xr.DataArray(
        np.zeros((len(rows), 2)),
        dims=("time", "voxel"),
        coords={"row": ("time", rows), "fold": ("time", number)},
    )


def check(content, fitted, extent=(-12.0, 0.0)):
    return check_prediction(fit_record(fitted, extent), predicted(content), content, name="x.nc")


def test_honest_fits_pass(content):
    assert check_folds(content, gap=12.0) == []
    for extent in ((-12.0, 0.0), (0.0, 12.0), (0.0, 0.0)):
        assert check(content, {f.number: f.train for f in read_folds(content)}, extent) == []


@pytest.mark.parametrize("kind", ["test", "gap"])
def test_one_leaked_row_is_found(content, kind):
    fitted = {f.number: f.train for f in read_folds(content)}
    row = int(getattr(read_folds(content)[1], kind)[3])
    fitted[1] = np.append(fitted[1], row)
    (first, *_) = check(content, fitted)
    assert f"fold 1 was fitted on {kind} rows [[{row}, {row + 1}]]" in first


def test_delays_count(content):
    fitted = {f.number: f.train for f in read_folds(content)}
    assert any("reach into the test interval" in p for p in check(content, fitted, (-14.0, 0.0)))
    assert any("reach into the test interval" in p for p in check(content, fitted, (0.0, 14.0)))


def test_silent_predictions_are_refused(content):
    assert check_prediction({}, predicted(content), content, name="x.nc")
    fitted = {f.number: f.train for f in read_folds(content) if f.number}
    assert any("unknown" in p for p in check(content, fitted))


def test_predictions_outside_their_fold(content):
    array = predicted(content)
    array = array.assign_coords(fold=("time", np.roll(array["fold"].values, 5)))
    record = fit_record({f.number: f.train for f in read_folds(content)}, (0.0, 0.0))
    problems = check_prediction(record, array, content, name="x.nc")
    assert any("not its test rows" in p for p in problems)


def test_leaking_fold_files(content):
    leaky = copy.deepcopy(content)
    start, stop = leaky["folds"][1]["test"]["rows"][0]
    leaky["folds"][1]["train"]["rows"].append([start, start + 5])
    assert any("fold 1: training rows" in p for p in check_folds(leaky, gap=12.0))
    # A fold file made with a smaller gap than the configuration asks for.
    assert check_folds(content, gap=15.0)
    inner = copy.deepcopy(content)
    split = inner["folds"][0]["inner"][0]
    split["train"]["rows"] = split["test"]["rows"]
    assert any("fits rows that it tests" in p for p in check_folds(inner, gap=12.0))
    split["train"]["rows"] = inner["folds"][0]["test"]["rows"]
    assert any("outside the training rows" in p for p in check_folds(inner, gap=12.0))
