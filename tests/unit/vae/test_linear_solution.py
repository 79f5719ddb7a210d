"""Linear solutions: by Gram matrices as by the targets themselves, and the right one is chosen."""

import numpy as np
import pytest
from scipy.signal import lfilter
from sklearn.linear_model import Ridge

from stim2bold.vae.grams import grams_of
from stim2bold.vae.linear_solution import (
    INDEPENDENT,
    Recipe,
    best_penalty,
    choose,
    inner_fold,
    structure_parts,
    target_weights,
    try_all,
    try_shared,
    try_structure,
    weights_of,
)
from stim2bold.vae.penalised_regression import (
    PENALTIES,
    part_solution,
    without_patterns,
)
from stim2bold.vae.shared_response import rest_part, shared_part, shared_response

SPLITS = [
    (np.arange(40, 120), np.arange(0, 30)),
    (np.r_[0:30, 80:120], np.arange(40, 70)),
    (np.arange(0, 70), np.arange(80, 120)),
]


def smooth(shape, rho, rng):
    return lfilter([np.sqrt(1 - rho**2)], [1, -rho], rng.standard_normal(shape), axis=0)


@pytest.fixture
def planted():
    """Regressors, and targets of three participants who share half of their weights."""
    rng = np.random.default_rng(0)
    x = smooth((120, 8), 0.8, rng)
    common = rng.standard_normal((8, 20))
    weights = [np.sqrt(0.5) * (common + rng.standard_normal((8, 20))) for _ in range(3)]
    y = np.concatenate([x @ w for w in weights], axis=1) + 3 * smooth((120, 60), 0.3, rng)
    return x, (y - y.mean(axis=0)) / y.std(axis=0)


def slow_error(x, y, recipe, *, participants):
    """The error of a recipe on the inner folds, by the targets themselves."""
    errors, size = 0.0, 0.0
    for train, test in SPLITS:
        weights = weights_of(
            recipe, x[train], grams_of(y[train], participants=participants), y[train]
        )
        errors += ((y[test] - x[test] @ weights) ** 2).sum()
        size += (y[test] ** 2).sum()
    return errors / size


@pytest.mark.parametrize("prior", ["even", "learned", "learned-apart"])
@pytest.mark.parametrize("structure", ["own", "places", "shared"])
def test_errors_by_gram_matrices_are_those_of_the_targets(planted, structure, prior):
    x, y = planted
    folds = [inner_fold(x, grams_of(y, participants=3), *split) for split in SPLITS]
    if structure == "shared":
        (trial,) = try_shared(2, folds, [prior])
    else:
        (trial,) = try_structure(structure, folds, [prior])
    slow = slow_error(x, y, trial.recipe, participants=3)
    assert trial.error == pytest.approx(slow, rel=1e-6)
    for position in range(len(trial.recipe.penalties)):
        for other in (PENALTIES[2], PENALTIES[-3]):
            changed = list(trial.recipe.penalties)
            changed[position] = float(other)
            recipe = Recipe(structure, prior, trial.recipe.dimensions, tuple(changed))
            # The course of a shared response has a penalty of its own: what is best for it alone.
            if structure != "shared" or position == 1:
                assert slow_error(x, y, recipe, participants=3) >= slow - 1e-9


def test_an_even_prior_is_ridge(planted):
    x, y = planted
    part = structure_parts("own", grams_of(y, participants=1))[0]
    own = part_solution(x, part, "even", 7.0) @ y
    np.testing.assert_allclose(own, Ridge(alpha=7.0, fit_intercept=False).fit(x, y).coef_.T)


def test_the_shared_response_is_that_of_a_plain_loop(planted):
    _, y = planted
    people = [part.astype(float) for part in np.split(y, 3, axis=1)]
    left, strength, _ = np.linalg.svd(y, full_matrices=False)
    course = left[:, :4] * strength[:4] / np.sqrt(3)
    for _ in range(15):
        maps = []
        for own in people:
            u, _, v = np.linalg.svd(own.T @ course, full_matrices=False)
            maps.append(u @ v)
        course = np.mean([own @ w for own, w in zip(people, maps, strict=True)], axis=0)
    found = shared_response(grams_of(y, participants=3), 4)
    signs = np.sign((found.course * course).sum(axis=0))
    np.testing.assert_allclose(found.course, course * signs, atol=1e-5)
    for own, w, map_ in zip(people, maps, found.maps, strict=True):
        np.testing.assert_allclose(own.T @ map_, w * signs, atol=1e-5)
        np.testing.assert_allclose((own.T @ map_).T @ (own.T @ map_), np.eye(4), atol=1e-5)


def test_what_is_left_of_the_targets_is_what_the_rest_is_fitted_to(planted):
    x, y = planted
    train, test = SPLITS[0]
    fold = inner_fold(x, grams_of(y, participants=3), train, test)
    shared = shared_response(fold.fitted, 2)
    first = part_solution(fold.x, shared_part(shared, fold.grams), "even", 5.0)
    gram = rest_part(shared, fold.grams, fold.x_test, first).gram
    total = 0.0
    for own, map_ in zip(np.split(y, 3, axis=1), shared.maps, strict=True):
        w = own[train].T @ map_
        rest = np.concatenate(
            [own[train] - shared.course @ w.T, own[test] - x[test] @ first @ shared.course @ w.T]
        )
        total = total + rest @ rest.T
    np.testing.assert_allclose(gram, total, atol=1e-6)


@pytest.mark.parametrize("n_targets", [100, 400])
def test_independent_targets_are_counted(n_targets):
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((300, 5)), rng.standard_normal((300, n_targets))
    _, found = without_patterns(x, grams_of(y, participants=1).mean)
    assert found == pytest.approx(n_targets, rel=0.2)
    # As often repeated, there are no more of them.
    _, again = without_patterns(x, grams_of(np.tile(y, 5), participants=1).mean)
    assert again == pytest.approx(found, rel=1e-6)


def brains(rng, *, shared, voxels=300, rows=450, ceiling=0.4):
    """Targets that follow 6 of 40 regressors, with noise that is shared in part."""
    x = smooth((rows, 40), 0.9, rng)
    signal = x[:, :6] @ rng.standard_normal((6, voxels))
    noise = smooth((rows, voxels), 0.4, rng)
    patterns = smooth((rows, 5), 0.8, rng) @ rng.standard_normal((5, voxels))
    noise = np.sqrt(1 - shared) * noise + np.sqrt(shared) * patterns / patterns.std(axis=0)
    y = ceiling * signal / signal.std(axis=0) + np.sqrt(1 - ceiling**2) * noise
    return x, y / y.std(axis=0), signal


LONG = [
    (np.arange(180, 450), np.arange(0, 150)),
    (np.r_[0:120, 330:450], np.arange(150, 300)),
    (np.arange(0, 270), np.arange(300, 450)),
]


@pytest.mark.parametrize("shared", [0.0, 0.7])
def test_shared_noise_does_not_mislead_the_prior(shared):
    x, y, _ = brains(np.random.default_rng(2), shared=shared)
    grams = grams_of(y, participants=1)
    even, apart = try_all(x, grams, LONG, measured=True)
    assert apart.recipe.prior == "learned-apart" and choose([even, apart]) is apart
    _, learned = try_all(x, grams, LONG, measured=False)
    assert learned.recipe.prior == "learned"
    if shared:
        # What a prior learns that takes the noise for independent is the noise.
        assert learned.error > apart.error + 0.3 * (1 - apart.error)


def test_of_few_independent_targets_no_prior_is_learned():
    rng = np.random.default_rng(3)
    x, y, _ = brains(rng, shared=0.0, voxels=300)
    blurred = y @ np.kron(np.eye(15), np.ones((20, 20)))
    assert [
        t.recipe.prior for t in try_all(x, grams_of(y, participants=1), LONG, measured=True)
    ] == [
        "even",
        "learned-apart",
    ]
    few = grams_of(blurred / blurred.std(axis=0), participants=1)
    assert without_patterns(x, few.mean)[1] < INDEPENDENT * x.shape[1]
    assert [t.recipe.prior for t in try_all(x, few, LONG, measured=True)] == ["even"]


def corrected(x, y, truth, *, participants, structures):
    """Correlation with the truth of each structure's best recipe, fitted to all rows."""
    grams = grams_of(y, participants=participants)
    folds = [inner_fold(x, grams, *split) for split in LONG]
    found = {}
    for structure in structures:
        trials = (
            [t for k in (3, 6) for t in try_shared(k, folds, ["even"])]
            if structure == "shared"
            else try_structure(structure, folds, ["even"])
        )
        guess = x @ weights_of(choose(trials).recipe, x, grams, y)
        r = [np.corrcoef(a, b)[0, 1] for a, b in zip(guess.T, truth.T, strict=True)]
        found[structure] = float(np.mean(r))
    return found


def people(rng, *, mixed):
    """Six participants: at one place half of the weights, or the same latents mixed otherwise."""
    x = smooth((450, 40), 0.9, rng)
    common = rng.standard_normal((3, 50))
    signals = []
    for _ in range(6):
        own = rng.standard_normal((3, 50))
        weights = own if mixed else np.sqrt(0.7) * common + np.sqrt(0.3) * own
        signals.append(x[:, :3] @ weights)
    truth = np.concatenate(signals, axis=1)
    truth /= truth.std(axis=0)
    y = 0.35 * truth + np.sqrt(1 - 0.35**2) * smooth((450, 300), 0.4, rng)
    return x, y / y.std(axis=0), truth


def test_participants_who_agree_place_by_place_help_each_other():
    x, y, truth = people(np.random.default_rng(4), mixed=False)
    r = corrected(x, y, truth, participants=6, structures=["own", "places"])
    assert r["places"] > r["own"] + 0.03, r


def test_participants_whose_topographies_differ_share_a_course():
    x, y, truth = people(np.random.default_rng(5), mixed=True)
    r = corrected(x, y, truth, participants=6, structures=["own", "places", "shared"])
    assert r["shared"] > r["places"] + 0.03 and r["shared"] > r["own"] + 0.03, r


def test_targets_count_by_what_ridge_predicts_of_them():
    x, y, _ = brains(np.random.default_rng(6), shared=0.0, voxels=40)
    y[:, 30:] = smooth((450, 10), 0.4, np.random.default_rng(7))
    found = target_weights(x, y, LONG, participants=1)
    assert found.mean() == pytest.approx(1)
    assert found[:30].mean() > 3 * found[30:].mean()
    # The squared correlation, by another's ridge with the penalty that errs least.
    r = []
    for alpha in PENALTIES:
        guess = np.zeros_like(y)
        for train, test in LONG:
            guess[test] = (
                Ridge(alpha=alpha, fit_intercept=False).fit(x[train], y[train]).predict(x[test])
            )
        centred = [
            np.concatenate([part[test] - part[test].mean(axis=0) for _, test in LONG])
            for part in (guess, y)
        ]
        held = np.concatenate([test for _, test in LONG])
        error = ((guess - y)[held] ** 2).sum()
        up, down = (centred[0] * centred[1]).sum(axis=0), np.linalg.norm(centred, axis=1)
        r.append((error, up / np.maximum(down[0] * down[1], 1e-12)))
    _, best = min(r, key=lambda pair: pair[0])
    expected = best.clip(0) ** 2 + (best.clip(None, 0) ** 2).mean()
    np.testing.assert_allclose(found, expected / expected.mean(), atol=1e-6)
    # In two participants alike as in one.
    both = target_weights(x, np.concatenate([y, y], axis=1), LONG, participants=2)
    np.testing.assert_allclose(both, found, atol=1e-9)


def test_where_nothing_is_predicted_all_targets_count_alike():
    x, y, _ = brains(np.random.default_rng(8), shared=0.0, voxels=5)
    np.testing.assert_array_equal(target_weights(x, 0 * y, LONG, participants=1), np.ones(5))


def test_silent_targets_do_not_make_the_solution_timid():
    rng = np.random.default_rng(9)
    x, y, signal = brains(rng, shared=0.0, voxels=40)
    silent = smooth((450, 2000), 0.4, rng)
    whole = np.concatenate([y, silent / silent.std(axis=0)], axis=1)

    def recovered(weights):
        grams = grams_of(whole, participants=1, weights=weights)
        folds = [inner_fold(x, grams, *split) for split in LONG]
        (trial,) = try_structure("own", folds, ["even"])
        guess = (x @ weights_of(trial.recipe, x, grams, whole))[:, :40]
        return np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(guess.T, signal.T, strict=True)])

    alike = recovered(None)
    counted = recovered(target_weights(x, whole, LONG, participants=1))
    assert counted > alike + 0.01


def test_a_penalty_at_the_edge_of_those_tried_is_told():
    assert Recipe(penalties=(float(PENALTIES[3]), float(PENALTIES[-1]))).at_edge
    assert Recipe(penalties=(float(PENALTIES[0]),)).at_edge
    assert not Recipe(penalties=(float(PENALTIES[3]),)).at_edge
    # Of noise nothing is to be predicted: the largest penalty errs least.
    rng = np.random.default_rng(10)
    x, y = smooth((450, 20), 0.8, rng), smooth((450, 200), 0.4, rng)
    (trial,) = try_structure(
        "own",
        [inner_fold(x, grams_of(y, participants=1), *split) for split in LONG],
        ["even"],
    )
    assert trial.recipe.at_edge


def weak_brain(seed, strength):
    """Return regressors, targets of which little follows them, and the inner folds."""
    rng = np.random.default_rng(seed)
    x = smooth((450, 20), 0.8, rng)
    y = strength * x @ rng.standard_normal((20, 60)) / 4 + smooth((450, 60), 0.4, rng)
    return x, y, [inner_fold(x, grams_of(y, participants=1), *split) for split in LONG]


@pytest.mark.parametrize("strength", [0.1, 0.3, 2.0])
def test_one_brain_takes_the_largest_penalty_within_a_standard_error(strength):
    x, y, folds = weak_brain(11, strength)
    errors = np.zeros((len(LONG), len(PENALTIES)))
    for row, (train, test) in enumerate(LONG):
        for column, penalty in enumerate(PENALTIES):
            weights = np.linalg.solve(
                x[train].T @ x[train] + penalty * np.eye(20), x[train].T @ y[train]
            )
            errors[row, column] = ((y[test] - x[test] @ weights) ** 2).sum()
    parts = [structure_parts("own", fold.grams)[0] for fold in folds]
    best = errors.sum(axis=0).argmin()
    assert best_penalty(folds, parts, "even")[0] == PENALTIES[best]
    # The sum over folds exceeds the best by no more than its standard error, the folds taken for
    # independent, at this penalty and at all between.
    largest = best
    for column in range(best + 1, len(PENALTIES)):
        more = errors[:, column] - errors[:, best]
        if more.sum() > np.sqrt(len(LONG) * more.var(ddof=1)):
            break
        largest = column
    penalty, error = best_penalty(folds, parts, "even", cautious=True)
    assert penalty == PENALTIES[largest]
    assert error == pytest.approx(errors[:, largest].sum(), rel=1e-6)


def test_where_little_is_told_caution_is_another_choice_and_a_single_structure_makes_it():
    more = 0
    for seed in range(12):
        _, _, folds = weak_brain(seed, 0.15)
        parts = [structure_parts("own", fold.grams)[0] for fold in folds]
        bold, cautious = (
            best_penalty(folds, parts, "even", cautious=rule)[0] for rule in (False, True)
        )
        assert cautious >= bold
        more += cautious > bold
        (trial,) = try_structure("own", folds, ["even"])
        assert trial.recipe.penalties == (cautious,)
    assert more >= 3
