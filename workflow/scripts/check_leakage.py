"""Prove that no held-out second of the film reached a fit, or fail."""

import json
from pathlib import Path

from stim2bold.io.arrays import read_array
from stim2bold.io.files import read_json, write_json
from stim2bold.models.leakage import check_folds, check_prediction
from stim2bold.runtime.arguments import ListParser
from stim2bold.runtime.command import progress, run
from stim2bold.runtime.errors import InputError


def main() -> None:
    """Check the fold file and every prediction's record of its fit."""
    parser = ListParser(__doc__)
    parser.add_argument("--folds", type=Path, required=True)
    parser.add_argument("--predictions", type=Path, nargs="+", required=True)
    parser.add_argument("--leakage", type=Path, required=True, help="the file to write")
    parser.add_argument(
        "--settings", type=json.loads, required=True, help="configuration section folds"
    )
    args = parser.parse_args()
    content = read_json(args.folds)
    problems = check_folds(content, gap=args.settings["gap"])
    for path in progress(args.predictions, "predictions"):
        predicted = read_array(path)
        problems += check_prediction(predicted.attrs, predicted, content, name=str(path))
    if problems:
        raise InputError(
            args.folds,
            f"held-out film reached a fit: {'; '.join(problems)}",
            "remove results/folds.json, results/predictions and results/decoding and run again",
        )
    write_json(
        args.leakage,
        {
            "verdict": "no held-out second of the film reached a fit",
            "folds": len(content["folds"]),
            "predictions": [str(path) for path in args.predictions],
        },
    )


if __name__ == "__main__":
    run(main)
