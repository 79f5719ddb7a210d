"""Measured claims of the statistics: nothing where nothing is, what is planted where it is.

Claims are measured on the ruler of `planted`; `evaluate_map` and `evaluate_partition` at its
standard difficulty, `evaluate_null` without any signal.
"""

import resource
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import planted
import xarray as xr
from claims import most_false, row
from models import SEEDS, study, to_bold
from nilearn.image import resample_to_img
from scipy.stats import kstest
from shipped import shipped
from sklearn.linear_model import RidgeCV
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold

from stim2bold.evaluation import group_map, metrics, scoring
from stim2bold.evaluation.null_inflation import chance_spread
from stim2bold.evaluation.significance import phase_test
from stim2bold.models import directions, folds, predictions, ridge, variance_partition
from stim2bold.models.design_matrix import fit_design
from stim2bold.runtime.errors import InputError
from stim2bold.vae import settings, training

PROJECT = Path(__file__).resolve().parents[1]
SETTINGS = shipped(scoring.EvaluationSettings)
NULL_SEEDS = range(300, 360)


def held(problem: directions.Problem, fitted: predictions.Fitted) -> scoring.HeldOut:
    """Bring a fit together with what was measured."""
    order = np.argsort(fitted.rows)
    rows = fitted.rows[order]
    truth = problem.target[rows - problem.rows[0]].astype(np.float64)
    means = {n: problem.target[r - problem.rows[0]].mean(axis=0) for n, r in fitted.fitted.items()}
    return scoring.HeldOut(
        truth=truth,
        predicted=fitted.values[order].astype(np.float64),
        mean=np.stack([means[number] for number in fitted.fold[order]]),
        fold=fitted.fold[order],
        times=(rows + 0.5) * problem.tr,
        rows=rows,
    )


def naive_p(problem: directions.Problem) -> tuple[np.ndarray, np.ndarray]:
    """Analyse as one should not: shuffled folds, and p as if volumes were independent.

    Returns
    -------
    r, p : ndarray of shape (n_voxels,)
        Correlation over all held-out volumes, and its p by shuffling them.
    """
    rows = np.arange(len(problem.target))
    design = fit_design(problem.source, rows, filters=problem.filters(), n_components=60)
    regressors = design.apply(problem.source)
    guess = np.empty(problem.target.shape)
    for train, test in KFold(6, shuffle=True, random_state=0).split(rows):
        model = RidgeCV(alphas=np.logspace(-1, 6, 15), alpha_per_target=True)
        guess[test] = model.fit(regressors[train], problem.target[train]).predict(regressors[test])
    r = metrics.correlation(problem.target, guess)
    rng = np.random.default_rng(0)
    count = np.zeros(len(r))
    for _ in range(200):
        count += metrics.correlation(problem.target[rng.permutation(rows)], guess) >= r
    return r, (1 + count) / 201


def evaluate_null() -> list[dict]:
    """Find nothing in runs without a signal; and what shuffled folds find in the same runs."""
    begun = time.monotonic()
    discoveries, ps, mean_ps, identified, naive_r, naive_share = [], [], [], [], [], []
    spreads, identified_p, tail = [], [], []
    for seed in NULL_SEEDS:
        features, (table,), _, splits, content = study(seed, null=True)
        problem = to_bold(features, table, content)
        found = held(problem, ridge.predict_ridge(problem, splits, shipped(ridge.RidgeSettings)))
        spread = chance_spread(problem, splits, shipped(ridge.RidgeSettings, seed=seed))
        judged = scoring.significance(
            found, found.mean, replace(SETTINGS, seed=seed), spread=spread
        )
        test = judged.test
        spreads.append(spread)
        discoveries.append(bool((test.q < 0.05).any()))
        ps.append(test.p)
        tail.append((test.p < 0.01).mean())
        mean_ps.append(test.p_mean)
        share = judged.table.set_index("measure").value
        identified.append(share["identification"])
        identified_p.append(share["p_identification"])
        r, p = naive_p(problem)
        naive_r.append(r.mean())
        naive_share.append((p < 0.05).mean())
    options = {"seconds": time.monotonic() - begun}
    lower, higher = {"better": "lower", **options}, {"better": "higher", **options}
    return [
        row(
            "evaluate_null_runs",
            discoveries,
            unit=f"of {len(NULL_SEEDS)} null runs with any voxel at q < 0.05",
            goal=most_false(len(NULL_SEEDS)),
            statistic=np.sum,
            **lower,
        ),
        # Voxels of a run share its film: only runs are independent.
        row(
            "evaluate_null_p",
            [kstest(mean_ps, "uniform").pvalue],
            unit="p of Kolmogorov and Smirnov's test that the runs' p of the mean r are uniform",
            goal=0.05,
            **higher,
        ),
        row(
            "evaluate_null_tail",
            tail,
            unit="share of null voxels with p < 0.01; min and max of single runs",
            goal=0.012,
            **lower,
        ),
        row(
            "evaluate_null_identification_p",
            [kstest(identified_p, "uniform").pvalue],
            unit="p of Kolmogorov and Smirnov's test that the runs' p of identification are "
            "uniform",
            goal=0.05,
            **higher,
        ),
        row(
            "evaluate_null_p_off",
            [kstest(np.concatenate(ps), "uniform").statistic],
            unit="largest distance of the distribution of all runs' voxels' p from uniform",
            goal=0.05,
            **lower,
        ),
        row(
            "evaluate_null_identification_off",
            identified,
            unit="share of pairs of 10 s segments, distance of the mean from 0.5",
            goal=0.02,
            statistic=lambda values: abs(values.mean() - 0.5),
            **lower,
        ),
        row(
            "evaluate_null_naive",
            naive_share,
            unit="share of null voxels with p < 0.05 by shuffled folds and volumes: how not to",
            **higher,
        ),
        row(
            "evaluate_null_spread",
            spreads,
            unit="times as wide as random phases tell; 1.41 is the limit for linear models",
            **higher,
        ),
        row("evaluate_null_naive_r", naive_r, unit="r, by shuffled folds: how not to", **higher),
    ]


def evaluate_map() -> list[dict]:
    """Compare the map at q < 0.05 with where the signal is, at the standard difficulty."""
    begun = time.monotonic()
    sensitivity, false = {"ridge": [], "vae": []}, {"ridge": [], "vae": []}
    for seed in SEEDS:
        features, (table,), mask, splits, content = study(seed)
        problem = to_bold(features, table, content)
        spread = chance_spread(problem, splits, shipped(ridge.RidgeSettings))
        for name, fitted in (
            ("ridge", ridge.predict_ridge(problem, splits, shipped(ridge.RidgeSettings))),
            ("vae", training.fit(problem, splits, shipped(settings.VAESettings)).fitted),
        ):
            found = held(problem, fitted)
            test = phase_test(*found.pair, found.fold, seed=SETTINGS.seed, spread=spread)
            marked = test.q < 0.05
            sensitivity[name].append(marked[mask].mean())
            false[name].append((marked & ~mask).sum() / max(1, marked.sum()))
    seconds = time.monotonic() - begun
    rows = []
    for name in sensitivity:
        rows += [
            row(
                f"evaluate_map_sensitivity_{name}",
                sensitivity[name],
                # One participant at a ceiling of 0.30: reported, for who plans such a study.
                unit="share of planted voxels at q < 0.05, one participant",
                better="higher",
                seconds=seconds,
            ),
            row(
                f"evaluate_map_false_{name}",
                false[name],
                unit="share of silent voxels among those at q < 0.05, one participant",
                goal=0.05,
                better="lower",
                seconds=seconds,
            ),
        ]
    return rows


def evaluate_map_group(*, participants: int = 12) -> list[dict]:
    """Compare the group's map at q < 0.05 with where the signal is, at the standard difficulty."""
    begun = time.monotonic()
    sensitivity, false = [], []
    for seed in SEEDS:
        features, tables, mask, splits, content = study(seed, participants=participants)
        spread = chance_spread(
            to_bold(features, tables[0], content), splits, shipped(ridge.RidgeSettings, seed=seed)
        )
        pairs = {}
        for i, table in enumerate(tables):
            problem = to_bold(features, table, content)
            found = held(
                problem, ridge.predict_ridge(problem, splits, shipped(ridge.RidgeSettings))
            )
            pairs[f"sub-{i}"] = group_map.Pair(
                bold=table,
                truth=found.truth,
                predicted=found.predicted,
                fold=found.fold.astype(int),
                row=found.rows,
                spread=spread,
            )
        group = group_map.gather(pairs.get, list(pairs))
        marked = group_map.film_test(group, seed=seed, n=SETTINGS.surrogates).q < 0.05
        sensitivity.append(marked[mask].mean())
        false.append((marked & ~mask).sum() / max(1, marked.sum()))
    seconds = time.monotonic() - begun
    who = f"{participants} participants, ridge"
    return [
        row(
            "evaluate_map_group_sensitivity",
            sensitivity,
            unit=f"share of planted voxels at q < 0.05, {who}",
            goal=0.5,
            better="higher",
            seconds=seconds,
        ),
        row(
            "evaluate_map_group_false",
            false,
            unit=f"share of silent voxels among those at q < 0.05, {who}",
            goal=0.05,
            better="lower",
            seconds=seconds,
        ),
    ]


# Signal variance by what tells it: picture alone, sound alone, annotations alone, and picture and
# annotations alike, which a partition divides between the two.
COURSES = {"picture": 0.4, "sound": 0.3, "annotations": 0.1, "both": 0.2}
SHARES = np.array([0.5, 0.3, 0.2])


def three_spaces(
    seed: int, difficulty: planted.Difficulty
) -> tuple[list[xr.DataArray], xr.DataArray]:
    """Return tables of picture, sound and annotations, and BOLD that has something of each."""
    rng = np.random.default_rng(seed)
    n_rows = int(difficulty.n_blocks * difficulty.block_seconds / planted.TR)
    times = folds.row_times(n_rows, tr=planted.TR, film_onset=0.0)
    scales = np.exp(np.linspace(0, np.log(5.0), 6))

    def courses() -> np.ndarray:
        return planted.fine_courses(n_rows, scales, rng)

    def table(name: str, parts: list[np.ndarray], n_features: int) -> xr.DataArray:
        series = planted.at_rows(np.concatenate(parts, axis=1))
        series = series[:, rng.permutation(series.shape[1])] / series.std(axis=0)
        weight = (1 + np.arange(series.shape[1])) ** -0.5
        mixed = (series * weight) @ rng.standard_normal((series.shape[1], n_features))
        mixed += 0.05 * rng.standard_normal(mixed.shape)
        return xr.DataArray(
            mixed.astype(np.float32), dims=("time", "feature"), coords={"time": times}, name=name
        )

    known = {name: courses() for name in COURSES}
    tables = [
        # Picture and sound also hold what no voxel responds to.
        table("picture", [known["picture"], known["both"], courses()], 200),
        table("sound", [known["sound"], courses()], 80),
        table("annotations", [known["annotations"], known["both"]], 60),
    ]
    signal = np.zeros((n_rows, difficulty.planted))
    for name, share in COURSES.items():
        part = planted.delayed(known[name]) @ rng.standard_normal((6, difficulty.planted))
        signal += np.sqrt(share) * part / part.std(axis=0)
    noise = planted.autoregressive(signal.shape, difficulty.autocorrelation, rng)
    c = difficulty.ceiling
    bold = c * signal / signal.std(axis=0) + np.sqrt(1 - c**2) * noise
    return tables, xr.DataArray(
        bold.astype(np.float32), dims=("time", "voxel"), coords={"time": times}, name="bold"
    )


def evaluate_partition() -> list[dict]:
    """Compare the shares of three feature spaces with the planted ones."""
    begun, rows = time.monotonic(), []
    for name, difficulty in (
        ("standard", planted.Difficulty()),
        ("easy", planted.Difficulty(ceiling=0.6)),
    ):
        found = []
        content = planted.fold_file(difficulty)
        splits = folds.read_folds(content)
        for seed in range(3, 9):
            tables, bold = three_spaces(seed, difficulty)
            problem = directions.assemble("video2bold", source=tables, target=bold, content=content)
            split = variance_partition.partition(problem, splits, shipped(ridge.RidgeSettings))
            found.append(variance_partition.shares(split.by_row, split.rows // 33, seed=seed)[0])
        # The film's courses are drawn anew with each seed, and so is what they share by chance:
        # the mean over seeds tells the method's own error, the largest what one film may show.
        off = np.abs(np.array(found) - SHARES)
        mean_off = np.abs(np.mean(found, axis=0) - SHARES).max()
        rows.append(
            row(
                f"evaluate_partition_{name}",
                off.ravel(),
                unit="largest distance of a space's share, mean over films, from the planted; "
                "min and max of single films",
                goal=0.05,
                better="lower",
                statistic=lambda _, value=mean_off: value,
                seconds=time.monotonic() - begun,
            )
        )
    return rows


def evaluate_regions() -> list[dict]:
    """Look where picture and sound explain BOLD in the demo: in what was planted as theirs.

    Reads the results of `make demo`, which must have run.
    """
    begun = time.monotonic()
    results = PROJECT / "results"
    spaces = {"picture": "i3d_rgb", "sound": "mel"}
    areas: dict[tuple[str, str], list[float]] = {}
    truths = sorted((results / "simulated" / "truth").glob("sub-*_space-MNI_regions.nii.gz"))
    if not truths:
        raise InputError(results, "holds no results of the demo", "run make demo first")
    for path in truths:
        unit = path.name.partition("_")[0]
        for space, name in spaces.items():
            explained = nib.load(results / "maps" / "partition" / unit / f"{name}.nii.gz")
            regions = resample_to_img(
                path, explained, interpolation="nearest", copy_header=True, force_resample=True
            ).get_fdata()
            values = explained.get_fdata()
            for region, number in (("visual", 1), ("auditory", 2)):
                # Brain that is far from anything planted stands for elsewhere.
                counted = (values != 0) & ((regions == number) | (regions == -1))
                area = roc_auc_score(regions[counted] == number, values[counted])
                areas.setdefault((space, region), []).append(area)
    unit = "area under the curve: is it more in {} voxels than far from any planted? by {}"
    goals = {("picture", "visual"): 0.6, ("sound", "auditory"): 0.6}
    return [
        row(
            f"evaluate_regions_{space}_{region}",
            values,
            unit=unit.format(region, space),
            goal=goals.get((space, region)),
            trivial=0.5,
            better="higher",
            seconds=time.monotonic() - begun,
        )
        for (space, region), values in areas.items()
    ]


def evaluate_speed(*, participants: int = 30, voxels: int = 20_000, n: int = 1000) -> list[dict]:
    """Judge all participants of a study against 1,000 surrogates each, and then the group."""
    difficulty = planted.Difficulty(planted=voxels // 2, silent=voxels // 2)
    rng = np.random.default_rng(0)
    courses, _ = planted.film(difficulty, rng)
    (table,), _, _ = planted.bold(courses, difficulty, rng)
    truth = table.values
    fold = np.minimum(np.arange(len(truth)) // 107, 5)
    guess = np.roll(truth, 200, axis=1) + rng.standard_normal(truth.shape).astype(np.float32)
    begun, spent, maps = time.monotonic(), [], []
    for seed in range(participants):
        start = time.process_time()
        test = phase_test(*metrics.comparable(truth, guess, fold), fold, seed=seed, n=n)
        spent.append(time.process_time() - start)
        maps.append(test.r)
    start = time.process_time()
    group_map.group_test(np.arctanh(np.stack(maps)), seed=0, n=n)
    group = time.process_time() - start
    options = {"better": "lower", "seconds": time.monotonic() - begun}
    size = f"{voxels} voxels, {n} surrogates"
    return [
        row(
            "evaluate_speed_participant",
            spent,
            unit=f"CPU s, one of {participants} participants, {size}",
            goal=60,
            statistic=np.median,
            **options,
        ),
        row("evaluate_speed_group", [group], unit=f"CPU s, sign flips, {size}", goal=60, **options),
        row(
            "evaluate_memory",
            [resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2],
            unit=f"GB, {participants} participants one after the other, {size}",
            goal=3,
            **options,
        ),
    ]


CLAIMS: dict[str, Callable[[], list[dict]]] = {
    "evaluate_null": evaluate_null,
    "evaluate_map": evaluate_map,
    "evaluate_map_group": evaluate_map_group,
    "evaluate_partition": evaluate_partition,
    "evaluate_regions": evaluate_regions,
    "evaluate_speed": evaluate_speed,
}
