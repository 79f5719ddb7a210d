"""Make the nuisance regressors of a run, named as fMRIPrep names them."""

import argparse
import json
from pathlib import Path

import nibabel as nib
import numpy as np

from stim2bold.io.files import read_json, write_json, write_table
from stim2bold.preprocessing.confounds import ConfoundSettings, make_confounds
from stim2bold.preprocessing.head_motion import world_centre
from stim2bold.preprocessing.itk_affines import read_matrices
from stim2bold.preprocessing.resampling import resampled_tissues, template_tissues
from stim2bold.runtime.command import run


def main() -> None:
    """Read the command line, make the regressors, save them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=Path, required=True, help="resampled")
    parser.add_argument("--sidecar", type=Path, required=True, help="of the series")
    parser.add_argument("--mask", type=Path, required=True, help="brain in it")
    parser.add_argument("--motion", type=Path, required=True)
    parser.add_argument("--reference-mask", type=Path, required=True)
    parser.add_argument("--normalisation", type=Path, help="T1w to template")
    parser.add_argument("--tissues", type=Path, nargs="*", help="GM, WM and CSF in the T1w")
    parser.add_argument("--confounds", type=Path, required=True, help="output: table")
    parser.add_argument("--metadata", type=Path, required=True, help="output: JSON")
    parser.add_argument(
        "--settings",
        type=lambda text: ConfoundSettings(**json.loads(text)),
        required=True,
        help="configuration section preprocessing.confounds",
    )
    arguments = parser.parse_args()
    series = nib.load(arguments.series)
    mask = nib.load(arguments.mask)
    sidecar = read_json(arguments.sidecar)
    head = nib.load(arguments.reference_mask)
    if arguments.tissues:
        images = dict(zip(("GM", "WM", "CSF"), map(nib.load, arguments.tissues), strict=True))
        tissues = resampled_tissues(images, arguments.normalisation, mask)
    else:
        tissues = template_tissues(mask)

    table, metadata = make_confounds(
        series,
        np.asarray(mask.dataobj) > 0,
        tissues,
        motion=read_matrices(arguments.motion),
        centre=world_centre(np.asarray(head.dataobj) > 0, head.affine),
        non_steady=sidecar["NonSteadyStateVolumes"],
        TR=sidecar["RepetitionTime"],
        settings=arguments.settings,
    )

    write_table(arguments.confounds, table)
    write_json(arguments.metadata, metadata)


if __name__ == "__main__":
    run(main)
