"""Watch the user's film for the simulation, and keep what it shows and sounds like."""

import argparse
import json
from pathlib import Path

from stim2bold.io.arrays import write_array
from stim2bold.runtime.command import progress, run
from stim2bold.simulation.film.features import describe_own, hear
from stim2bold.simulation.film.user_film import (
    decode_frames,
    decode_sound,
    film_settings,
    film_zero,
    read_words,
)
from stim2bold.simulation.film.watcher import Watcher


def main() -> None:
    """Read the options, decode the film, measure it, save the truth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--film", type=Path, required=True)
    parser.add_argument("--sound", type=Path, nargs="?", help="its sound, in a file of its own")
    parser.add_argument(
        "--words", type=Path, nargs="?", help="annotation of the words, if there is one"
    )
    parser.add_argument("--truth", type=Path, required=True, help="NetCDF file to write")
    parser.add_argument(
        "--settings", type=json.loads, required=True, help="section simulation, seed, streams"
    )
    options = parser.parse_args()
    streams = options.settings["streams"]
    settings = film_settings(options.settings)
    video, audio = streams["video"], streams["audio"]
    apart = options.sound is not None
    zero = film_zero(options.film, video=video, audio=None if apart else audio)
    n_frames = settings.n_frames
    watcher = Watcher()
    frames = decode_frames(options.film, n_frames, zero=zero, stream=video)
    for _ in watcher.watch(progress(frames, "frames", total=n_frames)):
        pass
    sound = decode_sound(
        options.sound if apart else options.film,
        n_frames,
        zero=film_zero(options.sound, video=None, audio=audio) if apart else zero,
        stream=audio,
    )
    words = read_words(options.words) if options.words else None
    write_array(
        options.truth, describe_own(settings, watcher, hear(sound), words, film=options.film)
    )


if __name__ == "__main__":
    run(main)
