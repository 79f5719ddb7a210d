"""Cut the log spectrogram into the frames of each TR."""

import argparse
import json
from pathlib import Path

from stim2bold.io.arrays import read_array, write_array
from stim2bold.io.files import read_json
from stim2bold.runtime.command import run
from stim2bold.stimulus.spectrogram import spectrogram_at_volumes
from stim2bold.stimulus.timing import Timing


def main() -> None:
    """Read the options, load the spectrogram, cut it, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spectrogram", type=Path, required=True)
    parser.add_argument("--clock", type=Path, required=True, help="film.json of probe_film")
    parser.add_argument("--resampled", type=Path, required=True, help="NetCDF file to write")
    parser.add_argument("--settings", type=json.loads, required=True, help="TR and film_onset")
    options = parser.parse_args()
    whole = read_array(options.spectrogram)
    duration = read_json(options.clock)["duration"]
    write_array(
        options.resampled,
        spectrogram_at_volumes(whole, timing=Timing(**options.settings), duration=duration),
    )


if __name__ == "__main__":
    run(main)
