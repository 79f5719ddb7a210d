"""Input from which nothing can be learned is refused by one line that says what to do."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from planted_problem import fold_content, problem
from shipped import shipped

from stim2bold.evaluation.null_inflation import chance_spread
from stim2bold.models.baselines import predict_least_squares
from stim2bold.models.folds import FoldSettings, make_folds, read_folds
from stim2bold.models.ridge import RidgeSettings, predict_ridge
from stim2bold.models.variance_partition import partition
from stim2bold.runtime.errors import InputError
from stim2bold.vae.settings import VAESettings
from stim2bold.vae.training import fit

SMALL = shipped(VAESettings, components=5, latents=3, hidden=2, rank=5, seeds=1, steps=2)
RIDGE = shipped(RidgeSettings, components=5, draws=1)
MODELS = {
    "vae": lambda problem, folds: fit(problem, folds, SMALL),
    "ridge": lambda problem, folds: predict_ridge(problem, folds, RIDGE),
    "banded": lambda problem, folds: predict_ridge(problem, folds, RIDGE, banded=True),
    "partition": lambda problem, folds: partition(problem, folds, RIDGE),
}


@pytest.fixture(scope="module")
def content():
    return fold_content()


@pytest.fixture(scope="module")
def planted(content):
    return problem(content, n_voxels=10)[0]


@pytest.mark.parametrize("model", MODELS)
def test_features_that_do_not_vary_where_they_are_fitted(model, planted, content):
    fold = read_folds(content)[0]
    source = planted.source.copy()
    source[fold.train] = 3.0
    with pytest.raises(InputError, match="film2bold: feature space 1 of 1 does not vary.*;"):
        MODELS[model](replace(planted, source=source), [fold])


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("value", [0.0, 1234.5])
def test_voxels_none_of_which_varies(model, value, planted, content):
    still = replace(planted, target=np.full_like(planted.target, value))
    with pytest.raises(InputError, match="film2bold: no target varies.*mask"):
        MODELS[model](still, read_folds(content))


@pytest.mark.parametrize("model", MODELS)
def test_one_voxel_that_varies_is_enough(model, planted, content):
    target = np.full_like(planted.target, 5.0)
    target[:, 3] = planted.target[:, 3]
    found = MODELS[model](replace(planted, target=target), read_folds(content))
    for name in ("values", "by_voxel"):
        assert np.isfinite(getattr(found, name, 0.0)).all()


def test_nothing_varies_but_least_squares_can_say_so(planted, content):
    known = np.zeros((content["n_rows"], 2))
    values = predict_least_squares(planted, read_folds(content), known=known).values
    assert np.isfinite(values).all()


def test_chance_of_voxels_few_of_which_vary(planted, content):
    target = np.full_like(planted.target, 5.0)
    target[:, 3] = planted.target[:, 3]
    array = planted.target_array.copy(data=target)
    few = replace(planted, target=target, target_array=array)
    assert np.isfinite(chance_spread(few, read_folds(content), RIDGE, n=40))


@pytest.mark.parametrize(("seconds", "tr"), [(90.0, 2.0), (60.0, 2.0), (90.0, 3.0)])
def test_a_film_too_short_for_its_folds(seconds, tr):
    events = pd.DataFrame(
        {"onset": np.arange(6) * seconds / 6, "duration": seconds / 6, "trial_type": "a"}
    )
    with pytest.raises(InputError, match="nothing is left to fit beside a gap of 12 s.*folds"):
        make_folds(
            events, n_rows=int(seconds / tr), tr=tr, film_onset=0.0, settings=shipped(FoldSettings)
        )


@pytest.mark.parametrize("model", MODELS)
def test_a_recording_of_which_too_little_is_left(model, planted, content):
    """It has rows to fit, but none with which to choose penalties."""
    fold = read_folds(content)[0]
    kept = np.arange(fold.test[-5], fold.test[-1] + 60)
    short = replace(
        planted,
        rows=kept,
        target=planted.target[kept],
        target_array=planted.target_array.isel(time=kept),
    )
    with pytest.raises(InputError, match="too short"):
        MODELS[model](short, [fold])


def test_a_gap_shorter_than_a_row():
    events = pd.DataFrame({"onset": np.arange(8) * 60.0, "duration": 60.0, "trial_type": "a"})
    with pytest.raises(InputError, match="gap 2.0 s is shorter than the TR"):
        make_folds(
            events,
            n_rows=160,
            tr=3.0,
            film_onset=0.0,
            settings=shipped(FoldSettings, gap=2.0, reach=2.0),
        )
