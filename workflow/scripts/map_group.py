"""Map what holds over participants: mean r, its t, false-discovery rate and maximum-corrected p."""

import json
import logging
from pathlib import Path

import nibabel as nib

from stim2bold.arguments import ListParser
from stim2bold.command import run
from stim2bold.files import replacing
from stim2bold.group_map import group_maps, read_maps
from stim2bold.statistic_image import statistic_image


def main() -> None:
    """Read one map of r a participant, write one image a statistic."""
    parser = ListParser(__doc__)
    parser.add_argument("--maps", type=Path, nargs="+", required=True, help="r, one a participant")
    parser.add_argument("--out", type=Path, nargs="+", required=True, help="..._STATISTIC.nii.gz")
    parser.add_argument("--settings", type=json.loads, required=True, help="seed, n of flips")
    args = parser.parse_args()
    volumes, first = read_maps(args.maps)
    maps, n_flips = group_maps(volumes, **args.settings)
    logging.info("%d participants, %d flips of signs", len(volumes), n_flips)
    for path in args.out:
        name = path.name.removesuffix(".nii.gz").rpartition("_")[2]
        image = statistic_image(maps[name], first.affine, name=name, header=first.header)
        with replacing(path) as temporary:
            nib.save(image, temporary)


if __name__ == "__main__":
    run(main)
