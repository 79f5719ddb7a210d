"""Compute the log spectrogram of the film's sound."""

import argparse
import json
from pathlib import Path

from stim2bold.io.arrays import write_array
from stim2bold.io.files import read_json
from stim2bold.runtime.command import run
from stim2bold.stimulus.audio import read_film_sound
from stim2bold.stimulus.spectrogram import SpectrogramSettings, spectrogram


def main() -> None:
    """Read the options, load the sound, compute the spectrogram, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--film", type=Path, required=True)
    parser.add_argument("--clock", type=Path, required=True, help="film.json of probe_film")
    parser.add_argument("--scale", choices=["mel", "linear"], required=True)
    parser.add_argument("--spectrogram", type=Path, required=True, help="NetCDF file to write")
    parser.add_argument("--settings", type=json.loads, required=True, help="section spectrogram")
    options = parser.parse_args()
    settings = SpectrogramSettings(**options.settings)
    clock = read_json(options.clock)
    sound = read_film_sound(options.film, clock, rate=settings.rate)
    found = spectrogram(sound, settings, options.scale)
    found.attrs["source"] = options.film.name
    write_array(options.spectrogram, found)


if __name__ == "__main__":
    run(main)
