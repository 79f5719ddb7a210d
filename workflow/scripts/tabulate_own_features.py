"""Average a feature table of the user's over each TR."""

import argparse
import json
from pathlib import Path

from stim2bold.io.arrays import write_array
from stim2bold.io.files import read_json
from stim2bold.runtime.command import run
from stim2bold.stimulus.own_features import own_features_at_volumes, read_own_features
from stim2bold.stimulus.timing import Timing


def main() -> None:
    """Read the options, load the table, average, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", type=Path, required=True)
    parser.add_argument("--times", type=Path, nargs="?", help="film times of the rows of an .npy")
    parser.add_argument("--clock", type=Path, required=True, help="film.json")
    parser.add_argument("--features", type=Path, required=True, help="NetCDF file to write")
    parser.add_argument("--settings", type=json.loads, required=True, help="TR and film_onset")
    args = parser.parse_args()
    found = own_features_at_volumes(
        read_own_features(args.table, args.times),
        timing=Timing(**args.settings),
        duration=read_json(args.clock)["duration"],
        attributes={"source": args.table.name},
    )
    write_array(args.features, found)


if __name__ == "__main__":
    run(main)
