"""Write what a simulated BIDS data set says of itself and of its participants."""

import argparse
import json
from pathlib import Path

from stim2bold.runtime.command import run
from stim2bold.simulation.brain.dataset_files import write_dataset


def main() -> None:
    """Read the options and write the files at the root of the data set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bids", type=Path, required=True, help="root of the data set")
    parser.add_argument("--settings", type=json.loads, required=True, help="section simulation")
    options = parser.parse_args()
    write_dataset(
        options.bids, n_participants=options.settings["participants"], seed=options.settings["seed"]
    )


if __name__ == "__main__":
    run(main)
