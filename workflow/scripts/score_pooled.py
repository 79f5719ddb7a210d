"""Score what several brains tell of the film together."""

import json
from pathlib import Path

from stim2bold.evaluation.judging import EvaluationSettings
from stim2bold.evaluation.pooled import score_pooled
from stim2bold.io.arrays import read_array
from stim2bold.io.files import write_table
from stim2bold.runtime.arguments import ListParser
from stim2bold.runtime.command import run


def main() -> None:
    """Read everybody's predictions, write one table."""
    parser = ListParser(__doc__)
    parser.add_argument("--direction", required=True)
    parser.add_argument("--target", type=Path, required=True)
    parser.add_argument(
        "--predictions", type=Path, nargs="+", required=True, help="UNIT/MODEL.nc of everybody"
    )
    parser.add_argument(
        "--kinds", type=Path, required=True, help="blocks.nc: kinds of block at the TRs"
    )
    parser.add_argument("--scores", type=Path, required=True, help="table to write")
    parser.add_argument(
        "--settings", type=json.loads, required=True, help="configuration section evaluation"
    )
    args = parser.parse_args()
    predictions: dict[str, list] = {}
    for path in args.predictions:
        predictions.setdefault(path.stem, []).append(read_array(path))
    table = score_pooled(
        read_array(args.target),
        predictions,
        kinds=read_array(args.kinds),
        settings=EvaluationSettings(**args.settings),
    )
    table.insert(0, "direction", args.direction)
    write_table(args.scores, table)


if __name__ == "__main__":
    run(main)
