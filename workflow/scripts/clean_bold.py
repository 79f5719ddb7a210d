"""Remove nuisance and drift from a preprocessed BOLD series."""

import argparse
import json
import logging
from pathlib import Path

import nibabel as nib
import numpy as np

from stim2bold.cleaning import (
    CleaningSettings,
    analysis_mask,
    choose_confounds,
    clean_series,
)
from stim2bold.command import run
from stim2bold.derivatives import write_sidecar
from stim2bold.images import TEMPLATE, save_image


def main() -> None:
    """Read the command line, clean, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=Path, required=True, help="confounds lie beside it")
    parser.add_argument("--mask", type=Path, required=True, help="brain in it")
    parser.add_argument("--cleaned", type=Path, required=True, help="output: series")
    parser.add_argument("--cleaned-mask", type=Path, required=True, help="output: its voxels")
    parser.add_argument("--derivatives", type=Path, required=True, help="root of the outputs")
    parser.add_argument(
        "--settings",
        type=lambda text: CleaningSettings(**json.loads(text)),
        required=True,
        help="configuration section preprocessing.cleaning",
    )
    arguments = parser.parse_args()
    settings = arguments.settings
    confounds, kept = choose_confounds(arguments.series, settings.strategy, motion=settings.motion)
    series = nib.load(arguments.series)
    series = nib.Nifti1Image(
        np.asarray(series.dataobj, dtype=np.float32), series.affine, series.header
    )
    TR = float(series.header.get_zooms()[3])
    mask = analysis_mask(nib.load(arguments.mask), settings)
    logging.info(
        "%d voxels, %d of %d volumes, %d regressors (%s)",
        mask.sum(),
        len(kept),
        len(confounds),
        confounds.shape[1],
        settings.strategy,
    )

    cleaned = clean_series(series, mask, confounds, kept=kept, TR=TR, settings=settings)

    data = np.zeros(series.shape, dtype=np.float32)
    data[mask] = cleaned.T
    save_image(arguments.cleaned, data, series.affine, code=TEMPLATE, TR=TR)
    write_sidecar(
        arguments.cleaned,
        arguments.derivatives,
        sources=[arguments.series],
        SkullStripped=True,
        Units="percent signal change",
        RepetitionTime=TR,
        Confounds=sorted(confounds),
        HighPass=settings.high_pass,
        SmoothingFWHM=settings.smoothing,
        VolumesFilledIn=sorted(set(range(series.shape[3])) - set(kept.tolist())),
    )
    save_image(arguments.cleaned_mask, mask, series.affine, dtype=np.uint8, code=TEMPLATE)
    write_sidecar(
        arguments.cleaned_mask, arguments.derivatives, sources=[arguments.mask], Type="ROI"
    )


if __name__ == "__main__":
    run(main)
