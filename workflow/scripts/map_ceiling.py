"""Write the ceiling of one participant as maps in template space."""

import argparse
from pathlib import Path

import nibabel as nib

from stim2bold.arrays import read_array, read_dataset
from stim2bold.command import run
from stim2bold.files import replacing
from stim2bold.maps import statistic_map


def main() -> None:
    """Read the options, load, write the maps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ceiling", type=Path, required=True, help="r and q of each voxel")
    parser.add_argument("--bold", type=Path, required=True, help="table of the same voxels")
    parser.add_argument("--r-map", type=Path, required=True)
    parser.add_argument("--q-map", type=Path, required=True)
    options = parser.parse_args()
    voxels, bold = read_dataset(options.ceiling), read_array(options.bold)
    for path, image in (
        (options.r_map, statistic_map(voxels["r"].values, bold, name="r")),
        (options.q_map, statistic_map(voxels["q"].values, bold, name="q", fill=1.0)),
    ):
        with replacing(path) as temporary:
            nib.save(image, temporary)


if __name__ == "__main__":
    run(main)
