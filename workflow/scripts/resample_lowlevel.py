"""Average the low-level features over each TR."""

import argparse
import json
from pathlib import Path

from stim2bold.io.arrays import read_array, write_array
from stim2bold.io.files import read_json
from stim2bold.runtime.command import run
from stim2bold.stimulus.lowlevel import merge_at_volumes
from stim2bold.stimulus.timing import Timing


def main() -> None:
    """Read the options, load the features, resample, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--features", type=Path, nargs="+", required=True)
    parser.add_argument("--clock", type=Path, required=True, help="film.json of probe_film")
    parser.add_argument("--resampled", type=Path, required=True, help="NetCDF file to write")
    parser.add_argument("--settings", type=json.loads, required=True, help="TR and film_onset")
    options = parser.parse_args()
    tables = [read_array(path) for path in options.features]
    duration = read_json(options.clock)["duration"]
    timing = Timing(**options.settings)
    write_array(options.resampled, merge_at_volumes(tables, timing=timing, duration=duration))


if __name__ == "__main__":
    run(main)
