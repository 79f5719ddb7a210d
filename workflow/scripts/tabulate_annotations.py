"""Tabulate the film's annotations and the design's blocks at the TRs."""

import argparse
import json
from pathlib import Path

from stim2bold.io.arrays import write_array
from stim2bold.io.files import read_json
from stim2bold.runtime.command import run
from stim2bold.stimulus.annotations import (
    AnnotationSettings,
    read_blocks,
    read_folder,
    tabulate,
    tabulate_blocks,
)
from stim2bold.stimulus.timing import Timing


def main() -> None:
    """Read the options, load the tables, tabulate, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--tables", type=Path, nargs="?", help="folder with video and sound, if there is one"
    )
    parser.add_argument("--events", type=Path, required=True, help="events.tsv of a run")
    parser.add_argument("--clock", type=Path, required=True, help="film.json of probe_film")
    parser.add_argument(
        "--annotations", type=Path, nargs="?", help="NetCDF file to write, with tables"
    )
    parser.add_argument("--blocks", type=Path, required=True, help="NetCDF file to write")
    parser.add_argument(
        "--settings", type=json.loads, required=True, help="section annotations, timing"
    )
    options = parser.parse_args()
    timing = Timing(**options.settings.pop("timing"))
    settings = AnnotationSettings(**options.settings)
    duration = read_json(options.clock)["duration"]
    blocks = read_blocks(options.events)
    if options.tables is not None:
        tables = read_folder(options.tables)
        tabulated = tabulate(tables, settings, timing=timing, duration=duration)
        write_array(options.annotations, tabulated)
    write_array(options.blocks, tabulate_blocks(blocks, timing=timing, duration=duration))


if __name__ == "__main__":
    run(main)
