from dataclasses import replace

import numpy as np
import pytest
from planted_problem import TR, fold_content, tables
from shipped import shipped

from stim2bold.io.arrays import read_array, write_array
from stim2bold.models import directions, hrf
from stim2bold.models.folds import read_folds
from stim2bold.vae.group import fit_group
from stim2bold.vae.latent_course import (
    common_axes,
    latent_course,
    mean_delay,
    untrained_folds,
)
from stim2bold.vae.settings import VAESettings

SETTINGS = shipped(VAESettings, components=20, latents=8, hidden=4, seeds=2, steps=10, rank=30)


@pytest.fixture(scope="module")
def planted():
    """Three members whose voxels follow one feature alone, with weights of their own."""
    content = fold_content()
    source, target, _ = tables(content)
    filters = hrf.film_to_bold(TR, reach=12.0)
    response = filters.apply(source.values[:, :1] - source.values[:, :1].mean())[:, 0]
    response /= response.std()
    problems = {}
    for number in range(3):
        rng = np.random.default_rng(number)
        values = rng.standard_normal(target.shape) + response[:, None] * rng.uniform(1, 3, 40)
        bold = target.copy(data=values.astype(np.float32))
        problems[f"sub-{number}"] = directions.assemble(
            "film2bold", source=[source], target=bold, content=content
        )
    chosen = dict.fromkeys(problems, np.ones(40, dtype=bool))
    folds = read_folds(content)
    return response, problems, folds, fit_group(problems, chosen, folds, SETTINGS)


def test_the_first_dimension_is_the_planted_course(planted, tmp_path):
    response, problems, folds, trained = planted
    write_array(
        tmp_path / "course.nc",
        latent_course(problems["sub-1"], folds, trained.tensors, trained.record),
    )
    course = read_array(tmp_path / "course.nc")
    np.testing.assert_array_equal(course["row"], np.sort(trained.fitted.rows))
    assert (np.diff(course["time"]) > 0).all()
    # Whatever signs the folds' latents have: up is more BOLD, in all of them.
    assert np.corrcoef(course.values[:, 0], response[course["row"].values])[0, 1] > 0.9
    assert course["share"][0] > 0.6 and (np.diff(course["share"]) < 0).all()
    assert course["share"].sum() <= 1 + 1e-9
    assert course.attrs["delay"] == pytest.approx(mean_delay(hrf.film_to_bold(TR, reach=12.0), TR))


def test_the_course_is_what_the_model_predicts(planted):
    _, problems, folds, trained = planted
    course = latent_course(problems["sub-0"], folds, trained.tensors, trained.record, n=100)
    order = np.argsort(trained.fitted.rows, kind="stable")
    fold = trained.fitted.fold[order]
    for one in folds:
        here = fold == one.number
        mean, scale = (trained.tensors[f"target_{name}/{one.number}"] for name in ("mean", "scale"))
        predicted = (trained.fitted.values[order][here] - mean) / scale
        # Some rotation of the one is the other: distances between moments tell.
        weighted = course.values[here] * np.sqrt(course["share"].values)
        ours = np.linalg.norm(weighted - weighted[0], axis=1)
        theirs = np.linalg.norm(predicted - predicted[0], axis=1)
        ratio = ours[1:] / theirs[1:]
        np.testing.assert_allclose(ratio, ratio[0], rtol=1e-3)


def test_networks_that_are_as_they_were_drawn_are_counted(planted):
    _, problems, folds, trained = planted
    course = latent_course(problems["sub-0"], folds, trained.tensors, trained.record)
    assert course.attrs["untrained"] == 0
    steps = [{"steps": number} for number in (0, 20, 0)]
    assert untrained_folds({"settings": {"linear": False}, "folds": steps}) == 2
    assert untrained_folds({"settings": {"linear": True}, "folds": steps}) == 0


def test_bases_that_are_turned_round_change_nothing():
    rng = np.random.default_rng(0)
    size = np.array([5.0, 3.0, 1.0, 0.1])
    bases = [np.linalg.qr(rng.standard_normal((200, 4)))[0].T for _ in range(2)]
    bases[1] = bases[0]
    parts = [rng.standard_normal((60, 4)) * size for _ in range(2)]
    axes, share = common_axes(parts, bases, n=3)
    courses = [part @ axis for part, axis in zip(parts, axes, strict=True)]
    turns = [np.linalg.qr(rng.standard_normal((4, 4)))[0] for _ in range(2)]
    again, same = common_axes(
        [part @ turn for part, turn in zip(parts, turns, strict=True)],
        [turn.T @ basis for turn, basis in zip(turns, bases, strict=True)],
        n=3,
    )
    np.testing.assert_allclose(share, same)
    for part, turn, axis, course in zip(parts, turns, again, courses, strict=True):
        np.testing.assert_allclose(part @ turn @ axis, course, atol=1e-9)
    # Against principal components of all that is predicted, voxel by voxel.
    whole = np.concatenate([part @ basis for part, basis in zip(parts, bases, strict=True)])
    left, strength, right = np.linalg.svd(whole, full_matrices=False)
    np.testing.assert_allclose(share, (strength**2 / (strength**2).sum())[:3])
    expected = left[:, :3] * np.sqrt(len(whole)) * np.sign(right[:3].sum(axis=1))
    np.testing.assert_allclose(np.concatenate(courses), expected, atol=1e-9)


def test_what_is_held_out_changes_no_course(planted):
    _, problems, folds, trained = planted
    one = latent_course(problems["sub-0"], folds, trained.tensors, trained.record)
    other = replace(problems["sub-0"], target=problems["sub-0"].target + 50)
    again = latent_course(other, folds, trained.tensors, trained.record)
    np.testing.assert_array_equal(one.values, again.values)


@pytest.mark.parametrize("tr", [0.5, 1.0, 2.0])
def test_a_slow_event_is_seen_by_the_delay_later(tr):
    filters = hrf.film_to_bold(tr, reach=12.0)
    times = np.arange(0, 200, tr)
    event = np.exp(-(((times - 100) / 10) ** 2))
    late = filters.apply(event[:, None])[:, 0]
    peak = np.average(times, weights=np.maximum(late, 0)) - 100
    assert mean_delay(filters, tr) == pytest.approx(peak, abs=0.1)
    assert 5 < mean_delay(filters, tr) < 6
