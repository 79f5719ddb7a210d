"""Average the predictions of several models of one unit."""

import argparse
import json
from pathlib import Path

import xarray as xr

from stim2bold.io.arrays import read_array, write_array
from stim2bold.models.predictions import stacked
from stim2bold.runtime.command import run


def widest(extents: list[list[float]]) -> list[float]:
    """Return the earliest and the latest second that any of several models looks at."""
    before, after = zip(*extents, strict=True)
    return [min(before), max(after)]


def main() -> None:
    """Read the predictions, average them where they were fitted on the same rows, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--predictions", type=Path, nargs="+", required=True)
    parser.add_argument("--stack", type=Path, required=True, help="NetCDF file to write")
    args = parser.parse_args()
    parts = [read_array(path) for path in args.predictions]
    for name in ("fitted_rows", "units"):
        if len({part.attrs[name] for part in parts}) > 1:
            raise ValueError(f"{', '.join(map(str, args.predictions))} differ in their {name}")
    # Rows that one of them lacks would silently be dropped otherwise.
    parts = xr.align(*parts, join="exact")
    values = stacked([part.values for part in parts], parts[0]["fold"].values)
    stack = parts[0].copy(data=values)
    stack.attrs = parts[0].attrs | {
        name: json.dumps(widest([json.loads(part.attrs[name]) for part in parts]))
        for name in ("extent", "reads")
    }
    stack.attrs |= {
        "model": "vae-stack",
        "stacked": " + ".join(path.stem for path in args.predictions),
    }
    write_array(args.stack, stack.rename("prediction"))


if __name__ == "__main__":
    run(main)
