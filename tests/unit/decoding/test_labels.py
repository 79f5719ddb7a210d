import dataclasses

import numpy as np
import pytest
from planted_labels import CONTENT, annotations, bold_of, on_and_off
from planted_problem import TR
from scipy.optimize import minimize
from scipy.special import expit
from shipped import shipped

from stim2bold.decoding.label_scores import calibration_error, score_labels
from stim2bold.decoding.label_timeline import captions, long_timeline
from stim2bold.decoding.labels import (
    DecodingSettings,
    decodable,
    decode_labels,
    fit_calibration,
    in_time,
    presence,
    training_share,
)
from stim2bold.models.circular_shifts import block_period
from stim2bold.models.directions import assemble
from stim2bold.models.folds import read_folds
from stim2bold.models.leakage import check_prediction
from stim2bold.models.predictions import prediction_array

SETTINGS = shipped(DecodingSettings, components=30)
FOLDS = read_folds(CONTENT)
# Music and speech in turn, 24 s each.
BLOCK = (np.arange(CONTENT["n_rows"]) * TR // 24).astype(int) % 2


def study(seed, *, planted=6, silent=6, strength=1.0):
    """A problem in which the first labels show in BOLD and the others do not."""
    rng = np.random.default_rng(seed)
    labels = on_and_off(rng, planted + silent)
    bold = bold_of(labels[:, :planted], rng, strength=strength)
    target = presence(annotations(labels), threshold=0.5)
    return assemble("bold2labels", source=[bold], target=target, content=CONTENT)


def scored(problem, fitted):
    present = problem.target[fitted.rows - problem.rows[0]].astype(float)
    table = score_labels(
        [str(name) for name in problem.target_array["feature"].values],
        fitted.values,
        present,
        fold=fitted.fold,
        block=BLOCK[fitted.rows],
        share=training_share(problem, fitted),
        fewest=SETTINGS.fewest,
        tr=TR,
        period=block_period(CONTENT),
        spread=1.37,
    )
    return table[(table["fold"] == "all") & (table["status"] == "decoded")].pivot_table(
        index="label", columns="measure", values="value", sort=False
    )


@pytest.fixture(scope="module")
def decoded():
    problem = study(0)
    return problem, in_time(decode_labels(problem, FOLDS, SETTINGS))


def test_what_was_planted_is_decoded_and_nothing_else(decoded):
    problem, fitted = decoded
    found = scored(problem, fitted).drop(index="all")
    planted, silent = found.iloc[:6], found.iloc[6:]
    assert (planted["average_precision"] > planted["chance"] + 0.2).all(), planted
    assert (planted["q"] < 0.05).all() and (planted["brier_skill"] > 0.1).all()
    assert (silent["q"] > 0.05).all(), silent
    assert abs(silent["gain"].mean()) < 0.06


def test_a_label_of_the_block_tells_nothing_within_it():
    rng = np.random.default_rng(0)
    labels = on_and_off(rng, 3)
    labels[:, 0] = BLOCK
    # Comes and goes within blocks of one kind alone.
    labels[:, 1] *= BLOCK
    problem = assemble(
        "bold2labels",
        source=[bold_of(labels[:, :2], rng, strength=2.0)],
        target=presence(annotations(labels), threshold=0.5),
        content=CONTENT,
    )
    found = scored(problem, decode_labels(problem, FOLDS, SETTINGS))
    whole, within, silent = (found.loc[f"video/label {i}"] for i in range(3))
    assert whole["average_precision"] > 0.9 and whole["p"] < 0.05
    assert np.isnan(whole["within_average_precision"]) and np.isnan(whole["within_p"])
    assert within["within_gain"] > 0.1 and within["within_p"] < 0.05
    assert within["within_base_rate"] > within["base_rate"] + 0.1
    assert silent["within_p"] > 0.05


def test_noise_decodes_nothing_and_says_so():
    p, skill, gain = [], [], []
    for seed in range(1, 6):
        problem = study(seed, planted=0, silent=12)
        found = scored(problem, decode_labels(problem, FOLDS, SETTINGS)).drop(index="all")
        p += found["p"].tolist()
        skill += found["brier_skill"].tolist()
        gain += found["gain"].tolist()
    assert np.mean(np.array(p) < 0.05) <= 0.12
    assert abs(np.mean(gain)) < 0.02
    # What is said where nothing is known costs next to nothing over the label's share.
    assert np.mean(skill) > -0.08


def test_probabilities_are_what_they_say(decoded):
    parts = [decoded] + [
        (problem, decode_labels(problem, FOLDS, SETTINGS)) for problem in map(study, (1, 2))
    ]
    truth = np.concatenate(
        [problem.target[fitted.rows - problem.rows[0]] for problem, fitted in parts]
    ).astype(float)
    guess = np.concatenate([fitted.values for _, fitted in parts])
    share = np.concatenate([training_share(*part) for part in parts])

    def error(values, columns):
        return calibration_error(values[:, columns].ravel(), truth[:, columns].ravel())

    planted, silent = slice(0, 6), slice(6, 12)
    assert error(guess, planted) < 0.03 and guess[:, planted].std() > 0.3
    # Where nothing shows, the share of few minutes of film is itself as far off.
    assert error(guess, silent) < error(share, silent) + 0.05


def test_calibration_is_the_minimum_of_platts_loss():
    rng = np.random.default_rng(0)
    score = rng.standard_normal(200)
    present = (rng.random(200) < expit(2 * score - 1)).astype(float)
    n = present.sum()
    target = np.where(present > 0, (n + 1) / (n + 2), 1 / (200 - n + 2))

    def loss(parameters):
        p = expit(parameters[0] * score + parameters[1])
        return -(target * np.log(p) + (1 - target) * np.log(1 - p)).sum()

    expected = minimize(loss, [0.0, 0.0]).x
    found = fit_calibration(score, present)
    np.testing.assert_allclose([found.slope, found.intercept], expected, atol=2e-3)


def test_scores_that_run_against_the_label_say_its_share():
    present = np.array([1.0] * 30 + [0.0] * 70)
    for score in (-present, np.zeros(100)):
        found = fit_calibration(score, present)
        assert found.slope == 0
        np.testing.assert_allclose(found.apply(score), 0.3, atol=0.01)
    separated = fit_calibration(present, present).apply(present)
    assert 0.9 < separated.max() < 1 and 0 < separated.min() < 0.1


def test_a_label_seen_in_one_stretch_only_is_not_decodable():
    splits = [(np.arange(50, 100), np.arange(50)), (np.arange(50), np.arange(50, 100))]
    present = np.zeros((100, 3))
    present[10:30, 0] = 1  # gone with the first inner fold
    present[[*range(10, 20), *range(70, 80)], 1] = 1
    present[:, 2] = 1  # always there
    assert decodable(present, splits, fewest=10).tolist() == [False, True, False]
    assert decodable(present, splits, fewest=11).tolist() == [False, False, False]


def test_a_rare_label_is_named_and_not_scored():
    problem = study(3)
    target = problem.target.copy()
    target[:, 0] = 0
    target[100:130, 0] = 1
    rare = dataclasses.replace(problem, target=target)
    fitted = decode_labels(rare, FOLDS, SETTINGS)
    assert np.isnan(fitted.values[:, 0]).all() and np.isfinite(fitted.values[:, 1:]).all()
    present = rare.target[fitted.rows - rare.rows[0]].astype(float)
    table = score_labels(
        [f"label {i}" for i in range(12)],
        fitted.values,
        present,
        fold=fitted.fold,
        block=BLOCK[fitted.rows],
        share=training_share(rare, fitted),
        fewest=10,
        tr=TR,
        period=48.0,
        spread=1.0,
    )
    own = table[table["label"] == "label 0"]
    assert set(own["status"]) == {"too rare to fit"}
    assert set(own["measure"]) == {"rows_present"}


def test_held_out_labels_and_bold_change_nothing():
    problem = study(4)
    fold = FOLDS[2]
    hidden = np.concatenate([fold.test, fold.gap])
    hidden = hidden[np.isin(hidden, problem.rows)] - problem.rows[0]
    target = problem.target.copy()
    target[hidden] = 1 - target[hidden]
    one, two = (
        decode_labels(p, [fold], SETTINGS)
        for p in (problem, dataclasses.replace(problem, target=target))
    )
    np.testing.assert_array_equal(one.values, two.values)


def test_the_record_of_the_fit_is_checked_like_any_prediction(decoded):
    problem, fitted = decoded
    array = prediction_array(
        problem, fitted, model="labels", sources=["bold.nc"], target="annotations.nc"
    )
    assert check_prediction(array.attrs, array, CONTENT, name="x") == []
    leaking = dataclasses.replace(
        fitted, fitted=fitted.fitted | {0: np.append(fitted.fitted[0], FOLDS[0].test[:3])}
    )
    array = prediction_array(
        problem, leaking, model="labels", sources=["bold.nc"], target="annotations.nc"
    )
    assert any(
        "test rows" in line for line in check_prediction(array.attrs, array, CONTENT, name="x")
    )


def test_the_timeline_says_what_was_decoded_when(decoded):
    problem, fitted = decoded
    array = prediction_array(
        problem, fitted, model="labels", sources=["bold.nc"], target="annotations.nc"
    )
    array.values[0, 3] = np.nan
    present = problem.target[fitted.rows - problem.rows[0]]
    share = training_share(problem, fitted)
    timeline = long_timeline(array, present, share, tr=TR)
    assert len(timeline) == array.size - 1
    row = timeline[(timeline["label"] == "video/label 2")].iloc[40]
    assert row["onset"] == pytest.approx(40 * TR, abs=1e-5)
    assert row["probability"] == pytest.approx(array.values[40, 2], abs=1e-4)
    assert row["present"] == present[40, 2]
    text = captions(timeline, most=2)
    assert len(text) == len(array)
    first = text.iloc[0]
    here = [i for i in range(12) if i != 3]
    assert first["present"] == ", ".join(sorted(f"video/label {i}" for i in here if present[0, i]))
    for line in text["decoded"]:
        assert line.count("(") <= 2
    gains = np.log(array.values / (1 - array.values)) - np.log(share / (1 - share))
    best = np.nanargmax(gains[40])
    assert text.iloc[40]["decoded"].startswith(f"video/label {best} ({array.values[40, best]:.2f})")


def test_presence_follows_the_coding():
    table = annotations(np.array([[0.0, 0.4], [0.6, 2.0]], dtype=np.float32))
    assert presence(table, threshold=0.5).values.tolist() == [[0, 0], [1, 1]]
    table.attrs["coding"] = "onset"
    assert presence(table, threshold=0.5).values.tolist() == [[0, 1], [1, 1]]
