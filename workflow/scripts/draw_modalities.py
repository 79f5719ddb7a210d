"""Draw which modality of the film explains which voxel, and map the space that explains most."""

import argparse
from pathlib import Path

import nibabel as nib

from stim2bold.evaluation.maps import statistic_map
from stim2bold.evaluation.modality_map import draw_modalities, winners
from stim2bold.io.arrays import read_array
from stim2bold.io.files import replacing
from stim2bold.runtime.command import run


def main() -> None:
    """Read each voxel's shares and its places in the volume, write a picture and an image."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--explained", type=Path, required=True, help="shares, voxel by voxel")
    parser.add_argument("--bold", type=Path, required=True, help="of the same voxels, for the grid")
    parser.add_argument("--winner", type=Path, required=True, help="image to write")
    parser.add_argument("--figure", type=Path, required=True, help="picture to write")
    args = parser.parse_args()
    bold, explained = read_array(args.bold), read_array(args.explained)
    explained.attrs |= {key: bold.attrs[key] for key in ("affine", "shape")}
    image = statistic_map(winners(explained).astype(float), bold, name="space")
    with replacing(args.winner) as temporary:
        nib.save(image, temporary)
    draw_modalities(explained, path=args.figure)


if __name__ == "__main__":
    run(main)
