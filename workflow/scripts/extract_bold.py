"""Gather a participant's cleaned runs as voxels at film times."""

import argparse
import json
from pathlib import Path

import nibabel as nib
import numpy as np

from stim2bold.io.arrays import write_array
from stim2bold.preprocessing.film_rows import gather_runs
from stim2bold.preprocessing.parcels import average_parcels, labels_at
from stim2bold.runtime.command import run


def main() -> None:
    """Read the command line, gather, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cleaned", type=Path, nargs="+", required=True, help="one a run")
    parser.add_argument("--masks", type=Path, nargs="+", required=True, help="one a run")
    parser.add_argument(
        "--parcels", type=Path, nargs="?", help="atlas whose parcels take the voxels' place"
    )
    parser.add_argument("--bold", type=Path, required=True, help="output")
    parser.add_argument(
        "--settings",
        type=json.loads,
        required=True,
        help="TR, film_onset of row 0, onsets of the runs, space",
    )
    arguments = parser.parse_args()

    bold = gather_runs(
        [nib.load(path) for path in arguments.cleaned],
        [np.asarray(nib.load(path).dataobj) > 0 for path in arguments.masks],
        TR=arguments.settings["TR"],
        film_onset=arguments.settings["film_onset"],
        onsets=arguments.settings["onsets"],
        space=arguments.settings["space"],
        source=" ".join(path.name for path in arguments.cleaned),
    )
    if arguments.parcels:
        bold = average_parcels(bold, labels_at(bold, arguments.parcels))

    write_array(arguments.bold, bold)


if __name__ == "__main__":
    run(main)
