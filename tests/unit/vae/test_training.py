from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from planted_problem import fold_content, problem
from shipped import shipped

from stim2bold.evaluation.metrics import voxel_r
from stim2bold.models.folds import read_folds
from stim2bold.runtime.errors import InputError
from stim2bold.vae.batches import make_batch, make_job
from stim2bold.vae.initialisation import Solution, prepare
from stim2bold.vae.linear_solution import Recipe, Trial
from stim2bold.vae.settings import VAESettings, settings_of
from stim2bold.vae.storage import predict_stored, read_model, write_model
from stim2bold.vae.training import diagnose, fit, sample_variance

SMALL = shipped(VAESettings, components=15, latents=8, hidden=4, seeds=2, steps=20, rank=60)


@pytest.fixture(scope="module")
def content():
    return fold_content()


@pytest.fixture(scope="module")
def planted(content):
    return problem(content)[0]


@pytest.fixture(scope="module")
def trained(content, planted):
    return fit(planted, read_folds(content), SMALL)


def test_planted_voxels_are_predicted_and_the_others_are_not(planted, trained):
    fitted = trained.fitted
    r = voxel_r(planted.target[fitted.rows], fitted.values, fitted.fold)
    assert r[:20].mean() > 0.3
    assert abs(r[20:].mean()) < 0.08


def test_training_lowers_the_objective_and_the_linear_path_stands(content, planted, trained):
    longer = replace(SMALL, steps=60, every=20, seeds=1)
    table = fit(planted, read_folds(content), longer).history
    table = table[(table.phase == "outer")].groupby("step").total.mean()
    assert table.iloc[-1] < table.iloc[0]
    # Looked at before the first step alone, the inner folds stop there: what is trained beside
    # (target encoder, variances) does not move the prediction from the linear solution.
    folds = read_folds(content)
    stopped = fit(planted, folds, replace(SMALL, every=SMALL.steps + 1))
    assert {fold["steps"] for fold in stopped.record["folds"]} == {0}
    still = fit(planted, folds, replace(SMALL, steps=0)).fitted
    np.testing.assert_allclose(stopped.fitted.values, still.values, atol=1e-4)


def test_the_network_finds_what_no_linear_path_can():
    """Products of two features at a moment, of which their delayed courses tell nothing."""
    content = fold_content(n_blocks=41)
    several, _ = problem(content, n_features=6, products=3, noise=0.7)
    folds = read_folds(content)[:1]
    settings = replace(SMALL, units=32, hidden=0, steps=200, every=20, seeds=1)
    trained = fit(several, folds, settings)
    without = fit(several, folds, replace(settings, units=0))

    def score(fitted):
        truth = several.target[fitted.rows - several.rows[0]]
        return voxel_r(truth, fitted.values, fitted.fold)[:20].mean()

    assert trained.record["folds"][0]["steps"] > 0
    assert abs(score(without.fitted)) < 0.15
    assert score(trained.fitted) > 0.4


def test_same_seed_same_prediction_other_seed_another(content, planted, trained):
    again = fit(planted, read_folds(content), SMALL)
    np.testing.assert_array_equal(again.fitted.values, trained.fitted.values)
    # Where inner folds stop at once the linear path alone predicts, whatever the seed; without a
    # linear path the networks do.
    paper = shipped(
        VAESettings, preset="paper", components=8, hidden=4, latents=3, seeds=1, steps=2
    )
    fold = read_folds(content)[:1]
    one, two = (fit(planted, fold, replace(paper, seed=seed)).fitted.values for seed in (1, 2))
    assert np.abs(one - two).max() > 1e-3
    np.testing.assert_array_equal(fit(planted, fold, paper).fitted.values, one)


@pytest.mark.parametrize("killed_at", [15, 37])
def test_a_killed_training_goes_on_to_the_same_result(
    content, planted, trained, tmp_path, killed_at
):
    """15 is in the inner folds' stage, 37 in the last one's."""
    count = 0

    def until_killed(steps):
        nonlocal count
        for step in steps:
            count += 1
            if count == killed_at:
                raise KeyboardInterrupt
            yield step

    folds = read_folds(content)
    settings = replace(SMALL, every=5)
    whole = fit(planted, folds, settings)
    with pytest.raises(KeyboardInterrupt):
        fit(planted, folds, settings, progress=until_killed, checkpoints=tmp_path / "unit")
    assert list(tmp_path.glob("*.safetensors"))
    steps = []

    def counting(these):
        for step in these:
            steps.append(step)
            yield step

    again = fit(planted, folds, settings, progress=counting, checkpoints=tmp_path / "unit")
    assert len(steps) < 2 * (settings.steps + 1), "some were not repeated"
    np.testing.assert_array_equal(again.fitted.values, whole.fitted.values)
    for name, value in whole.tensors.items():
        np.testing.assert_array_equal(again.tensors[name], value, err_msg=name)
    pd.testing.assert_frame_equal(again.history, whole.history)
    assert not list(tmp_path.iterdir()), "nothing is left behind"


def test_a_training_that_diverges_is_refused(content, planted):
    wild = replace(SMALL, learning_rate=1e30)
    with pytest.raises(InputError, match="diverged in fold.*lower vae.learning_rate"):
        fit(planted, read_folds(content)[:1], wild)


def test_a_checkpoint_of_another_training_is_passed_over(content, planted, tmp_path):
    folds = read_folds(content)

    def killed(steps):
        for step in steps:
            if step == 12:
                raise KeyboardInterrupt
            yield step

    with pytest.raises(KeyboardInterrupt):
        fit(planted, folds, SMALL, progress=killed, checkpoints=tmp_path / "unit")
    other = replace(SMALL, seed=7)
    one = fit(planted, folds, other, checkpoints=tmp_path / "unit")
    np.testing.assert_array_equal(one.fitted.values, fit(planted, folds, other).fitted.values)


def test_folds_do_not_depend_on_the_folds_trained_beside_them(content, planted, trained):
    fold = read_folds(content)[1]
    alone = fit(planted, [fold], SMALL)
    together = trained.fitted.values[trained.fitted.fold == 1]
    np.testing.assert_allclose(alone.fitted.values, together, atol=2e-3)


def test_held_out_targets_change_nothing(content, planted):
    fold = read_folds(content)[0]
    changed = planted.target.copy()
    changed[np.concatenate([fold.test, fold.gap])] += 50.0
    other = replace(planted, target=changed)
    one, two = (fit(p, [fold], SMALL).fitted.values for p in (planted, other))
    np.testing.assert_array_equal(one, two)


def test_paper_preset_trains(content, planted):
    small = shipped(
        VAESettings, preset="paper", components=15, hidden=8, latents=4, seeds=1, steps=30
    )
    trained = fit(planted, read_folds(content), small)
    table = trained.history[trained.history.phase == "inner"].dropna(subset="total")
    assert table[table.step == 20].total.mean() < table[table.step == 0].total.mean()
    assert np.isfinite(trained.fitted.values).all()


def test_settings():
    always = {"seed": 1, "seeds": 3, "device": "auto"}
    paper = settings_of({"preset": "paper", "hidden": None, **always})
    assert paper == shipped(VAESettings, preset="paper")
    assert settings_of({"preset": "small-data", "beta": 0.5, **always}).beta == 0.5
    with pytest.raises(InputError, match="unknown"):
        settings_of({"preset": "small-data", "bta": 0.5})
    with pytest.raises(InputError, match="huge"):
        settings_of({"preset": "huge"})


def test_stored_model_predicts_alone(content, planted, trained, tmp_path):
    write_model(tmp_path / "m.safetensors", trained.tensors, trained.record)
    tensors, record = read_model(tmp_path / "m.safetensors")
    fitted = trained.fitted
    for fold in read_folds(content):
        again = predict_stored(tensors, record, planted.source, fold=fold.number)
        np.testing.assert_allclose(
            again[fold.test], fitted.values[fitted.fold == fold.number], rtol=1e-4, atol=1e-3
        )


def test_diagnostics(trained):
    table = trained.diagnostics.set_index("measure")
    assert 0.85 < table.loc["coverage_90"].value.mean() < 0.95
    assert (table.loc["kl"].value >= 0).all()
    assert (table.loc["active_units"].value > 0).all()
    assert table.loc["sample_sd"].value.between(0.01, 2).all()
    collapsed = diagnose(
        0, error=np.zeros((3, 2)), noise=np.ones(2), kl=np.array([0.0, 1e-4]), spread=0.0
    )
    assert (0, "collapsed", -1, 1.0) in collapsed


def test_sample_variance_is_that_of_a_linear_decoder(content, planted):
    fold = read_folds(content)[0]
    task = prepare(planted, fold, SMALL)
    trial = Trial(Recipe(penalties=(10.0,)), 0.9)
    start = Solution(trial, [trial], np.ones(planted.target.shape[1]))
    job = make_job(task, planted, task.train, 1, SMALL, start, 1)
    batch = make_batch([job], planted, SMALL, torch.device("cpu"))
    with torch.no_grad():
        batch.model.source_encoder.log_variance[:] = np.log(0.25)
    weights = batch.model.decoder.linear.weight.detach().numpy()[0]
    found = sample_variance(batch, SMALL, draws=200)
    np.testing.assert_allclose(found, 0.25 * (weights**2).sum(), rtol=0.05)
