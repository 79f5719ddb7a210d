import dataclasses

import numpy as np
import pandas as pd
import pytest
from planted_labels import CONTENT, table
from planted_problem import TR
from scipy.signal import lfilter
from shipped import shipped

from stim2bold.decoding.clip_scores import rank_clips, retrieve_clips
from stim2bold.decoding.clips import Retrieval
from stim2bold.decoding.feature_components import joined, predict_components
from stim2bold.decoding.labels import DecodingSettings
from stim2bold.evaluation.identification import cut_segments
from stim2bold.evaluation.null_inflation import chance_spread
from stim2bold.models import hrf
from stim2bold.models.circular_shifts import block_period
from stim2bold.models.directions import assemble
from stim2bold.models.folds import read_folds

SETTINGS = shipped(DecodingSettings, components=20, clip_components=8)
FOLDS = read_folds(CONTENT)


def study(seed, *, strength, slow=(0.9, 0.45)):
    """Slow features of a picture, and BOLD that follows them; coefficients of both courses."""
    rng = np.random.default_rng(seed)
    n_rows = CONTENT["n_rows"]
    features = lfilter([1.0], [1, -slow[0]], rng.standard_normal((n_rows, 12)), axis=0)
    response = hrf.film_to_bold(TR, reach=12.0).apply(features)
    signal = response @ rng.standard_normal((12, 50))
    noise = lfilter([1.0], [1, -slow[1]], rng.standard_normal((n_rows, 50)), axis=0)
    bold = strength * signal / signal.std(axis=0) + noise / noise.std(axis=0)
    picture = joined([table(features[:, :8], "feature", "a"), table(features[:, 8:], "f", "b")])
    problem = assemble(
        "bold2video", source=[table(bold, "voxel", "bold")], target=picture, content=CONTENT
    )
    return problem, retrieval(problem, FOLDS)


def retrieval(problem, folds):
    """What is told of the film by BOLD."""
    fitted, film = predict_components(problem, folds, SETTINGS)
    return Retrieval(fitted.values, fitted.rows, fitted.fold, film, spread=1.3)


def perfect(found):
    """The same brain, if it told the film itself."""
    told = [found.film[f.number][found.fold == f.number] for f in FOLDS]
    return dataclasses.replace(found, values=np.concatenate(told))


def looked_for(problem, found, *, seconds=6.0):
    times = problem.target_array["time"].values[found.rows - problem.rows[0]]
    clips, scores, _ = retrieve_clips(
        found, times, seconds=seconds, tr=TR, period=block_period(CONTENT), draws=200, seed=0
    )
    return clips, scores.set_index(["candidates", "measure"])


def test_clips_are_found_in_bold_that_follows_the_picture():
    clips, scores = looked_for(*study(0, strength=2.0))
    for candidates in ("fold", "film"):
        best = scores.loc[candidates]
        assert best.loc["top1", "value"] > 2 * best.loc["top1", "chance"]
        assert best.loc["median_rank", "value"] < 0.6 * best.loc["median_rank", "chance"]
        assert best["p"][["top1", "reciprocal_rank"]].max() < 0.02
        # Of few folds the median of all ranks takes few values by chance.
        assert best["p"]["median_rank"] < 0.03
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


def test_slow_courses_that_know_nothing_are_significant_as_rarely_as_p_says():
    found = [study(seed, strength=0.0, slow=(0.9, 0.9)) for seed in range(100, 160)]
    spread = chance_spread(found[0][0], FOLDS, SETTINGS.ridge())
    assert 1.2 < spread < np.sqrt(2)
    p = [
        looked_for(problem, dataclasses.replace(told, spread=spread))[1]["p"]["fold"]
        for problem, told in found
    ]
    # Of 60 six or fewer are, in 19 of 20 such tests; by shifts within folds 8 and 10 were.
    assert (pd.DataFrame(p)[["top1", "reciprocal_rank"]] < 0.05).sum().max() <= 6


def test_chance_exchanges_folds_and_signs_by_the_same_draws_in_everybody():
    own = []
    for seed in (4, 5):
        _, found = study(seed, strength=1.0)
        clips = cut_segments(found.rows, found.fold, length=10)
        null = rank_clips(
            [perfect(found)],
            clips,
            **{"candidates": "fold", "tr": TR, "period": 60.0, "draws": 600, "seed": 3},
        ).null
        # Seven clips in each of six folds: all are first in their own stretch alone, unturned.
        own.append((null.reshape(600, 6, 7) == 1).all(axis=2))
    np.testing.assert_array_equal(*own)
    assert own[0].mean() == pytest.approx(1 / 12, abs=0.02)


def test_a_perfect_prediction_finds_every_clip_and_only_unshifted():
    problem, found = study(1, strength=1.0)
    _, scores = looked_for(problem, perfect(found))
    assert scores.loc[("film", "top1"), "value"] == 1.0
    assert scores.loc[("fold", "median_rank"), "value"] == 1.0
    assert scores.loc[("film", "top1"), "null"] < 0.2


def test_held_out_rows_change_nothing():
    problem, found = study(2, strength=1.0)
    fold = FOLDS[1]
    hidden = np.concatenate([fold.test, fold.gap])
    target = problem.target.copy()
    target[hidden - problem.rows[0]] = 1e3
    other = dataclasses.replace(problem, target=target)
    again = retrieval(other, [fold])
    np.testing.assert_array_equal(again.values, found.values[found.fold == fold.number])
