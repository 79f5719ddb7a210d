"""Compress the sounds of one unit for the report and draw their spectrograms."""

import argparse
import json
from pathlib import Path

from stim2bold.io.files import replacing
from stim2bold.runtime.command import run
from stim2bold.sound.compression import compress_ladder
from stim2bold.stimulus.spectrogram import SpectrogramSettings


def main() -> None:
    """Read the options, compress, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sounds", type=Path, required=True, help=".../DIRECTION/UNIT")
    parser.add_argument("--listening", type=Path, required=True, help="folder to write")
    parser.add_argument("--settings", type=json.loads, required=True, help="section spectrogram")
    options = parser.parse_args()
    with replacing(options.listening) as folder:
        folder.mkdir()
        compress_ladder(options.sounds, folder, settings=SpectrogramSettings(**options.settings))


if __name__ == "__main__":
    run(main)
