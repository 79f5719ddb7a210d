"""Estimate the transform from a brain to the MNI template: rigid, affine, SyN."""

import argparse
import json
import shutil
import tempfile
from pathlib import Path

import nibabel as nib
import numpy as np

from stim2bold.io.files import replacing
from stim2bold.preprocessing.registration import NormaliseSettings, normalise, template
from stim2bold.runtime.command import run


def main() -> None:
    """Read the command line, register, keep both transforms."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", type=Path, required=True, help="T1w, or a BOLD reference")
    parser.add_argument("--mask", type=Path, required=True, help="its brain mask")
    parser.add_argument("--forward", type=Path, required=True, help="output: image to template")
    parser.add_argument("--inverse", type=Path, required=True, help="output: template to image")
    parser.add_argument(
        "--settings",
        type=json.loads,
        required=True,
        help="configuration section preprocessing.normalisation",
    )
    arguments = parser.parse_args()
    settings = NormaliseSettings(
        **{k: tuple(v) if isinstance(v, list) else v for k, v in arguments.settings.items()}
    )
    image = nib.load(arguments.image)
    inside = np.asarray(nib.load(arguments.mask).dataobj) > 0
    brain = nib.Nifti1Image(np.asarray(image.dataobj, dtype=np.float32) * inside, image.affine)

    with tempfile.TemporaryDirectory() as folder:
        found = normalise(brain, template("T1w", settings.voxel), Path(folder), settings)
        for source, path in zip(found, (arguments.forward, arguments.inverse), strict=True):
            with replacing(path) as temporary:
                shutil.copyfile(source, temporary)


if __name__ == "__main__":
    run(main)
