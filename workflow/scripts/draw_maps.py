"""Draw the score maps of one participant, one model a row, on the same scale."""

import argparse
from pathlib import Path

import nibabel as nib

from stim2bold.evaluation.map_figure import draw_rows
from stim2bold.runtime.command import run


def main() -> None:
    """Read the maps, draw them, and write one picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--maps", type=Path, nargs="+", required=True, help="r maps, NIfTI")
    parser.add_argument("--names", nargs="+", required=True, help="a name for each map")
    parser.add_argument("--figure", type=Path, required=True, help="PNG to write")
    arguments = parser.parse_args()
    draw_rows(
        [nib.load(path) for path in arguments.maps],
        arguments.names,
        path=arguments.figure,
    )


if __name__ == "__main__":
    run(main)
