"""Tell how long the film is where there is no film file."""

import argparse
import json
from pathlib import Path

from stim2bold.io.files import write_json
from stim2bold.runtime.command import run
from stim2bold.stimulus.film_length import film_length


def main() -> None:
    """Read events, tables and annotations, write film.json without streams."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=Path, nargs="*", default=[], help="one a run")
    parser.add_argument("--tables", type=json.loads, required=True, help="section own_features")
    parser.add_argument("--annotations", type=Path, nargs="?", help="folder of annotations")
    parser.add_argument("--clock", type=Path, required=True, help="film.json to write")
    parser.add_argument(
        "--settings", type=json.loads, required=True, help="kinds of blocks, onsets of the runs"
    )
    args = parser.parse_args()
    duration, told_by = film_length(
        args.events,
        args.tables,
        args.annotations,
        kinds=args.settings["kinds"],
        onsets=args.settings["onsets"],
    )
    clock = {"zero": 0.0, "duration": duration, "video": None, "audio": None, "told_by": told_by}
    write_json(args.clock, clock)


if __name__ == "__main__":
    run(main)
