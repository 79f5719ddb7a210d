"""Every model is fitted with noise in place of what it must not see."""

import json
from dataclasses import replace

import numpy as np
import pytest
from planted_problem import TR, fold_content, problem, tables
from shipped import configuration, shipped

import try_leakage
from stim2bold.decoding import feature_components
from stim2bold.decoding import labels as label_decoding
from stim2bold.io.arrays import write_array
from stim2bold.io.files import read_table, write_json
from stim2bold.models import baselines, directions, ridge
from stim2bold.models.folds import read_folds
from stim2bold.models.hrf import film_to_bold
from stim2bold.models.leakage_trial import overwritten, try_model
from stim2bold.models.predictions import collect, usable
from stim2bold.runtime.errors import InputError
from stim2bold.vae import group, training
from stim2bold.vae.network import LSTM
from stim2bold.vae.settings import VAESettings
from stim2bold.vae.training import fit

RIDGE = shipped(ridge.RidgeSettings, components=8, draws=2)
DECODING = shipped(label_decoding.DecodingSettings, components=8, clip_components=5)
# The networks are trained in earnest: steps that inner folds would not choose.
SMALL = shipped(
    VAESettings,
    components=8,
    latents=4,
    hidden=4,
    rank=8,
    seeds=1,
    steps=8,
    every=4,
    learning_rate=0.02,
)
PAPER = shipped(
    VAESettings, preset="paper", components=8, latents=4, hidden=4, rank=8, seeds=1, steps=8
)
BLOCKS = film_to_bold(TR, reach=12.0)


@pytest.fixture(scope="module")
def content():
    return fold_content()


@pytest.fixture(scope="module")
def planted(content):
    return problem(content, n_voxels=12)[0]


@pytest.fixture(scope="module")
def backward(content):
    """From BOLD to two slow features, and whether they are high."""
    source, bold, _ = tables(content, n_features=2, n_voxels=12)
    return directions.assemble(
        "bold2audio", source=[bold], target=source.rename(feature="mel"), content=content
    )


@pytest.fixture(scope="module")
def labels(backward):
    present = (backward.target > 0).astype(np.float32)
    return replace(
        backward,
        direction="bold2labels",
        target=present,
        target_array=backward.target_array.copy(data=present),
    )


def vae(settings, participants=1):
    return lambda problem, folds: fit(problem, folds, settings, participants=participants).fitted


def heads(problem, folds):
    """A newcomer's decoder on the encoder of the group."""
    trained = fit(problem, folds, SMALL, participants=2)
    return group.fit_heads(problem, folds, trained.tensors, trained.record)


MODELS = {
    "mean": baselines.predict_mean,
    "ridge": lambda problem, folds: ridge.predict_ridge(problem, folds, RIDGE),
    "banded": lambda problem, folds: ridge.predict_ridge(problem, folds, RIDGE, banded=True),
    "vae": vae(SMALL),
    "paper": vae(PAPER),
    "vae-group": vae(SMALL, participants=2),
    "heads": heads,
}


def check(trial, *, looks=True):
    assert trial.earlier >= 3
    assert trial.moved == 0 and trial.largest == 0
    # Where the noise could be seen it was: the trial would notice.
    assert trial.later_moved > 0 if looks else trial.later_moved == 0


@pytest.mark.parametrize("name", MODELS)
def test_nothing_of_the_held_out_film_reaches_a_model_of_bold(name, planted, content):
    # A fold in the middle: rows that are fitted lie on both sides of it.
    fold = read_folds(content)[1]
    check(try_model(MODELS[name], planted, fold), looks=name != "mean")


@pytest.mark.parametrize("name", ["ridge", "vae"])
def test_nor_a_model_that_looks_ahead(name, backward, content):
    check(try_model(MODELS[name], backward, read_folds(content)[1]))


def test_nor_what_is_known_beforehand(planted, content):
    known = np.random.default_rng(5).standard_normal((content["n_rows"], 2))

    def predict(problem, folds):
        return baselines.predict_least_squares(problem, folds, known=known, filters=BLOCKS)

    check(try_model(predict, planted, read_folds(content)[1]), looks=False)


def test_nor_ridge_on_wrong_moments(planted, content):
    wrong = baselines.wrong_moment(planted, content)
    check(try_model(MODELS["ridge"], wrong, read_folds(content)[1]))


def test_nor_decoded_labels(labels, content):
    def predict(problem, folds):
        return label_decoding.decode_labels(problem, folds, DECODING)

    check(try_model(predict, labels, read_folds(content)[1]))


def test_nor_clips(backward, content):
    array = backward.target_array.assign_attrs(spaces=[2])
    shown = replace(backward, direction="bold2video", target_array=array)

    def predict(problem, folds):
        return feature_components.predict_components(problem, folds, DECODING)[0]

    check(try_model(predict, shown, read_folds(content)[1]))


@pytest.mark.parametrize("leak", ["held-out targets", "later source"])
def test_a_model_that_leaks_is_caught(leak, planted, content):
    def peeking(problem, folds):
        parts = []
        for fold in folds:
            train, test = usable(problem, fold)
            seen = problem.target[test] if leak == "held-out targets" else problem.source[test]
            mean = problem.target[train].mean(axis=0) + 1e-4 * seen.mean()
            parts.append((fold, train, test, np.repeat(mean[None], len(test), axis=0)))
        return collect(parts, extent=(0.0, 0.0))

    trial = try_model(peeking, planted, read_folds(content)[1])
    assert trial.moved == trial.earlier > 0 and trial.largest > 0


def test_networks_that_look_across_the_gap_are_caught(planted, content, monkeypatch):
    """As they did: 47 rows of 0.608 s, beside the 12 s of the delay and over a gap of 12 s."""
    forward, choose = LSTM.forward, training.choose_steps
    monkeypatch.setattr(LSTM, "forward", lambda self, x, within=None: forward(self, x))

    def all_steps(tasks, solutions, problem, settings, **options):
        # A network that inner folds leave at its start shows nothing.
        steps, *rest = choose(tasks, solutions, problem, settings, **options)
        return np.full_like(steps, settings.steps), *rest

    monkeypatch.setattr(training, "choose_steps", all_steps)
    assert try_model(MODELS["vae"], planted, read_folds(content)[1]).moved > 0


def test_only_what_is_held_out_is_overwritten(planted, content):
    fold = read_folds(content)[1]
    noisy, first = overwritten(planted, fold, seed=0)
    changed = np.flatnonzero((noisy.target != planted.target).any(axis=1))
    np.testing.assert_array_equal(changed, np.union1d(fold.test, fold.gap))
    late = np.flatnonzero((noisy.source != planted.source).any(axis=1))
    np.testing.assert_array_equal(late, np.arange(first, fold.test[-1] + 1))
    assert fold.test[0] < first


def test_networks_say_how_far_they_look(planted, content):
    fitted = MODELS["vae"](planted, read_folds(content)[:1])
    assert fitted.extent == pytest.approx((-19 * TR, 0.0))
    # 48 rows of a sequence, of which a row may see 47 before it, each of them 19 rows on.
    assert fitted.reads == pytest.approx((-(19 + 47) * TR, 0.0))


def test_one_fold_of_a_real_unit_is_tried(content, tmp_path, monkeypatch):
    source, bold, labels = tables(content, n_voxels=12)
    blocks = source.isel(feature=slice(2)).copy(data=labels)
    for name, array in (("i3d", source), ("bold", bold), ("blocks", blocks)):
        write_array(tmp_path / f"{name}.nc", array.rename(name))
    write_json(tmp_path / "folds.json", content)
    vae_section = {
        "preset": "small-data",
        "seed": 1,
        "seeds": 1,
        "steps": 4,
        "components": 8,
        "device": "cpu",
    }
    baselines = {**configuration()["baselines"], "seed": 1, "components": 8, "draws": 1}
    settings = {"baselines": baselines, "vae": vae_section}
    options = {
        "direction": "film2bold",
        "source": tmp_path / "i3d.nc",
        "target": tmp_path / "bold.nc",
        "known": tmp_path / "blocks.nc",
        "folds": tmp_path / "folds.json",
        "trial": tmp_path / "fold.tsv",
        "settings": json.dumps(settings),
    }
    arguments = [word for key, value in options.items() for word in (f"--{key}", str(value))]
    monkeypatch.setattr("sys.argv", ["try_leakage.py", *arguments, "--fold", "1"])
    try_leakage.main()
    table = read_table(tmp_path / "fold.tsv").set_index("model")
    assert set(table.index) == {"mean", "elapsed", "blocks", "shuffled", "ridge", "banded", "vae"}
    assert (table["moved"] == 0).all() and (table["earlier"] > 3).all()
    assert (table.loc[["shuffled", "ridge", "banded", "vae"], "later_moved"] > 0).all()
    monkeypatch.setattr("sys.argv", ["try_leakage.py", *arguments, "--fold", "9"])
    with pytest.raises(InputError, match="has no fold 9; ask for one below 3"):
        try_leakage.main()
