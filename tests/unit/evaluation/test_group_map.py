from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from scipy.signal import lfilter
from scipy.stats import norm, permutation_test, ttest_1samp

from stim2bold.evaluation.ceiling import add_up
from stim2bold.evaluation.group_map import (
    ceiling_pair,
    film_test,
    gather,
    group_maps,
    group_test,
    predicted_pair,
)
from stim2bold.evaluation.metrics import voxel_r
from stim2bold.runtime.errors import InputError


def test_t_is_students_and_p_is_scipys_exact():
    values = np.random.default_rng(0).normal(0.4, 1, (8, 6))
    test = group_test(values, seed=0, at_once=4)
    np.testing.assert_allclose(test.t, ttest_1samp(values, 0).statistic, atol=1e-10)
    expected = permutation_test(
        (values,),
        lambda x, axis: ttest_1samp(x, 0, axis=axis).statistic,
        permutation_type="samples",
        alternative="greater",
        n_resamples=np.inf,
    )
    # Of one voxel, the largest t is its own: by all flips there are, as scipy counts them.
    alone = [group_test(values[:, [v]], seed=0).p_max[0] for v in range(6)]
    np.testing.assert_allclose(alone, expected.pvalue)
    assert test.n_flips == 2**8
    # Student's p has no floor at 1 / 2^n, and corrected p are larger.
    students = ttest_1samp(values, 0, alternative="greater").pvalue
    np.testing.assert_allclose(test.p, students, rtol=1e-6)
    assert (test.p_max >= alone).all()


def test_the_largest_of_all_keeps_the_family_wise_error():
    rng = np.random.default_rng(1)
    found = [
        (group_test(rng.standard_normal((12, 300)), seed=s, n=500).p_max <= 0.05).any()
        for s in range(100)
    ]
    assert np.mean(found) <= 0.12


SHAPE = (6, 5, 4)


def watched(seed, *, n, planted, shared):
    """Participants with a response of their own and one that all share; predictions of part of it.

    All participants' noise has a part in common, as when they saw another film than was modelled.
    """
    rng = np.random.default_rng(seed)
    places = np.arange(120)
    pairs = {}
    film = lfilter([1.0], [1, -0.7], rng.standard_normal((200, 120)), axis=0)
    common = lfilter([1.0], [1, -0.7], rng.standard_normal((200, 120)), axis=0)
    for i in range(n):
        own = lfilter([1.0], [1, -0.7], rng.standard_normal((200, 120)), axis=0)
        truth = np.sqrt(shared) * common + np.sqrt(1 - shared) * own
        truth[:, :planted] += 0.8 * film[:, :planted]
        kept = places[1:] if i == n - 1 else places
        i_j_k = np.unravel_index(kept, SHAPE)
        bold = xr.DataArray(
            truth[:, kept],
            dims=("time", "voxel"),
            coords={"time": np.arange(200.0)}
            | {a: ("voxel", v) for a, v in zip("ijk", i_j_k, strict=True)},
            attrs={"shape": list(SHAPE), "affine": np.eye(4).ravel()},
        )
        rows = np.arange(200 - 10 * (i == 0))
        predicted = (
            bold[rows]
            .copy(data=film[np.ix_(rows, kept)])
            .assign_coords(fold=("time", rows // 67), row=("time", rows))
        )
        pairs[f"sub-{i}"] = predicted_pair(bold, predicted, spread=1.0)
    return pairs


def test_what_is_there_is_found_where_all_have_a_voxel():
    pairs = watched(2, n=6, planted=30, shared=0.3)
    group = gather(pairs.get, list(pairs))
    maps = group_maps(group, SHAPE, seed=0, n=499)
    assert maps["r"][0, 0, 0] == 0
    assert maps["q"][0, 0, 0] == maps["pmax"][0, 0, 0] == maps["q-participants"][0, 0, 0] == 1
    flat = {name: volume.ravel() for name, volume in maps.items()}
    assert (flat["q"][1:30] < 0.05).mean() > 0.9
    assert (flat["q"][30:] < 0.05).mean() < 0.05
    # On the rows that all have: the first was scanned for less.
    fold = np.arange(190) // 67
    by_hand = [
        voxel_r(pair.truth[:190], pair.predicted[:190], fold)[-119:] for pair in pairs.values()
    ]
    np.testing.assert_allclose(flat["r"][1:], np.mean(by_hand, axis=0), atol=1e-5)


def test_a_wrong_film_is_not_found_where_flips_of_signs_find_it():
    film, people = [], []
    for seed in range(8):
        pairs = watched(100 + seed, n=8, planted=0, shared=0.6)
        maps = group_maps(gather(pairs.get, list(pairs)), SHAPE, seed=seed, n=99)
        film.append((maps["q"] < 0.05).any())
        people.append((maps["q-participants"] < 0.05).any())
    assert sum(film) <= 1
    assert sum(people) >= 4


def test_the_ceiling_of_a_group_that_shares_nothing_is_not_found_and_its_null_is_as_wide():
    z = []
    for seed in range(16):
        pairs = watched(200 + seed, n=4, planted=0, shared=0.0)
        tables = {name: pair.bold for name, pair in pairs.items()}
        everyone = add_up(tables.get, list(tables))
        group = gather(lambda name, t=tables, e=everyone: ceiling_pair(t[name], e), list(tables))
        found = film_test(group, seed=seed, n=49)
        z.append(norm.isf(found.p))
    assert np.std(np.concatenate(z)) == pytest.approx(1, abs=0.1)


def test_who_saw_nothing_in_common_is_named():
    pairs = watched(3, n=2, planted=0, shared=0.0)
    late = replace(pairs["sub-1"], row=pairs["sub-1"].row + 1000)
    with pytest.raises(InputError, match="sub-0, sub-1: no volume of the film was predicted in"):
        gather({**pairs, "sub-1": late}.get, list(pairs))
    other = pairs["sub-1"].bold.assign_attrs(affine=2 * np.eye(4).ravel())
    with pytest.raises(InputError, match="sub-1: its BOLD lies on another grid"):
        gather({**pairs, "sub-1": replace(pairs["sub-1"], bold=other)}.get, list(pairs))
