"""Find out from BOLD which seconds of the film it was, and how often that is right."""

import argparse
import json
from pathlib import Path

import numpy as np
import xarray as xr

from stim2bold.decoding.clip_scores import retrieve_clips
from stim2bold.decoding.clips import Retrieval
from stim2bold.decoding.feature_components import joined, predict_components
from stim2bold.decoding.labels import DecodingSettings
from stim2bold.evaluation.null_inflation import chance_spread
from stim2bold.io.arrays import read_array, write_array
from stim2bold.io.files import read_json, write_table
from stim2bold.models.circular_shifts import block_period
from stim2bold.models.directions import assemble
from stim2bold.models.folds import read_folds
from stim2bold.models.leakage import fit_record
from stim2bold.runtime.command import run


def main() -> None:
    """Write predicted components, the rank of every clip, and scores."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--unit", required=True)
    parser.add_argument("--bold", type=Path, required=True)
    parser.add_argument("--features", type=Path, nargs="+", required=True, help="of the picture")
    parser.add_argument("--folds", type=Path, required=True)
    parser.add_argument("--components", type=Path, required=True, help="NetCDF to write")
    parser.add_argument("--film", type=Path, required=True, help="the film in each fold's own")
    parser.add_argument("--clips", type=Path, required=True, help="a row a clip")
    parser.add_argument("--scores", type=Path, required=True)
    parser.add_argument("--nulls", type=Path, required=True, help="scores of each draw")
    parser.add_argument(
        "--settings",
        type=json.loads,
        required=True,
        help="sections decoding and baselines, with segment, draws and resampling_seed",
    )
    args = parser.parse_args()
    options = {name: args.settings.pop(name) for name in ("segment", "draws", "resampling_seed")}
    content = read_json(args.folds)
    problem = assemble(
        "bold2video",
        source=[read_array(args.bold)],
        target=joined([read_array(path) for path in args.features]),
        content=content,
    )
    settings, folds = DecodingSettings(**args.settings), read_folds(content)
    fitted, film = predict_components(problem, folds, settings)
    spread = chance_spread(problem, folds, settings.ridge())
    times = problem.target_array["time"].values[fitted.rows - problem.rows[0]]
    clips, scores, nulls = retrieve_clips(
        Retrieval(fitted.values, fitted.rows, fitted.fold, film, spread),
        times,
        seconds=options["segment"],
        tr=problem.tr,
        period=block_period(content),
        draws=options["draws"],
        seed=options["resampling_seed"],
    )
    for table in (clips, scores, nulls):
        table.insert(0, "unit", args.unit)
    coords = {
        "time": ("time", times, {"units": "s"}),
        "fold": ("time", fitted.fold.astype(np.int32)),
        "row": ("time", fitted.rows.astype(np.int32)),
    }
    features = " + ".join(path.name for path in args.features)
    basis = "principal components of each fold's own training rows"
    units = {"units": "standard deviations of a fold's first component"}
    predicted = xr.DataArray(
        fitted.values,
        dims=("time", "component"),
        coords=coords,
        name="prediction",
        attrs=fit_record(fitted.fitted, problem.extent)
        | {"model": "clips", "direction": problem.direction, **units, "chance_spread": spread}
        | {"source": f"{args.bold.name} -> {features}, {basis}"},
    )
    shown = xr.DataArray(
        np.stack(list(film.values())),
        dims=("of_fold", "time", "component"),
        coords=coords | {"of_fold": ("of_fold", np.array(list(film), dtype=np.int32))},
        name="film",
        attrs=units | {"source": f"{features}, {basis}"},
    )
    write_array(args.components, predicted)
    write_array(args.film, shown)
    write_table(args.clips, clips)
    write_table(args.scores, scores)
    write_table(args.nulls, nulls)


if __name__ == "__main__":
    run(main)
