"""Map what holds over participants: mean r, for the film and for participants as samples."""

import json
import logging
from pathlib import Path

import nibabel as nib

from stim2bold.evaluation.ceiling import add_up, held_out_times
from stim2bold.evaluation.group_map import (
    Pair,
    ceiling_pair,
    gather,
    group_maps,
    predicted_reader,
)
from stim2bold.evaluation.maps import grid
from stim2bold.evaluation.statistic_image import statistic_image
from stim2bold.io.arrays import read_array
from stim2bold.io.files import read_json, replacing
from stim2bold.runtime.arguments import ListParser
from stim2bold.runtime.command import run


def main() -> None:
    """Read everybody's BOLD and predictions, write one image a statistic."""
    parser = ListParser(__doc__)
    parser.add_argument("--bold", type=Path, nargs="+", required=True, help="one a participant")
    parser.add_argument(
        "--predictions", type=Path, nargs="*", help="likewise; none: the ceiling is mapped"
    )
    parser.add_argument("--strengths", type=Path, nargs="*", help="likewise, with chance_spread")
    parser.add_argument("--folds", type=Path, required=True)
    parser.add_argument("--out", type=Path, nargs="+", required=True, help="..._STATISTIC.nii.gz")
    parser.add_argument("--settings", type=json.loads, required=True, help="seed, n of surrogates")
    args = parser.parse_args()
    names = [path.stem for path in args.bold]
    bold = dict(zip(names, args.bold, strict=True))
    first = read_array(args.bold[0])
    if args.predictions:
        read = predicted_reader(names, args.bold, args.predictions, args.strengths)
    else:
        folds = held_out_times(read_json(args.folds))
        everyone = add_up(lambda name: read_array(bold[name]), names, folds)

        def read(name: str) -> Pair:
            return ceiling_pair(read_array(bold[name]), everyone)

    group = gather(read, names)
    affine, shape = grid(first)
    maps = group_maps(group, shape, **args.settings)
    logging.info("%d participants, %d voxels that all have", *group.r.shape)
    for path in args.out:
        name = path.name.removesuffix(".nii.gz").rpartition("_")[2]
        image = statistic_image(maps[name], affine, name=name)
        with replacing(path) as temporary:
            nib.save(image, temporary)


if __name__ == "__main__":
    run(main)
