"""Compare what the analysis of simulated participants found with what was planted in them."""

import logging
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd

from stim2bold.io.arrays import read_array
from stim2bold.io.files import write_table
from stim2bold.preprocessing import registration
from stim2bold.runtime.arguments import ListParser
from stim2bold.runtime.command import run
from stim2bold.simulation.brain import recovery
from stim2bold.simulation.brain.recovery_figure import draw_recovery
from stim2bold.simulation.brain.recovery_verdict import verdict

GROUP = "group"
CENTRE = np.array([0.0, -18.0, 8.0])


def main() -> None:
    """Write tables of regions, errors and feature spaces, and a figure of the first unit's maps."""
    parser = ListParser(__doc__)
    parser.add_argument("--truth", type=Path, required=True, help="folder")
    parser.add_argument("--participants", nargs="+", required=True, help="such as sub-01")
    parser.add_argument(
        "--maps", type=Path, nargs="+", required=True, help="DIRECTION/UNIT/MODEL_r.nii.gz"
    )
    parser.add_argument("--bold", type=Path, nargs="+", required=True, help="one a participant")
    parser.add_argument("--explained", type=Path, nargs="+", required=True, help="likewise")
    parser.add_argument("--motion", type=Path, nargs="+", required=True, help="likewise")
    parser.add_argument("--coregistration", type=Path, nargs="+", required=True, help="likewise")
    parser.add_argument("--normalisation", type=Path, nargs="+", required=True, help="likewise")
    parser.add_argument("--regions", type=Path, required=True, help="table to write")
    parser.add_argument("--errors", type=Path, required=True, help="table to write")
    parser.add_argument("--spaces", type=Path, required=True, help="table to write")
    parser.add_argument("--figure", type=Path, required=True, help="picture to write")
    args = parser.parse_args()
    truths = {name: recovery.read_truth(args.truth, name) for name in args.participants}
    first = nib.load(args.maps[0])
    kinds = {name: recovery.kinds_on(first, truth.regions) for name, truth in truths.items()}
    kinds[GROUP] = recovery.kinds_of_group(list(kinds.values()))
    tables, shown = [], {}
    for path in args.maps:
        direction, unit = path.parts[-3:-1]
        model = path.name.removesuffix("_r.nii.gz")
        r, q = nib.load(path), nib.load(path.with_name(f"{model}_q.nii.gz"))
        table = recovery.region_table(r, q, kinds[unit])
        tables.append(table.assign(direction=direction, unit=unit, model=model))
        logging.info("%s, %s, %s: %s", direction, unit, model, verdict(table))
        if path.parent == args.maps[0].parent:
            shown[f"{direction}, {model}, {unit}"] = (r, q)
    write_table(args.regions, pd.concat(tables, ignore_index=True))
    planted = nib.Nifti1Image(kinds[args.maps[0].parent.name].astype(np.int16), first.affine)
    draw_recovery(planted, shown, path=args.figure)

    errors, spaces = [], []
    grey = np.isin(kinds[GROUP], list(recovery.KIND_NUMBERS.values()))
    for number, (name, truth) in enumerate(truths.items()):
        motion = registration.read_matrices(args.motion[number])
        off, _ = recovery.motion_errors(truth.motion, motion, CENTRE)
        rms = np.sqrt((off**2).mean(axis=0))
        in_t1w = registration.moved_points(args.normalisation[number], first)[:, grey]
        to_t1w = registration.read_matrices(args.coregistration[number])[0]
        place = recovery.place_errors(
            registration.voxel_points(first)[:, grey],
            registration.apply(to_t1w, in_t1w),
            motion,
            truth,
        )
        bold = read_array(args.bold[number])
        measured, signal, ceiling = recovery.planted_courses(bold, truth)
        lag, r = recovery.lag_of(
            measured,
            signal,
            rows=bold["time"].values,
            volumes=truth.signal["time"].values,
        )
        known = np.isfinite(ceiling)
        kept = r[np.abs(recovery.LAGS).argmin(), known].mean()
        errors += [
            (name, "motion, worst axis", rms[:3].max(), "mm RMS"),
            (name, "rotation, worst axis", rms[3:].max(), "degrees RMS"),
            (name, "place of planted grey matter", np.nanmean(place), "mm"),
            (name, "clock: response lags behind", lag, "s"),
            (name, "signal left by preprocessing", kept / ceiling[known].mean(), "of planted r"),
        ]
        table = recovery.space_table(read_array(args.explained[number]), kinds[name])
        spaces.append(table.assign(unit=name))
    write_table(args.errors, pd.DataFrame(errors, columns=["unit", "error", "value", "units"]))
    write_table(args.spaces, pd.concat(spaces, ignore_index=True))


if __name__ == "__main__":
    run(main)
