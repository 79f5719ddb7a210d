"""Measured claims of what is decoded: labels and clips, from BOLD with a signal and without one."""

import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import standard_film
import xarray as xr
from claims import most_false, row
from planted import Difficulty
from shipped import shipped

from stim2bold.decoding.clip_scores import retrieve_clips
from stim2bold.decoding.clips import Retrieval
from stim2bold.decoding.feature_components import joined, predict_components
from stim2bold.decoding.label_scores import calibration_error, score_labels
from stim2bold.decoding.labels import (
    DecodingSettings,
    decode_labels,
    in_time,
    presence,
    training_share,
)
from stim2bold.evaluation.judging import EvaluationSettings
from stim2bold.evaluation.null_inflation import chance_spread
from stim2bold.evaluation.pooled import score_pooled
from stim2bold.models.baselines import predict_least_squares, predict_mean
from stim2bold.models.circular_shifts import block_period
from stim2bold.models.directions import assemble
from stim2bold.models.folds import read_folds
from stim2bold.models.predictions import prediction_array
from stim2bold.models.ridge import RidgeSettings, predict_ridge
from stim2bold.vae.settings import VAESettings
from stim2bold.vae.training import fit

SETTINGS = shipped(DecodingSettings)
PLANTED_SEEDS = (3, 4, 5)
#: Looked at by nobody while the tests were written.
NULL_SEEDS = range(200, 260)

#: Measures of several brains together: their names in claims, and in words.
POOLED = {
    "r_within": ("r", "r within blocks of one kind"),
    "identification_within": ("identified", "pairs of 10 s of one kind of block told apart"),
}


def bold_of(film: dict, seed: int, *, null: bool, voxels: int = 600) -> xr.DataArray:
    """Return BOLD at the standard difficulty, or without any signal."""
    rng = np.random.default_rng([seed, null])
    times = film["annotations"]["time"].values[:641]
    return standard_film.planted_bold(film["truth"], times, rng, null=null, voxels=voxels)


def decoded(film: dict, bold: xr.DataArray, labels: xr.DataArray) -> tuple:
    """Decode labels and score them; return the table, and probabilities beside the truth."""
    target = presence(labels, threshold=SETTINGS.threshold)
    problem = assemble("bold2labels", source=[bold], target=target, content=film["folds"])
    splits = read_folds(film["folds"])
    fitted = in_time(decode_labels(problem, splits, SETTINGS))
    present = problem.target[fitted.rows - problem.rows[0]].astype(float)
    table = score_labels(
        [str(name) for name in labels["feature"].values],
        fitted.values,
        present,
        fold=fitted.fold,
        block=film["blocks"].values.argmax(axis=1)[fitted.rows],
        share=training_share(problem, fitted),
        fewest=SETTINGS.fewest,
        tr=problem.tr,
        period=block_period(film["folds"]),
        spread=chance_spread(problem, splits, SETTINGS.ridge()),
    )
    return table, fitted.values, present


def measures(table) -> dict:
    """Return the measures over all labels, and each label's p."""
    whole = table[(table["fold"] == "all") & (table["status"] == "decoded")]
    overall = whole[whole["label"] == "all"].set_index("measure")["value"]
    each = whole[(whole["measure"] == "p")]["value"].to_numpy()
    return {**overall.to_dict(), "p": each}


def decoding_labels() -> list[dict]:
    """Decode the film's labels where a signal is planted, and where there is none."""
    started = time.monotonic()
    film = standard_film.read()
    planted, errors, null = [], [], []
    for seed in PLANTED_SEEDS:
        table, guess, truth = decoded(film, bold_of(film, seed, null=False), film["annotations"])
        planted.append(measures(table))
        known = np.isfinite(guess)
        errors.append(calibration_error(guess[known], truth[known]))
    for seed in NULL_SEEDS:
        table, *_ = decoded(film, bold_of(film, seed, null=True), film["annotations"])
        null.append(measures(table))
    options = {"seconds": time.monotonic() - started}
    return [
        row(
            "decoding_labels_precision",
            [part["average_precision"] for part in planted],
            unit="mean average precision over labels",
            # A tenth of the way from chance to all right.
            goal=float(np.mean([0.9 * part["chance"] + 0.1 for part in planted])),
            trivial=float(np.mean([part["chance"] for part in planted])),
            better="higher",
            **options,
        ),
        row(
            "decoding_labels_significant",
            [part["labels_significant"] / part["labels_decoded"] for part in planted],
            unit="share of labels with q < 0.05",
            trivial=0.0,
            goal=0.5,
            better="higher",
            **options,
        ),
        row(
            "decoding_labels_calibration",
            errors,
            unit="probability, mean distance from what happened",
            goal=0.03,
            better="lower",
            **options,
        ),
        row(
            "decoding_null_runs",
            [part["labels_significant"] > 0 for part in null],
            unit=f"runs of {len(NULL_SEEDS)} without a signal that have a label with q < 0.05",
            goal=most_false(len(NULL_SEEDS)),
            better="lower",
            statistic=np.sum,
            **options,
        ),
        row(
            "decoding_null_p",
            [np.mean(part["p"] < 0.05) for part in null],
            unit="share of labels with p < 0.05 without a signal",
            goal=0.06,
            better="lower",
            **options,
        ),
        row(
            "decoding_null_tail",
            [np.mean(part["p"] < 0.01) for part in null],
            unit="share of labels with p < 0.01 without a signal",
            goal=0.015,
            better="lower",
            **options,
        ),
        row(
            "decoding_null_gain",
            [abs(np.mean([part["gain"] for part in null]))],
            unit="average precision, distance from chance",
            goal=0.02,
            better="lower",
            **options,
        ),
    ]


def decoding_clips() -> list[dict]:
    """Look for clips of 10 s in BOLD with a signal, and without one."""
    started = time.monotonic()
    film = standard_film.read()
    picture = joined([film["i3d"]])
    found: dict[tuple, list] = {}
    for null, seeds in ((False, PLANTED_SEEDS), (True, NULL_SEEDS)):
        for seed in seeds:
            problem = assemble(
                "bold2video",
                source=[bold_of(film, seed, null=null)],
                target=picture,
                content=film["folds"],
            )
            splits = read_folds(film["folds"])
            told, shown = predict_components(problem, splits, SETTINGS)
            spread = chance_spread(problem, splits, SETTINGS.ridge())
            _, scores, _ = retrieve_clips(
                Retrieval(told.values, told.rows, told.fold, shown, spread),
                problem.target_array["time"].values[told.rows - problem.rows[0]],
                seconds=10.0,
                tr=problem.tr,
                period=block_period(film["folds"]),
                draws=1000,
                seed=seed,
            )
            for line in scores.itertuples():
                key = (null, line.candidates, line.measure)
                found.setdefault(key, []).append((line.value, line.chance, line.p))
    seconds = time.monotonic() - started
    rows = []
    for candidates in ("fold", "film"):
        value, chance, _ = np.transpose(found[False, candidates, "top1"])
        rows.append(
            row(
                f"decoding_clips_top1_{candidates}",
                value,
                unit=f"share of clips found among those of their {candidates} "
                f"(guessing: {chance[0]:.3f})",
                goal={"fold": 0.3, "film": 0.1}[candidates],
                trivial=float(chance[0]),
                better="higher",
                seconds=seconds,
            )
        )
        value, chance, p = np.transpose(found[True, candidates, "reciprocal_rank"])
        rows += [
            row(
                f"decoding_null_clips_{candidates}",
                [abs((value - chance).mean())],
                unit="mean of 1 / rank, distance from guessing without a signal",
                goal=0.02,
                better="lower",
                seconds=seconds,
            ),
            row(
                f"decoding_null_clips_{candidates}_p",
                p < 0.05,
                unit=f"runs of {len(NULL_SEEDS)} without a signal that have p < 0.05",
                goal=most_false(len(NULL_SEEDS)),
                better="lower",
                statistic=np.sum,
                seconds=seconds,
            ),
        ]
    return rows


def brains_together(*, participants: int = 17) -> list[dict]:
    """Tell segments of sound apart by what one brain says of them, and by what many say.

    Of the ruler's second version: half of the noise is shared by a brain's voxels.
    """
    started, tables = time.monotonic(), []
    film = standard_film.read("mel", "blocks", "folds", "truth")
    splits, settings = read_folds(film["folds"]), shipped(RidgeSettings)
    for seed in PLANTED_SEEDS:
        found: dict[str, list] = {"mean": [], "blocks": [], "ridge": [], "vae": []}
        for person in range(participants):
            bold = standard_film.planted_bold(
                film["truth"],
                film["truth"]["time"].values,
                np.random.default_rng([seed, person]),
                kinds=("auditory",),
                voxels=300,
                difficulty=Difficulty(shared=0.5),
            )
            problem = assemble(
                "bold2audio", source=[bold], target=film["mel"], content=film["folds"]
            )
            blocks = film["blocks"].values
            told = {
                "mean": predict_mean(problem, splits),
                "blocks": predict_least_squares(problem, splits, known=blocks),
                "ridge": predict_ridge(problem, splits, settings),
                "vae": fit(problem, splits, shipped(VAESettings, seeds=1)).fitted,
            }
            for name, fitted in told.items():
                out = prediction_array(
                    problem, fitted, model=name, sources=["bold.nc"], target="mel.nc"
                )
                found[name].append(out)
        tables.append(
            score_pooled(
                film["mel"], found, kinds=film["blocks"], settings=shipped(EvaluationSettings)
            )
        )
    seconds, rows = time.monotonic() - started, []
    for (measure, model, brains), part in pd.concat(tables).groupby(["measure", "model", "brains"]):
        if measure in POOLED:
            name, words = POOLED[measure]
            chance = part["chance"].mean()
            rows.append(
                row(
                    f"brains_together_{model}_{name}_of_{brains}",
                    part["value"],
                    unit=f"{words}, from {brains} of {participants} simulated brains",
                    trivial=float(chance) if name == "identified" else None,
                    better="higher",
                    seconds=seconds,
                )
            )
    return rows


def decoding_speed() -> list[dict]:
    """Decode as many labels as ds003688 has, in six folds, from 20,000 voxels."""
    film = standard_film.read()
    rng = np.random.default_rng(0)
    bold = bold_of(film, 3, null=False, voxels=20_000)
    # The film's own labels and shifted copies of them, 148 in all.
    values = film["annotations"].values
    copies = [np.roll(values, int(shift), axis=0) for shift in rng.integers(30, 600, size=2)]
    values = np.concatenate([values, *copies], axis=1)[:, :148]
    labels = xr.DataArray(
        values,
        dims=("time", "feature"),
        coords={
            "time": film["annotations"]["time"],
            "feature": [f"label {i}" for i in range(values.shape[1])],
        },
        attrs=film["annotations"].attrs,
    )
    started, begun = time.monotonic(), time.process_time()
    decoded(film, bold, labels)
    return [
        row(
            "decoding_speed",
            [time.process_time() - begun],
            unit="s of processor time, 148 labels, 6 folds, 20,000 voxels",
            goal=60.0,
            better="lower",
            seconds=time.monotonic() - started,
        )
    ]


CLAIMS: dict[str, Callable[[], list[dict]]] = {
    "brains_together": brains_together,
    "decoding_labels": decoding_labels,
    "decoding_clips": decoding_clips,
    "decoding_speed": decoding_speed,
}
