import dataclasses

import numpy as np
import pytest
from planted_labels import CONTENT, table
from planted_problem import TR
from scipy.signal import lfilter
from shipped import shipped

from stim2bold.decoding.clips import (
    Retrieval,
    by_chance,
    likeness,
    ranks,
    retrieve_clips,
    summary_of,
)
from stim2bold.decoding.feature_components import joined, predict_components
from stim2bold.decoding.labels import DecodingSettings
from stim2bold.models import hrf
from stim2bold.models.circular_shifts import block_period
from stim2bold.models.directions import assemble
from stim2bold.models.folds import read_folds

SETTINGS = shipped(DecodingSettings, components=20, clip_components=8)
FOLDS = read_folds(CONTENT)


def study(seed, *, strength):
    """Slow features of a picture, and BOLD that follows them."""
    rng = np.random.default_rng(seed)
    n_rows = CONTENT["n_rows"]
    features = lfilter([1.0], [1, -0.9], rng.standard_normal((n_rows, 12)), axis=0)
    response = hrf.film_to_bold(TR, reach=12.0).apply(features)
    signal = response @ rng.standard_normal((12, 50))
    noise = lfilter([1.0], [1, -0.45], rng.standard_normal((n_rows, 50)), axis=0)
    bold = strength * signal / signal.std(axis=0) + noise / noise.std(axis=0)
    picture = joined([table(features[:, :8], "feature", "a"), table(features[:, 8:], "f", "b")])
    problem = assemble(
        "bold2video", source=[table(bold, "voxel", "bold")], target=picture, content=CONTENT
    )
    return problem, retrieval(problem, FOLDS)


def retrieval(problem, folds):
    """What is told of the film by BOLD."""
    fitted, film = predict_components(problem, folds, SETTINGS)
    return Retrieval(fitted.values, fitted.rows, fitted.fold, film)


def looked_for(problem, found, *, seconds=6.0):
    times = problem.target_array["time"].values[found.rows - problem.rows[0]]
    clips, scores = retrieve_clips(
        found, times, seconds=seconds, tr=TR, period=block_period(CONTENT), draws=200, seed=0
    )
    return clips, scores.set_index(["candidates", "measure"])


def test_clips_are_found_in_bold_that_follows_the_picture():
    clips, scores = looked_for(*study(0, strength=2.0))
    for candidates in ("fold", "film"):
        best = scores.loc[candidates]
        assert best.loc["top1", "value"] > 2 * best.loc["top1", "chance"]
        assert best.loc["median_rank", "value"] < 0.6 * best.loc["median_rank", "chance"]
        assert best["p"].drop("top5").max() < 0.02
    own = clips[clips["candidates"] == "film"]
    right = own["onset"] == own["best_onset"]
    assert (own.loc[right, "rank"] == 1).all() and right.mean() == scores.loc["film", "top1"].value
    assert (own["best_correlation"] >= own["correlation"]).all()


def test_noise_finds_clips_as_often_as_guessing():
    found = [looked_for(*study(seed, strength=0.0))[1] for seed in range(1, 9)]
    for measure in ("top1", "reciprocal_rank"):
        value = np.mean([part.loc[("fold", measure), "value"] for part in found])
        chance = found[0].loc[("fold", measure), "chance"]
        assert value == pytest.approx(chance, abs=0.08)
        # Clips of training rows draw predictions to them: never better than guessing.
        value = np.mean([part.loc[("film", measure), "value"] for part in found])
        assert value < found[0].loc[("film", measure), "chance"] + 0.03
    assert np.mean([part["p"].to_numpy() < 0.05 for part in found]) < 0.15


def test_a_perfect_prediction_finds_every_clip_and_only_unshifted():
    problem, found = study(1, strength=1.0)
    told = [found.film[f.number][found.fold == f.number] for f in FOLDS]
    perfect = dataclasses.replace(found, values=np.concatenate(told))
    _, scores = looked_for(problem, perfect)
    assert scores.loc[("film", "top1"), "value"] == 1.0
    assert scores.loc[("fold", "median_rank"), "value"] == 1.0
    assert scores.loc[("film", "top1"), "null"] < 0.2


def test_correlations_are_numpys():
    rng = np.random.default_rng(0)
    predicted, film = rng.standard_normal((2, 30, 4))
    found = likeness(predicted, film, np.array([0, 20]), 10)
    for clip, start in ((0, 5), (20, 20)):
        expected = np.corrcoef(
            predicted[clip : clip + 10].ravel(), film[start : start + 10].ravel()
        )[0, 1]
        assert found[[0, 20].index(clip), start] == pytest.approx(expected)
    # The end is followed by the beginning.
    around = np.concatenate([film[25:], film[:5]])
    expected = np.corrcoef(predicted[:10].ravel(), around.ravel())[0, 1]
    assert found[0, 25] == pytest.approx(expected)


def test_ranks_by_hand():
    correlations = np.array([[0.5, 0.9, 0.1, 0.5], [0.0, 0.0, 0.0, 0.0]])
    starts = np.array([0, 1, 3])
    assert ranks(correlations, starts, np.array([0, 1]), 0).tolist() == [2.5, 2.0]
    # Moved by one row the candidates start at 1, 2 and 0.
    assert ranks(correlations, starts, np.array([0, 1]), 1).tolist() == [1.0, 2.0]


def test_chance_is_what_random_ranks_give():
    rng = np.random.default_rng(0)
    n = np.array([6] * 20 + [9] * 4)
    drawn = np.floor(rng.random((20000, 24)) * n) + 1
    np.testing.assert_allclose(by_chance(n), summary_of(drawn).mean(axis=0), rtol=0.05)


def test_held_out_rows_change_nothing():
    problem, found = study(2, strength=1.0)
    fold = FOLDS[1]
    hidden = np.concatenate([fold.test, fold.gap])
    target = problem.target.copy()
    target[hidden - problem.rows[0]] = 1e3
    other = dataclasses.replace(problem, target=target)
    again = retrieval(other, [fold])
    np.testing.assert_array_equal(again.values, found.values[found.fold == fold.number])
