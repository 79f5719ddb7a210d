"""Extract features of the film from a video network: R(2+1)D, or a transformer."""

import argparse
import json
from pathlib import Path

from stim2bold.io.arrays import write_array
from stim2bold.io.files import read_json
from stim2bold.networks import r2plus1d, transformers
from stim2bold.networks.backbones import BackboneSettings, extract_film
from stim2bold.runtime.command import run
from stim2bold.runtime.devices import use_threads

R2PLUS1D = "r2plus1d"


def main() -> None:
    """Read the options, load film and network, extract, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", choices=(R2PLUS1D, *transformers.NAMES), required=True)
    parser.add_argument("--film", type=Path, required=True)
    parser.add_argument("--clock", type=Path, required=True, help="film.json of probe_film")
    parser.add_argument("--features", type=Path, required=True, help="NetCDF file to write")
    parser.add_argument(
        "--settings", type=json.loads, required=True, help="section backbones: NAME, device"
    )
    options = parser.parse_args()
    use_threads(2)
    settings = BackboneSettings(**options.settings)
    clock = read_json(options.clock)
    if options.backbone == R2PLUS1D:
        backbone = r2plus1d.load(settings.weights)
    else:
        backbone = transformers.load(options.backbone, settings.weights)
    features = extract_film(backbone, options.film, clock, settings=settings)
    write_array(options.features, features)


if __name__ == "__main__":
    run(main)
