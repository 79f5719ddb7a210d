"""Draw one sheet to check the film by: frames, spectrogram, words, features."""

import argparse
import json
from pathlib import Path

from stim2bold.io.arrays import read_array
from stim2bold.io.files import read_json, replacing
from stim2bold.runtime.command import run
from stim2bold.stimulus.annotations import read_blocks, read_folder
from stim2bold.stimulus.figure import border_times, draw, save
from stim2bold.stimulus.film import sample


def main() -> None:
    """Read the options, load what is to be seen, draw, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--film", type=Path, required=True)
    parser.add_argument("--clock", type=Path, required=True, help="film.json of probe_film")
    parser.add_argument("--mel", type=Path, nargs="?", help="where the film has sound")
    parser.add_argument(
        "--tables", type=Path, nargs="?", help="folder with video and sound, if any"
    )
    parser.add_argument("--events", type=Path, required=True)
    parser.add_argument("--features", type=Path, nargs="+", required=True, help="at the TRs")
    parser.add_argument("--sheet", type=Path, required=True, help="PNG file to write")
    parser.add_argument("--settings", type=json.loads, required=True, help="TR and film_onset")
    options = parser.parse_args()
    clock = read_json(options.clock)
    onset = options.settings["film_onset"]
    blocks = read_blocks(options.events)
    borders = border_times(blocks, onset, clock["duration"])
    frames = sample(
        options.film,
        borders["time"].to_numpy(),
        zero=clock["zero"],
        stream=clock["video"]["stream"],
        short_side=160,
        crop=160,
    )
    figure = draw(
        list(frames),
        borders["label"].tolist(),
        mel=read_array(options.mel) if options.mel else None,
        blocks=blocks,
        film_onset=onset,
        words=read_folder(options.tables).get("sound/words") if options.tables else None,
        spaces={path.stem: read_array(path) for path in options.features},
        title=f"{options.film.name}: {clock['duration']:.1f} s",
    )
    with replacing(options.sheet) as temporary:
        save(figure, temporary)


if __name__ == "__main__":
    run(main)
