"""Compare what the analysis of simulated participants found with what was planted in them."""

import argparse
import json
import logging
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
from nibabel.affines import apply_affine

from stim2bold.evaluation.group_map import gather, group_and_each, predicted_reader
from stim2bold.evaluation.region_scores import region_scores
from stim2bold.io.arrays import read_array
from stim2bold.io.files import write_table
from stim2bold.preprocessing import itk_affines, resampling
from stim2bold.runtime.arguments import ListParser
from stim2bold.runtime.command import run
from stim2bold.simulation.brain import recovery
from stim2bold.simulation.brain.planted_regions import KIND_NUMBERS, REGIONS
from stim2bold.simulation.brain.recovery_figure import draw_recovery
from stim2bold.simulation.brain.recovery_verdict import ELSEWHERE, verdict

KIND_OF = {region.name: region.kind for region in REGIONS}


def main() -> None:
    """Write tables of regions, errors and feature spaces, and a figure."""
    parser = ListParser(__doc__)
    parser.add_argument("--truth", type=Path, required=True, help="folder")
    parser.add_argument("--participants", nargs="+", required=True, help="such as sub-01")
    parser.add_argument("--models", nargs="+", required=True, help="the one that is judged first")
    parser.add_argument("--bold", type=Path, nargs="+", required=True, help="one a participant")
    parser.add_argument("--strengths", type=Path, nargs="+", required=True, help="likewise")
    parser.add_argument("--explained", type=Path, nargs="+", required=True, help="likewise")
    parser.add_argument("--motion", type=Path, nargs="+", required=True, help="likewise")
    parser.add_argument("--coregistration", type=Path, nargs="+", required=True, help="likewise")
    parser.add_argument("--normalisation", type=Path, nargs="+", required=True, help="likewise")
    parser.add_argument(
        "--predictions", type=Path, nargs="+", required=True, help="of each model, likewise"
    )
    parser.add_argument("--maps", type=Path, nargs="+", required=True, help="of each model, drawn")
    parser.add_argument("--regions", type=Path, required=True, help="table to write")
    parser.add_argument("--errors", type=Path, required=True, help="table to write")
    parser.add_argument("--spaces", type=Path, required=True, help="table to write")
    parser.add_argument("--figure", type=Path, required=True, help="picture to write")
    parser.add_argument("--settings", type=json.loads, required=True, help="seed")
    args = parser.parse_args()
    names = args.participants
    truths = {name: recovery.read_truth(args.truth, name) for name in names}
    image = nib.load(args.maps[0])
    kinds = {name: recovery.kinds_on(image, truth.regions) for name, truth in truths.items()}
    kinds["group"] = recovery.kinds_of_group(list(kinds.values()))
    write_table(args.regions, compare_regions(args, kinds, image))
    drawn = next(iter(group_and_each(names)))
    draw_recovery(
        nib.Nifti1Image(kinds[drawn].astype(np.int16), image.affine),
        {
            f"{model}, {drawn}": nib.load(path)
            for model, path in zip(args.models, args.maps, strict=True)
        },
        path=args.figure,
    )
    planted = np.isin(kinds[drawn], list(KIND_NUMBERS.values()))
    write_table(args.errors, measure_errors(args, truths, image, planted))
    spaces = [
        recovery.space_table(read_array(path), kinds[name]).assign(unit=name)
        for name, path in zip(names, args.explained, strict=True)
    ]
    write_table(args.spaces, pd.concat(spaces, ignore_index=True))


def compare_regions(
    args: argparse.Namespace, kinds: dict[str, np.ndarray], image: nib.Nifti1Image
) -> pd.DataFrame:
    """Test each model's prediction of each region, planted or empty, in group and participants.

    Parameters
    ----------
    args : Namespace
    kinds : dict of str to ndarray
        What was planted where, on the grid of the analysis, for each of `group_and_each`.
    image : Nifti1Image
        That grid.
    """
    names, tables = args.participants, []
    for number, model in enumerate(args.models):
        mine = args.predictions[number * len(names) : (number + 1) * len(names)]
        read = predicted_reader(names, args.bold, mine, args.strengths)
        for unit, members in group_and_each(names).items():
            group = gather(read, members)
            index = np.unravel_index(group.places, image.shape)
            points = apply_affine(image.affine, np.column_stack(index))
            table = pd.concat(
                [
                    region_scores(group, places(points, kinds[unit][index]), **args.settings)
                    for places in (recovery.planted_places, recovery.empty_places)
                ],
                ignore_index=True,
            )
            table["kind"] = [KIND_OF.get(region, ELSEWHERE) for region in table["region"]]
            tables.append(table.assign(unit=unit, model=model))
            logging.info("%s, %s: %s", unit, model, verdict(table))
    return pd.concat(tables, ignore_index=True)


def measure_errors(
    args: argparse.Namespace,
    truths: dict[str, recovery.Truth],
    image: nib.Nifti1Image,
    planted: np.ndarray,
) -> pd.DataFrame:
    """Measure how far motion, registration and clock are from what is true of each participant.

    Parameters
    ----------
    args : Namespace
    truths : dict of str to Truth
    image : Nifti1Image
        The grid of the analysis.
    planted : ndarray of shape (nx, ny, nz), bool
        Where on it places are compared.
    """
    errors = []
    points = resampling.voxel_points(image)[:, planted]
    for number, (name, truth) in enumerate(truths.items()):
        motion = itk_affines.read_matrices(args.motion[number])
        off, _ = recovery.motion_errors(truth.motion, motion, recovery.CENTRE)
        rms = np.sqrt((off**2).mean(axis=0))
        in_t1w = resampling.moved_points(args.normalisation[number], image)[:, planted]
        to_bold = itk_affines.read_matrices(args.coregistration[number])[0]
        in_bold = resampling.apply(to_bold, in_t1w)
        place = recovery.place_errors(points, in_bold, motion, truth)
        lag, left = recovery.signal_errors(read_array(args.bold[number]), truth)
        errors += [
            (name, "motion, worst axis", rms[:3].max(), "mm RMS"),
            (name, "rotation, worst axis", rms[3:].max(), "degrees RMS"),
            (name, "place of planted grey matter", np.nanmean(place), "mm"),
            (name, "clock: response lags behind", lag, "s"),
            (name, "signal left by preprocessing", left, "of planted r"),
        ]
    return pd.DataFrame(errors, columns=["unit", "error", "value", "units"])


if __name__ == "__main__":
    run(main)
