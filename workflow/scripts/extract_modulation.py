"""Measure the spectro-temporal modulation of the film's sound."""

import argparse
import json
import logging
from pathlib import Path

from stim2bold.io.arrays import write_array
from stim2bold.io.files import read_json
from stim2bold.runtime.command import run
from stim2bold.stimulus.audio import read_film_sound
from stim2bold.stimulus.modulation import modulation
from stim2bold.stimulus.spectrogram_settings import SpectrogramSettings

logger = logging.getLogger("extract_modulation")


def main() -> None:
    """Read the options, load the sound, measure, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--film", type=Path, required=True, help="the file that has the sound")
    parser.add_argument("--clock", type=Path, required=True, help="film.json of probe_film")
    parser.add_argument("--features", type=Path, required=True, help="NetCDF file to write")
    parser.add_argument("--settings", type=json.loads, required=True, help="section spectrogram")
    args = parser.parse_args()
    settings = SpectrogramSettings(**args.settings)
    sound = read_film_sound(args.film, read_json(args.clock), rate=settings.rate)
    found = modulation(sound, rate=settings.rate, floor=settings.floor)
    logger.info("%d rows, %d features", *found.shape)
    write_array(args.features, found)


if __name__ == "__main__":
    run(main)
