"""Bring the film's blocks together in one events table on the rows of the study."""

import argparse
import json
from pathlib import Path

from stim2bold.io.files import read_json, write_table
from stim2bold.runtime.command import run
from stim2bold.stimulus.annotations import read_blocks
from stim2bold.stimulus.blocks import cut_film, join_runs, to_film


def main() -> None:
    """Read the events of one participant's runs, or the film's length, and write its blocks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=Path, nargs="*", required=True, help="one a run")
    parser.add_argument("--clock", type=Path, required=True, help="film.json")
    parser.add_argument("--blocks", type=Path, required=True, help="table to write")
    parser.add_argument(
        "--settings",
        type=json.loads,
        required=True,
        help="configuration section blocks, film_onset of row 0 and onsets of the runs",
    )
    arguments = parser.parse_args()
    settings = arguments.settings
    if settings["seconds"] is not None:
        duration = read_json(arguments.clock)["duration"]
        blocks = cut_film(duration, settings["seconds"], film_onset=settings["film_onset"])
    else:
        runs = [
            to_film(read_blocks(path, settings["kinds"]), onset)
            for path, onset in zip(arguments.events, settings["onsets"], strict=True)
        ]
        blocks = join_runs(runs, film_onset=settings["film_onset"])
    write_table(arguments.blocks, blocks)


if __name__ == "__main__":
    run(main)
