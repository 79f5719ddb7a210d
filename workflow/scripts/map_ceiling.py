"""Write the ceiling of one participant as maps in template space, and models as shares of it."""

import argparse
from pathlib import Path

import nibabel as nib

from stim2bold.evaluation.ceiling_normalised import normalised, normalised_table
from stim2bold.evaluation.maps import statistic_map
from stim2bold.io.arrays import read_array, read_dataset
from stim2bold.io.files import replacing, write_table
from stim2bold.runtime.command import run


def main() -> None:
    """Read the options, load, write the maps and the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unit", required=True)
    parser.add_argument("--ceiling", type=Path, required=True, help="r and q of each voxel")
    parser.add_argument("--voxels", type=Path, required=True, help="r of each model and voxel")
    parser.add_argument("--bold", type=Path, required=True, help="table of the same voxels")
    parser.add_argument("--r-map", type=Path, required=True)
    parser.add_argument("--q-map", type=Path, required=True)
    parser.add_argument(
        "--normalised", type=Path, nargs="+", required=True, help="MODEL_normalised.nii.gz"
    )
    parser.add_argument("--table", type=Path, required=True, help="shares of the ceiling")
    options = parser.parse_args()
    ceiling, bold = read_dataset(options.ceiling), read_array(options.bold)
    r = read_dataset(options.voxels)["r"]
    by_model = {str(model): r.sel(model=model).values for model in r["model"].values}
    images = {
        options.r_map: statistic_map(ceiling["r"].values, bold, name="r"),
        options.q_map: statistic_map(ceiling["q"].values, bold, name="q", fill=1.0),
    }
    for path in options.normalised:
        share = normalised(by_model[path.name.removesuffix("_normalised.nii.gz")], ceiling)
        images[path] = statistic_map(share, bold, name="r / ceiling")
    for path, image in images.items():
        with replacing(path) as temporary:
            nib.save(image, temporary)
    table = normalised_table(by_model, ceiling)
    table.insert(0, "unit", options.unit)
    write_table(options.table, table)


if __name__ == "__main__":
    run(main)
