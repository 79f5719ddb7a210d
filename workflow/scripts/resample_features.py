"""Bring the tables of a feature space to the TRs."""

import argparse
import json
from pathlib import Path

from stim2bold.io.arrays import read_array, write_array
from stim2bold.io.files import read_json
from stim2bold.runtime.command import run
from stim2bold.stimulus.resampling import resample
from stim2bold.stimulus.timing import Timing


def main() -> None:
    """Read the options, load the tables, resample, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--features", type=Path, nargs="+", required=True)
    parser.add_argument("--clock", type=Path, required=True, help="film.json of probe_film")
    parser.add_argument("--resampled", type=Path, required=True, help="NetCDF file to write")
    parser.add_argument("--settings", type=json.loads, required=True, help="TR and film_onset")
    args = parser.parse_args()
    tables = [read_array(path) for path in args.features]
    duration = read_json(args.clock)["duration"]
    timing = Timing(**args.settings)
    write_array(args.resampled, resample(tables, timing=timing, duration=duration))


if __name__ == "__main__":
    run(main)
