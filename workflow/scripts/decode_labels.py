"""Decode the annotation labels of each TR from features or BOLD, and score them against chance."""

import argparse
import json
import logging
from pathlib import Path

import pandas as pd

from stim2bold.decoding.label_scores import reliability, score_labels
from stim2bold.decoding.label_timeline import captions, long_timeline
from stim2bold.decoding.labels import (
    DecodingSettings,
    decode_labels,
    in_time,
    presence,
    training_share,
)
from stim2bold.evaluation.null_inflation import chance_spread
from stim2bold.io.arrays import read_array, write_array
from stim2bold.io.files import read_json, write_table
from stim2bold.models.circular_shifts import block_period
from stim2bold.models.directions import assemble
from stim2bold.models.folds import read_folds
from stim2bold.models.predictions import prediction_array
from stim2bold.runtime.command import run

logger = logging.getLogger("decode_labels")


def main() -> None:
    """Write probabilities, the timeline as text, scores and calibration."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--origin", choices=["video", "bold"], required=True)
    parser.add_argument("--unit", required=True)
    parser.add_argument("--source", type=Path, nargs="+", required=True)
    parser.add_argument("--annotations", type=Path, required=True, help="labels at the TRs")
    parser.add_argument("--blocks", type=Path, required=True, help="kinds of block at the TRs")
    parser.add_argument("--folds", type=Path, required=True)
    parser.add_argument("--probabilities", type=Path, required=True, help="NetCDF to write")
    parser.add_argument("--timeline", type=Path, required=True, help="a row a TR and label")
    parser.add_argument("--captions", type=Path, required=True, help="a row a TR")
    parser.add_argument("--scores", type=Path, required=True)
    parser.add_argument("--calibration", type=Path, required=True)
    parser.add_argument(
        "--settings", type=json.loads, required=True, help="sections decoding and baselines"
    )
    args = parser.parse_args()
    settings = DecodingSettings(**args.settings)
    content = read_json(args.folds)
    labels = presence(read_array(args.annotations), threshold=settings.threshold)
    problem = assemble(
        f"{args.origin}2labels",
        source=[read_array(path) for path in args.source],
        target=labels,
        content=content,
    )
    folds = read_folds(content)
    fitted = in_time(decode_labels(problem, folds, settings))
    decoded = prediction_array(
        problem,
        fitted,
        model="labels",
        sources=[path.name for path in args.source],
        target=args.annotations.name,
    )
    decoded.attrs["units"] = "probability"
    present = problem.target[fitted.rows - problem.rows[0]].astype(float)
    share = training_share(problem, fitted)
    scores = score_labels(
        [str(name) for name in labels["feature"].values],
        fitted.values,
        present,
        fold=fitted.fold,
        # Row k of every table at the TRs is row number k.
        block=read_array(args.blocks).values.argmax(axis=1)[fitted.rows],
        share=share,
        fewest=settings.fewest,
        tr=problem.tr,
        period=block_period(content),
        spread=chance_spread(problem, folds, settings.ridge()),
    )
    known = pd.notna(fitted.values)
    timeline = long_timeline(decoded, present, share, tr=problem.tr)
    for table in (scores, curve := reliability(fitted.values[known], present[known])):
        table.insert(0, "unit", args.unit)
        table.insert(1, "origin", args.origin)
    write_array(args.probabilities, decoded)
    write_table(args.timeline, timeline)
    write_table(args.captions, captions(timeline))
    write_table(args.scores, scores)
    write_table(args.calibration, curve)
    logger.info("%d of %d labels decoded", timeline["label"].nunique(), len(labels["feature"]))


if __name__ == "__main__":
    run(main)
