"""Find the true presentation time of every frame of the film."""

import argparse
import json
import logging
from pathlib import Path

from stim2bold.io.files import write_json, write_table
from stim2bold.runtime.command import run
from stim2bold.stimulus.film import probe
from stim2bold.stimulus.film_streams import StreamSettings

log = logging.getLogger(__name__)


def main() -> None:
    """Read the options, probe the film, save the clock."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--film", type=Path, required=True)
    parser.add_argument("--sound", type=Path, nargs="?", help="its sound, in a file of its own")
    parser.add_argument("--frames", type=Path, required=True, help="table of frames to write")
    parser.add_argument("--clock", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--settings", type=json.loads, required=True, help="section streams")
    options = parser.parse_args()
    frames, clock = probe(
        options.film, StreamSettings(**options.settings), sound_file=options.sound
    )
    log.info("%s", json.dumps(clock, sort_keys=True))
    write_table(options.frames, frames)
    write_json(options.clock, clock)


if __name__ == "__main__":
    run(main)
