"""Measure the quality of a preprocessed run."""

import argparse
from pathlib import Path

import numpy as np

from stim2bold.io.files import write_json
from stim2bold.io.tables import read_tsv
from stim2bold.preprocessing.confound_gaps import confounds_of
from stim2bold.preprocessing.figures import tsnr
from stim2bold.preprocessing.images import read_derived, read_mask
from stim2bold.preprocessing.iqm import measure, series_of
from stim2bold.preprocessing.registration import template
from stim2bold.preprocessing.resampling import sample, template_tissues, voxel_points
from stim2bold.runtime.command import run


def main() -> None:
    """Read the options, measure, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=Path, required=True, help="in template space")
    parser.add_argument("--mask", type=Path, required=True, help="brain in it")
    parser.add_argument("--confounds", type=Path, required=True)
    parser.add_argument("--quality", type=Path, required=True, help="JSON to write")
    options = parser.parse_args()
    series, (mask, _) = read_derived(options.series), read_mask(options.mask)
    # What is left out of the analysis for it, too.
    known = np.isfinite(np.asarray(series.dataobj)).all(axis=-1)
    brain = (np.asarray(mask.dataobj) > 0) & known
    table = read_tsv(options.confounds)
    confounds = confounds_of(table, table.columns)
    measured = measure(
        series,
        brain,
        confounds,
        tsnr(series, brain),
        template=sample(template("mask", 2), voxel_points(mask)) > 0.5,
        tissues=template_tissues(mask),
    )
    write_json(options.quality, {**measured, "series": series_of(confounds)})


if __name__ == "__main__":
    run(main)
