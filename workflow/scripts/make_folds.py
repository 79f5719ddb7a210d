"""Make the fold file: which rows may be fitted and which are predicted."""

import argparse
import json
import math
from pathlib import Path

from stim2bold.io.files import read_json, read_table, write_json
from stim2bold.models.folds import FoldSettings, make_folds
from stim2bold.runtime.command import run


def main() -> None:
    """Read events and the film's duration, write folds.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=Path, required=True, help="BIDS events of the film run")
    parser.add_argument("--film-info", type=Path, required=True, help="film.json: duration")
    parser.add_argument("--folds", type=Path, required=True, help="the file to write")
    parser.add_argument(
        "--settings",
        type=json.loads,
        required=True,
        help="configuration section folds, with timing: {TR, film_onset}",
    )
    args = parser.parse_args()
    timing = args.settings.pop("timing")
    tr, onset = timing["TR"], timing["film_onset"]
    duration = read_json(args.film_info)["duration"]
    content = make_folds(
        read_table(args.events),
        # Rounding of the duration must not add a row that has next to nothing of the film.
        n_rows=math.ceil((duration + onset) / tr - 1e-3),
        tr=tr,
        film_onset=onset,
        settings=FoldSettings(**args.settings),
    )
    write_json(args.folds, content)


if __name__ == "__main__":
    run(main)
