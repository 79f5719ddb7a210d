"""Average measured and predicted BOLD over regions."""

import argparse
from pathlib import Path

from stim2bold.evaluation.regions import region_series
from stim2bold.io.arrays import read_array
from stim2bold.io.files import write_table
from stim2bold.runtime.command import run


def main() -> None:
    """Read the options, load the tables, average, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bold", type=Path, required=True)
    parser.add_argument("--predictions", type=Path, nargs="+", required=True, help="MODEL.nc each")
    parser.add_argument("--strength", type=Path, required=True, help="of each voxel in training")
    parser.add_argument("--series", type=Path, required=True, help="table to write")
    parser.add_argument("--scores", type=Path, required=True, help="table to write")
    options = parser.parse_args()
    series, scores = region_series(
        read_array(options.bold),
        {path.stem: read_array(path) for path in options.predictions},
        read_array(options.strength),
    )
    write_table(options.series, series)
    write_table(options.scores, scores)


if __name__ == "__main__":
    run(main)
