"""Tabulate what is said in the film at the TRs."""

import argparse
import json
import logging
from functools import partial
from pathlib import Path

from wordfreq import available_languages, zipf_frequency

from stim2bold.io.arrays import write_array
from stim2bold.io.files import read_json
from stim2bold.runtime.command import run
from stim2bold.runtime.errors import InputError
from stim2bold.stimulus.annotations import read_sound_tables
from stim2bold.stimulus.timing import Timing
from stim2bold.stimulus.words import WordSettings, words_at_volumes

logger = logging.getLogger("tabulate_words")


def main() -> None:
    """Read the options, load the tables of sound, tabulate, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=Path, nargs="?", help="folder with video and sound")
    parser.add_argument("--clock", type=Path, required=True, help="film.json of probe_film")
    parser.add_argument("--features", type=Path, required=True, help="NetCDF file to write")
    parser.add_argument("--settings", type=json.loads, required=True, help="section words, timing")
    args = parser.parse_args()
    timing = Timing(**args.settings.pop("timing"))
    settings = WordSettings(**args.settings)
    if settings.language not in (known := sorted(available_languages())):
        raise InputError(
            "config.yaml",
            f"words.language {settings.language} has no table of frequencies",
            f"choose among {', '.join(known)}",
        )
    found = words_at_volumes(
        read_sound_tables(args.tables),
        partial(zipf_frequency, lang=settings.language),
        timing=timing,
        duration=read_json(args.clock)["duration"],
    )
    logger.info("%d rows, %d features; %s", *found.shape, found.attrs)
    write_array(args.features, found)


if __name__ == "__main__":
    run(main)
