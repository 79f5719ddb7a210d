"""Tabulate vectors of the film's words, from a file of yours, at the TRs."""

import argparse
import json
from pathlib import Path

from stim2bold.io.arrays import write_array
from stim2bold.io.files import read_json
from stim2bold.runtime.command import run
from stim2bold.stimulus.annotations import read_sound_tables
from stim2bold.stimulus.timing import Timing
from stim2bold.stimulus.word_vectors import read_vectors, vectors_of
from stim2bold.stimulus.words import values_at_volumes, words_of


def main() -> None:
    """Read the options, load words and vectors, tabulate, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vectors", type=Path, nargs="?", help="text file, as fastText's")
    parser.add_argument("--tables", type=Path, nargs="?", help="folder with video and sound")
    parser.add_argument("--clock", type=Path, required=True, help="film.json of probe_film")
    parser.add_argument("--features", type=Path, required=True, help="NetCDF file to write")
    parser.add_argument("--settings", type=json.loads, required=True, help="timing")
    args = parser.parse_args()
    words = words_of(read_sound_tables(args.tables))
    items = [str(item) for item in words["item"]]
    values = vectors_of(items, read_vectors(args.vectors, items))
    features = values_at_volumes(
        words,
        values,
        [f"sound/word vector {number}" for number in range(values.shape[1])],
        timing=Timing(**args.settings),
        duration=read_json(args.clock)["duration"],
        attributes={"units": "1, mean over the TR", "weights": args.vectors.name},
    )
    write_array(args.features, features)


if __name__ == "__main__":
    run(main)
