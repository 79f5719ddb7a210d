"""Put stills of the film on one sheet, for the report's timelines."""

import argparse
import json
from pathlib import Path

from stim2bold.io.files import read_json, replacing, write_json
from stim2bold.report.stills import SIDE, sheet_of, still_times
from stim2bold.runtime.command import run
from stim2bold.stimulus.film import sample


def main() -> None:
    """Read the options, take the frames, save the sheet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--film", type=Path, required=True)
    parser.add_argument("--clock", type=Path, required=True, help="film.json of probe_film")
    parser.add_argument("--sheet", type=Path, required=True, help="JPEG to write")
    parser.add_argument("--about", type=Path, required=True, help="JSON to write: their times")
    parser.add_argument("--settings", type=json.loads, required=True, help="section streams")
    options = parser.parse_args()
    clock = read_json(options.clock)
    times = still_times(clock["duration"])
    frames = sample(
        options.film,
        times,
        zero=clock["zero"],
        stream=options.settings["video"],
        short_side=SIDE,
        crop=SIDE,
    )
    sheet, about = sheet_of(frames, times)
    with replacing(options.sheet) as temporary:
        sheet.save(temporary, quality=80)
    write_json(options.about, about)


if __name__ == "__main__":
    run(main)
