"""Make a simulated participant: T1w and BOLD images, their sidecars, events, and the truth."""

import argparse
import json
from pathlib import Path

from stim2bold.io.arrays import read_dataset
from stim2bold.runtime.command import run
from stim2bold.simulation.brain.participant import simulate_participant
from stim2bold.simulation.brain.participant_files import read_settings, write_participant


def main() -> None:
    """Read the options, simulate one participant, write everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--participant", required=True, help="label, a number")
    parser.add_argument("--film-truth", type=Path, required=True)
    parser.add_argument("--bids", type=Path, required=True, help="root of the data set")
    parser.add_argument("--truth", type=Path, required=True, help="folder")
    parser.add_argument("--settings", type=json.loads, required=True, help="section simulation")
    options = parser.parse_args()

    film, images = read_settings(options.settings)
    truth = read_dataset(options.film_truth)
    participant = simulate_participant(
        truth["planted"].values,
        truth["kind"].values.astype(str),
        truth["share"].values,
        images,
        TR=film.TR,
        seed=film.seed,
        number=int(options.participant),
    )
    write_participant(
        participant, options.participant, film=film, bids=options.bids, truth=options.truth
    )


if __name__ == "__main__":
    run(main)
