"""Measure luminance, contrast, motion, cuts, loudness, flux, pitch and rhythm of the film."""

import argparse
import json
import logging
from pathlib import Path

from stim2bold.io.arrays import write_array
from stim2bold.io.files import read_json, read_table
from stim2bold.runtime.command import progress, run
from stim2bold.stimulus.audio import read_film_sound
from stim2bold.stimulus.film import sample
from stim2bold.stimulus.lowlevel import sound_features, video_features
from stim2bold.stimulus.spectrogram import SpectrogramSettings

log = logging.getLogger(__name__)
# Pixels a side, after scaling: enough for means over the frame.
SIDE = 64


def main() -> None:
    """Read the options, load the film, measure, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--film", type=Path, required=True)
    parser.add_argument(
        "--sound-file", type=Path, nargs="?", help="the film's sound, in a file of its own"
    )
    parser.add_argument("--clock", type=Path, required=True, help="film.json of probe_film")
    parser.add_argument("--frames", type=Path, required=True, help="frames.tsv of probe_film")
    parser.add_argument("--video", type=Path, required=True, help="NetCDF file to write")
    parser.add_argument(
        "--sound", type=Path, nargs="?", help="NetCDF file to write, where the film has sound"
    )
    parser.add_argument("--settings", type=json.loads, required=True, help="section spectrogram")
    options = parser.parse_args()
    settings = SpectrogramSettings(**options.settings)
    clock = read_json(options.clock)
    frames = read_table(options.frames)
    # Every frame once, whatever the film's rate, in the middle of the time it is shown.
    times = (frames["time"] + frames["duration"] / 2).to_numpy()
    images = sample(
        options.film,
        times,
        zero=clock["zero"],
        stream=clock["video"]["stream"],
        short_side=SIDE,
        crop=SIDE,
    )
    seen = video_features(progress(images, "frames", total=len(times)), times)
    log.info("%d cuts", int(seen.sel(feature="video/cut").sum()))
    write_array(options.video, seen)
    if options.sound is None:
        return
    sound = read_film_sound(options.sound_file or options.film, clock, rate=settings.rate)
    write_array(options.sound, sound_features(sound, settings))


if __name__ == "__main__":
    run(main)
