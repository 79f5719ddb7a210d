from dataclasses import replace

import numpy as np
import pytest
from planted_problem import fold_content, tables
from shipped import shipped

from stim2bold.evaluation.metrics import voxel_r
from stim2bold.models import directions
from stim2bold.models.folds import read_folds
from stim2bold.runtime.errors import InputError
from stim2bold.vae.group import common_voxels, fit_group, fit_heads, member_predictions
from stim2bold.vae.settings import VAESettings

SMALL = shipped(VAESettings, components=15, latents=8, hidden=4, seeds=1, steps=10, rank=60)


@pytest.fixture(scope="module")
def content():
    return fold_content()


@pytest.fixture(scope="module")
def participants(content):
    """Three who saw one film; the second lacks the first voxel, the third the last."""
    source, target, _ = tables(content)
    # The same planted signal, other noise and other unplanted voxels.
    found = {}
    for number, kept in enumerate((slice(None), slice(1, None), slice(None, -1))):
        noise = np.random.default_rng(number).standard_normal(target.shape) * 3
        table = target.copy(data=(target.values + noise).astype(np.float32))
        found[f"sub-{number}"] = table.isel(voxel=kept)
    return source, found


def problems_of(participants, content):
    source, found = participants
    return {
        name: directions.assemble("film2bold", source=[source], target=table, content=content)
        for name, table in found.items()
    }


def test_common_voxels_are_the_same_places(participants):
    _, found = participants
    chosen = common_voxels(found)
    assert [mask.sum() for mask in chosen.values()] == [38, 38, 38]
    places = [
        np.stack([found[name][axis].values[mask] for axis in "ijk"])
        for name, mask in chosen.items()
    ]
    np.testing.assert_array_equal(places[0], places[1])
    np.testing.assert_array_equal(places[0], places[2])


def test_another_grid_is_refused(participants):
    _, found = participants
    other = found["sub-1"].copy()
    other.attrs = other.attrs | {"affine": np.eye(4).ravel()}
    with pytest.raises(InputError, match="sub-1: its BOLD lies on another grid"):
        common_voxels({"sub-0": found["sub-0"], "sub-1": other})


def test_members_and_newcomers_are_predicted(participants, content):
    _, found = participants
    problems = problems_of(participants, content)
    folds = read_folds(content)
    members = {name: problems[name] for name in ("sub-0", "sub-1")}
    chosen = common_voxels({name: found[name] for name in members})
    trained = fit_group(members, chosen, folds, SMALL)
    fits = member_predictions(members, chosen, trained, folds, trained.record)
    fits["sub-2"] = fit_heads(problems["sub-2"], folds, trained.tensors, trained.record)
    for name, fitted in fits.items():
        problem = problems[name]
        r = voxel_r(problem.target[fitted.rows], fitted.values, fitted.fold)
        assert r.shape == (problem.target.shape[1],)
        planted = np.arange(40)[
            {"sub-0": slice(None), "sub-1": slice(1, None)}.get(name, slice(39))
        ]
        assert r[planted < 20].mean() > 0.25, name
        assert abs(r[planted >= 20].mean()) < 0.1, name


def test_held_out_rows_of_nobody_change_anything(participants, content):
    _, found = participants
    fold = read_folds(content)[0]
    out = np.concatenate([fold.test, fold.gap])

    def predicted(changed):
        problems = problems_of(participants, content)
        if changed:
            for name, problem in problems.items():
                target = problem.target.copy()
                target[out] += 50.0
                problems[name] = replace(problem, target=target)
        members = {name: problems[name] for name in ("sub-0", "sub-1")}
        chosen = common_voxels({name: found[name] for name in members})
        trained = fit_group(members, chosen, [fold], SMALL)
        newcomer = fit_heads(problems["sub-2"], [fold], trained.tensors, trained.record)
        return trained.fitted.values, newcomer.values

    for one, two in zip(predicted(False), predicted(True), strict=True):
        np.testing.assert_array_equal(one, two)


def test_other_volumes_are_refused(participants, content):
    problems = problems_of(participants, content)
    short = replace(
        problems["sub-1"], rows=problems["sub-1"].rows[:-5], target=problems["sub-1"].target[:-5]
    )
    chosen = {name: np.ones(38, dtype=bool) for name in ("sub-0", "sub-1")}
    with pytest.raises(InputError, match="sub-1: has other volumes"):
        fit_group({"sub-0": problems["sub-0"], "sub-1": short}, chosen, [], SMALL)
