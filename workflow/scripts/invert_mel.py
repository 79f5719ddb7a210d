"""Turn predicted spectrograms into sounds, beside the original and what its spectrogram holds."""

import argparse
import json
from pathlib import Path

from stim2bold.io.arrays import read_array
from stim2bold.io.files import read_json
from stim2bold.runtime.command import run
from stim2bold.sound.griffin_lim import InversionSettings
from stim2bold.sound.ladder import middle_segments, save_ladder, sound_ladder
from stim2bold.stimulus.annotations import read_blocks
from stim2bold.stimulus.audio import read_film_sound
from stim2bold.stimulus.spectrogram import SpectrogramSettings


def main() -> None:
    """Read the options, load sound and spectrograms, invert, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--film", type=Path, required=True)
    parser.add_argument("--clock", type=Path, required=True, help="film.json of probe_film")
    parser.add_argument("--mel", type=Path, required=True, help="the film's own spectrogram")
    parser.add_argument("--events", type=Path, required=True, help="events.tsv of a run")
    parser.add_argument(
        "--predictions", type=Path, nargs="*", default=[], help="one file a model, named for it"
    )
    parser.add_argument("--latent", type=Path, help="the target through a model's latents")
    parser.add_argument(
        "--video", type=Path, nargs="?", help="what the picture predicts, where that was asked for"
    )
    parser.add_argument("--sounds", type=Path, required=True, help="folder to write")
    parser.add_argument(
        "--settings", type=json.loads, required=True, help="section sounds, spectrogram, timing"
    )
    options = parser.parse_args()
    spectrogram = SpectrogramSettings(**options.settings.pop("spectrogram"))
    onset = options.settings.pop("timing")["film_onset"]
    seconds = options.settings.pop("seconds")
    for name in ("models", "speech"):
        options.settings.pop(name)
    inversion = InversionSettings(**options.settings)
    clock = read_json(options.clock)
    original = read_film_sound(options.film, clock, rate=spectrogram.rate)
    segments = middle_segments(
        read_blocks(options.events), seconds=seconds, film_onset=onset, duration=clock["duration"]
    )
    rungs = {"latent": options.latent, "video": options.video}
    rungs |= {path.stem: path for path in options.predictions}
    sounds = sound_ladder(
        original,
        read_array(options.mel),
        {name: read_array(path) for name, path in rungs.items() if path is not None},
        segments,
        spectrogram=spectrogram,
        inversion=inversion,
    )
    save_ladder(options.sounds, segments, sounds, rate=spectrogram.rate)


if __name__ == "__main__":
    run(main)
