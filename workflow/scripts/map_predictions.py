"""Write one model's map of r, of its false-discovery rate, and its predicted BOLD as NIfTI."""

import argparse
from pathlib import Path

import nibabel as nib

from stim2bold.evaluation.maps import predicted_bold, statistic_map
from stim2bold.io.arrays import read_array, read_dataset
from stim2bold.io.files import read_json, replacing
from stim2bold.runtime.command import run


def main() -> None:
    """Read the voxels' scores and the prediction, write three images."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bold", type=Path, required=True, help="measured BOLD, for its grid")
    parser.add_argument("--prediction", type=Path, required=True)
    parser.add_argument("--voxels", type=Path, required=True, help="r and q by model and voxel")
    parser.add_argument("--folds", type=Path, required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--r-map", type=Path, required=True)
    parser.add_argument("--q-map", type=Path, required=True, help="false-discovery rate")
    parser.add_argument("--predicted", type=Path, required=True)
    args = parser.parse_args()
    bold = read_array(args.bold)
    columns = read_dataset(args.voxels).sel(model=args.model)
    tr = read_json(args.folds)["TR"]
    for path, image in (
        (args.r_map, statistic_map(columns["r"].values, bold, name="r")),
        (args.q_map, statistic_map(columns["q"].values, bold, name="q", fill=1.0)),
        (args.predicted, predicted_bold(read_array(args.prediction), bold, tr=tr)),
    ):
        with replacing(path) as temporary:
            nib.save(image, temporary)


if __name__ == "__main__":
    run(main)
