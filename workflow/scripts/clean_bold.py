"""Remove nuisance and drift from a preprocessed BOLD series."""

import argparse
import json
import logging
from dataclasses import asdict
from pathlib import Path

import numpy as np

from stim2bold.preprocessing.cleaning import (
    CleaningSettings,
    analysis_mask,
    choose_confounds,
    clean_series,
)
from stim2bold.preprocessing.derivatives import write_sidecar
from stim2bold.preprocessing.images import TEMPLATE, read_derived, read_mask, save_image
from stim2bold.preprocessing.scan_clock import header_doubt
from stim2bold.preprocessing.signal_voxels import with_signal
from stim2bold.runtime.command import run


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
        type=json.loads,
        required=True,
        help="section preprocessing.cleaning of the configuration, TR of the study and reference: "
        "the instant of its volume that the series stands for, seconds",
    )
    arguments = parser.parse_args()
    settings = CleaningSettings(**arguments.settings["cleaning"])
    TR, reference = arguments.settings["TR"], arguments.settings["reference"]
    found = choose_confounds(arguments.series, settings.strategy, motion=settings.motion)
    series = read_derived(arguments.series)
    if doubt := header_doubt(series.header, TR):
        logging.warning("%s: %s", arguments.series, doubt)
    brain, doubt = read_mask(arguments.mask)
    if doubt:
        logging.warning("%s: %s", arguments.mask, doubt)
    mask, left_out = with_signal(
        np.asarray(series.dataobj), analysis_mask(brain, settings), name=arguments.series
    )
    logging.info(
        "%d voxels, %d of %d volumes, %d regressors (%s)",
        mask.sum(),
        len(found.kept),
        len(found.table),
        found.table.shape[1],
        settings.strategy,
    )
    if left_out.total:
        logging.warning("%d voxels of the mask are left out: %s", left_out.total, left_out)

    cleaned = clean_series(series, mask, found.table, kept=found.kept, TR=TR, settings=settings)

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
        StartTime=reference,
        VoxelsLeftOut=asdict(left_out),
        Confounds=sorted(found.table),
        ConfoundsFilledIn=found.filled,
        ConfoundsLeftOut=found.left_out,
        HighPass=settings.high_pass,
        SmoothingFWHM=settings.smoothing,
        VolumesFilledIn=sorted(set(range(series.shape[3])) - set(found.kept.tolist())),
    )
    save_image(arguments.cleaned_mask, mask, series.affine, dtype=np.uint8, code=TEMPLATE)
    write_sidecar(
        arguments.cleaned_mask, arguments.derivatives, sources=[arguments.mask], Type="ROI"
    )


if __name__ == "__main__":
    run(main)
