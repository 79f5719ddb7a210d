"""Project the maps of one unit onto the surface of the cortex."""

import argparse
from pathlib import Path

import nibabel as nib

from stim2bold.evaluation.surface_maps import (
    HEMISPHERES,
    on_surface,
    surface_name,
    write_dscalar,
    write_gifti,
)
from stim2bold.io.files import replacing
from stim2bold.runtime.command import progress, run


def main() -> None:
    """Read each map, write it for each hemisphere and for both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unit", required=True, help="sub-XX, or group")
    parser.add_argument(
        "--maps", type=Path, nargs="+", required=True, help="MODEL_STATISTIC.nii.gz"
    )
    parser.add_argument("--surfaces", type=Path, required=True, help="folder to write")
    arguments = parser.parse_args()
    with replacing(arguments.surfaces) as folder:
        folder.mkdir()
        for path in progress(arguments.maps, "maps"):
            volume, image = path.name.removesuffix(".nii.gz"), nib.load(path)
            name = f"{arguments.unit} {volume}"
            values = {hemisphere: on_surface(image, hemisphere) for hemisphere in HEMISPHERES}
            for hemisphere, part in values.items():
                path = folder / surface_name(arguments.unit, volume, hemisphere)
                write_gifti(path, part, hemisphere=hemisphere, name=name)
            write_dscalar(folder / surface_name(arguments.unit, volume), values, name=name)


if __name__ == "__main__":
    run(main)
