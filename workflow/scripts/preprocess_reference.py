"""Make the reference volume and the brain mask of a BOLD series."""

import argparse
import json
from pathlib import Path

import numpy as np

from stim2bold.preprocessing.derivatives import write_sidecar
from stim2bold.preprocessing.head_motion import MotionSettings, make_reference
from stim2bold.preprocessing.image_checks import check_TR
from stim2bold.preprocessing.images import open_image, read_series, save_image
from stim2bold.runtime.command import run
from stim2bold.study.sidecars import read_sidecars


def main() -> None:
    """Read the command line, make the reference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bold", type=Path, required=True, help="raw series")
    parser.add_argument("--sidecars", type=Path, nargs="+", required=True, help="nearest last")
    parser.add_argument("--reference", type=Path, required=True, help="output: for head motion")
    parser.add_argument("--flat", type=Path, required=True, help="output: without bias field")
    parser.add_argument("--mask", type=Path, required=True, help="output: brain")
    parser.add_argument("--derivatives", type=Path, required=True, help="root of the outputs")
    parser.add_argument(
        "--settings",
        type=lambda text: MotionSettings(**json.loads(text)),
        required=True,
        help="configuration section preprocessing.motion",
    )
    arguments = parser.parse_args()

    raw = open_image(arguments.bold)
    TR = check_TR(raw, read_sidecars(arguments.sidecars), arguments.bold)
    reference = make_reference(read_series(arguments.bold), arguments.settings)

    affine = reference.volume.affine
    root = arguments.derivatives
    save_image(arguments.reference, np.asarray(reference.raw.dataobj), affine)
    write_sidecar(
        arguments.reference,
        root,
        sources=[arguments.bold],
        NumberOfVolumesDiscardedByUser=0,
        NonSteadyStateVolumes=reference.non_steady,
        RepetitionTime=TR,
    )
    save_image(arguments.flat, np.asarray(reference.volume.dataobj), affine)
    write_sidecar(arguments.flat, root, sources=[arguments.reference])
    save_image(arguments.mask, reference.mask, affine, dtype=np.uint8)
    write_sidecar(arguments.mask, root, sources=[arguments.flat], Type="Brain")


if __name__ == "__main__":
    run(main)
