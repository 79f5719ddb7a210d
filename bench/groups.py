"""Measured claims of what holds for groups, small regions and identification, null and planted.

Everything is planted by `planted`, at seeds from 200 on, which nobody looked at before.
"""

import time
from collections.abc import Callable, Iterator

import numpy as np
import planted
import xarray as xr
from claims import row
from models import study, to_bold
from scipy.signal import lfilter
from scipy.stats import false_discovery_control, gamma, kstest
from shipped import shipped

from stim2bold.evaluation import group_map, judging, metrics, significance
from stim2bold.evaluation.held_out import HeldOut
from stim2bold.evaluation.null_inflation import chance_spread
from stim2bold.models import baselines, directions, hrf, ridge

SEEDS = range(200, 240)
SIZES = (8, 17, 30)
SETTINGS = shipped(judging.EvaluationSettings, surrogates=500, other_segments=())
# A share of 40 that is truly 0.05 is at most this, two standard errors above.
FEW = 0.05 + 2 * np.sqrt(0.05 * 0.95 / len(SEEDS))


def predicted(problem: directions.Problem, splits: list, seed: int) -> tuple[HeldOut, float]:
    """Return ridge's predictions beside what was measured, and how wide chance is."""
    fitted = ridge.predict_ridge(problem, splits, shipped(ridge.RidgeSettings))
    spread = chance_spread(problem, splits, shipped(ridge.RidgeSettings, seed=seed), n=240)
    order = np.argsort(fitted.rows)
    rows = fitted.rows[order]
    truth = problem.target[rows - problem.rows[0]].astype(np.float64)
    found = HeldOut(
        truth=truth,
        predicted=fitted.values[order].astype(np.float64),
        mean=np.zeros(truth.shape),
        fold=fitted.fold[order],
        times=(rows + 0.5) * problem.tr,
        rows=rows,
    )
    return found, spread


def groups_of(held: HeldOut, spread: float, *, n_voxels: int, sizes: tuple[int, ...]) -> Iterator:
    """Yield the number of participants and their group, of columns that are theirs in turn."""
    cross, terms = significance.cross_spectrum(*held.pair, held.fold)
    cross = cross.reshape(len(cross), -1, n_voxels)
    for n in sizes:
        part = cross[:, :n]
        yield (
            n,
            group_map.Group(
                r=part.real.sum(axis=0),
                cross=part.mean(axis=1),
                terms=terms,
                places=np.arange(n_voxels),
                spread=spread,
            ),
        )


def joined(seed: int, *, n_voxels: int, silent: int = 0):
    """Return everybody's problem side by side at the standard difficulty, and its folds."""
    features, tables, _, splits, content = study(
        seed, participants=max(SIZES), planted=n_voxels - silent, silent=silent
    )
    return beside(features, [table.values for table in tables], tables[0], content), splits


def beside(
    features: xr.DataArray, series: list[np.ndarray], like: xr.DataArray, content: dict
) -> directions.Problem:
    """Return the problem of all participants' voxels side by side."""
    everybody = np.concatenate(series, axis=1).astype(np.float32)
    return to_bold(
        features,
        like.isel(voxel=np.zeros(everybody.shape[1], dtype=int)).copy(data=everybody),
        content,
    )


def another_film(seed: int, *, between: float, n_voxels: int):
    """Return a film's features with BOLD of people who all saw another, and the folds.

    Neither film has blocks: those are the same in every film of a design, and what is known of one
    would be known of the other.

    Parameters
    ----------
    seed : int
    between : float
        Correlation of what is measured in two participants.
    n_voxels : int
        Of each.
    """
    difficulty = planted.Difficulty(planted=1, silent=1)
    (like,), _, splits, content = study(seed, planted=1, silent=1)[1:]
    rng = np.random.default_rng(seed)
    n_rows = len(like)
    scales = np.exp(-planted.TR / np.exp(np.linspace(0.0, np.log(5.0), 24)))
    modelled, seen = (planted.autoregressive((n_rows, 24), scales, rng) for _ in range(2))
    mixing = rng.standard_normal((24, 100)) * (1 + np.arange(24))[:, None] ** -0.5
    features = like.isel(voxel=np.zeros(100, dtype=int)).drop_vars(["i", "j", "k"])
    features = features.rename(voxel="feature").copy(data=(modelled @ mixing).astype(np.float32))
    response = lfilter(gamma.pdf(np.arange(0, 25, planted.TR), 6), [1.0], seen, axis=0)
    common = response @ rng.standard_normal((24, n_voxels))
    common = (common - common.mean(axis=0)) / common.std(axis=0)
    noise = difficulty.autocorrelation
    series = [
        np.sqrt(between) * common
        + np.sqrt(1 - between) * planted.autoregressive((n_rows, n_voxels), noise, rng)
        for _ in range(max(SIZES))
    ]
    return beside(features, series, like, content), splits


def first_of(held: HeldOut, n: int) -> HeldOut:
    """Return the first columns alone: one participant's."""
    return HeldOut(
        truth=held.truth[:, :n],
        predicted=held.predicted[:, :n],
        mean=held.mean[:, :n],
        fold=held.fold,
        times=held.times,
        rows=held.rows,
    )


def groups_wrong_film() -> list[dict]:
    """Model a film that nobody saw: 40 studies whose participants share another film's response."""
    begun, rows, n_voxels, single = time.monotonic(), [], 12, []
    for between in (0.3, 0.6):
        found: dict[tuple[str, int], list[float]] = {}
        for seed in SEEDS:
            problem, splits = another_film(seed, between=between, n_voxels=n_voxels)
            held, spread = predicted(problem, splits, seed)
            for n, group in groups_of(held, spread, n_voxels=n_voxels, sizes=SIZES):
                film = group_map.film_test(group, seed=seed, n=SETTINGS.surrogates)
                people = group_map.group_test(np.arctanh(group.r), seed=seed, n=200)
                for name, value in (
                    ("film_p", film.p_mean),
                    ("film_map", (film.q < 0.05).any()),
                    ("flips_p", significance.sign_flip_p(group.r.mean(axis=1), seed=1)),
                    ("participants_map", (people.q < 0.05).any()),
                ):
                    found.setdefault((name, n), []).append(float(value))
            if between == 0.3:
                one = first_of(held, n_voxels)
                kinds = planted.labels(planted.Difficulty()).argmax(axis=1)[held.rows]
                known = np.zeros((len(held.rows), 1))
                known_of = judging.identified(one, known, kinds, SETTINGS)
                single.append(known_of["identification"])
        options = {"better": "lower", "seconds": time.monotonic() - begun}
        share = f"share of {len(SEEDS)} studies with p < 0.05, between-participant r {between}"
        maps = f"of {len(SEEDS)} maps with any voxel at q < 0.05, between-participant r {between}"
        for n in SIZES:
            at = f"r{round(10 * between):02d}_n{n}"
            for name, unit, goal, statistic in (
                ("film_p", f"{share}, film as the sample", FEW, below),
                ("film_map", f"{maps}, film as the sample", 3, np.sum),
                ("flips_p", f"{share}, by flipping signs: how not to", None, below),
                ("participants_map", f"{maps}, Student's t: how not to", None, np.sum),
            ):
                rows.append(
                    row(
                        f"groups_wrong_film_{name}_{at}",
                        found[name, n],
                        unit=unit,
                        goal=goal,
                        statistic=statistic,
                        **options,
                    )
                )
    rows += at_its_null(
        "mean", single, "ridge that knows the training mean and nothing else", begun
    )
    return rows


def below(p: np.ndarray) -> float:
    """Return the share of p below 0.05."""
    return float(np.mean(p < 0.05))


def at_its_null(name: str, found: list, who: str, begun: float) -> list[dict]:
    """Return rows that say whether identification without knowledge is at its null."""
    options = {"seconds": time.monotonic() - begun}
    return [
        row(
            f"identification_null_{name}_ks",
            [kstest([one.p for one in found], "uniform").pvalue],
            unit=f"p of Kolmogorov and Smirnov's test that {len(found)} p are uniform: {who}",
            goal=0.05,
            better="higher",
            **options,
        ),
        row(
            f"identification_null_{name}_off",
            [one.value for one in found],
            unit=f"distance of the mean share of pairs from that of the nulls: {who}",
            goal=0.03,
            better="lower",
            statistic=lambda values: abs(values.mean() - np.mean([one.chance for one in found])),
            **options,
        ),
    ]


def identification_blocks() -> list[dict]:
    """Identify within one kind of block by ridge that knows the kind, and noise besides."""
    begun, found = time.monotonic(), []
    for seed in SEEDS:
        features, (table,), _, splits, content = study(seed, null=True, planted=1, silent=60)
        rng = np.random.default_rng(seed)
        labels = planted.labels(planted.Difficulty())
        effect = 1.5 * labels[:, :1] * rng.standard_normal(table.shape[1])
        measured = table.copy(data=(table.values + effect).astype(np.float32))
        noise = lfilter([1.0], [1, -0.8], rng.standard_normal((len(labels), 12)), axis=0)
        source = np.concatenate([3 * labels, noise], axis=1).astype(np.float32)
        known = features.isel(feature=np.zeros(source.shape[1], dtype=int)).copy(data=source)
        problem = to_bold(known, measured, content)
        held, _ = predicted(problem, splits, seed)
        course = baselines.predict_least_squares(
            problem, splits, known=labels, filters=hrf.film_to_bold(planted.TR, reach=problem.reach)
        )
        blocks = course.values[np.argsort(course.rows)]
        kinds = labels.argmax(axis=1)[held.rows]
        judged = judging.identified(held, blocks, kinds, SETTINGS)
        found.append(judged["identification_within"])
    return at_its_null("blocks", found, "within blocks, ridge that knows the block only", begun)


def groups_power() -> list[dict]:
    """Model the film that was seen, at the standard difficulty: what both tests find."""
    begun, n_voxels, silent = time.monotonic(), 60, 30
    sizes, seeds = (3, 8, 30), range(240, 260)
    found: dict[tuple[str, int], list[float]] = {}
    for seed in seeds:
        problem, splits = joined(seed, n_voxels=n_voxels, silent=silent)
        held, spread = predicted(problem, splits, seed)
        for n, group in groups_of(held, spread, n_voxels=n_voxels, sizes=sizes):
            film = group_map.film_test(group, seed=seed, n=SETTINGS.surrogates)
            people = group_map.group_test(np.arctanh(group.r), seed=seed, n=200)
            for name, value in (
                ("film", film.p_mean),
                ("participants", significance.participants_p(group.r.mean(axis=1))),
                ("flips", significance.sign_flip_p(group.r.mean(axis=1), seed=1)),
            ):
                found.setdefault((f"{name}_p", n), []).append(value)
            for name, q in (("film", film.q), ("participants", people.q)):
                share = (q[: n_voxels - silent] < 0.05).mean()
                found.setdefault((f"{name}_map", n), []).append(share)
    options = {"better": "higher", "seconds": time.monotonic() - begun}
    rows = []
    for (name, n), values in found.items():
        kind = name.rpartition("_")[2]
        goal = 0.8 if name in ("film_p", "participants_p") and n >= 8 else None
        rows.append(
            row(
                f"groups_power_{name}_n{n}",
                values,
                unit=f"share of {len(seeds)} studies with p < 0.05"
                if kind == "p"
                else "share of planted voxels at q < 0.05",
                goal=goal,
                trivial=0.05 if goal else None,
                statistic=below if kind == "p" else np.mean,
                **options,
            )
        )
    return rows


def evaluate_small_regions(*, voxels: int = 20_000) -> list[dict]:
    """Look for 0.5, 1.5 and 5 % of the voxels, planted at r = 0.6, in 20 runs each."""
    begun, shares = time.monotonic(), (0.005, 0.015, 0.05)
    found = {share: ([], [], []) for share in shares}
    for seed in range(200, 220):
        rng = np.random.default_rng(seed)
        n_planted = round(max(shares) * voxels)

        def series(n: int, rng=rng) -> np.ndarray:
            drawn = rng.standard_normal((600, n), dtype=np.float32)
            return lfilter([np.sqrt(1 - 0.45**2)], [1, -0.45], drawn, axis=0)

        truth, guess = series(voxels + n_planted), series(voxels + n_planted)
        truth[:, :n_planted] = 0.6 * guess[:, :n_planted] + 0.8 * truth[:, :n_planted]
        fold = np.arange(600) // 100
        test = significance.phase_test(
            *metrics.comparable(truth, guess, fold), fold, seed=seed, n=20
        )
        for share in shares:
            k = round(share * voxels)
            p = np.concatenate([test.p[:k], test.p[n_planted : n_planted + voxels - k]])
            marked = false_discovery_control(p) < 0.05
            floored = false_discovery_control(np.maximum(p, 1 / 1001)) < 0.05
            for values, value in zip(
                found[share],
                (
                    marked[:k].mean(),
                    marked[k:].sum() / max(1, marked.sum()),
                    floored[:k].mean(),
                ),
                strict=True,
            ):
                values.append(value)
    rows, seconds = [], time.monotonic() - begun
    for share, (right, wrong, floored) in found.items():
        of = f"{100 * share:g} % of {voxels} voxels planted at r = 0.6"
        at = f"{1000 * share:g}"
        for name, values, unit, goal, trivial, better in (
            ("found", right, f"share found at q < 0.05, {of}", 0.9, 0.0, "higher"),
            ("false", wrong, f"share of false discoveries, {of}", 0.05, 1 - share, "lower"),
            (
                "floored",
                floored,
                f"share found with p floored at 1/1001, {of}",
                None,
                None,
                "higher",
            ),
        ):
            rows.append(
                row(
                    f"evaluate_small_regions_{name}_{at}",
                    values,
                    unit=unit,
                    goal=goal,
                    trivial=trivial,
                    better=better,
                    seconds=seconds,
                )
            )
    return rows


CLAIMS: dict[str, Callable[[], list[dict]]] = {
    "groups_wrong_film": groups_wrong_film,
    "groups_power": groups_power,
    "identification_blocks": identification_blocks,
    "evaluate_small_regions": evaluate_small_regions,
}
