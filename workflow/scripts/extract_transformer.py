"""Extract features of the film from a video transformer."""

import argparse
import json
from pathlib import Path

from stim2bold.arrays import write_array
from stim2bold.backbones import BackboneSettings, extract
from stim2bold.command import progress, run
from stim2bold.files import read_json
from stim2bold.film import sample
from stim2bold.timing import sample_times
from stim2bold.video_transformer import NAMES, load


def main() -> None:
    """Read the options, load film and network, extract, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", choices=NAMES, required=True)
    parser.add_argument("--film", type=Path, required=True)
    parser.add_argument("--clock", type=Path, required=True, help="film.json of probe_film")
    parser.add_argument("--features", type=Path, required=True, help="NetCDF file to write")
    parser.add_argument(
        "--settings", type=json.loads, required=True, help="section backbones: NAME, device"
    )
    options = parser.parse_args()
    settings = BackboneSettings(**options.settings)
    clock = read_json(options.clock)
    backbone = load(options.backbone, settings.weights)
    times = sample_times(clock["duration"], backbone.n_frames / settings.window)
    pictures = sample(
        options.film,
        times,
        zero=clock["zero"],
        stream=clock["video"]["stream"],
        short_side=round(backbone.side * 8 / 7),
        crop=backbone.side,
    )
    features = extract(
        backbone,
        progress(pictures, "pictures", total=len(times)),
        settings,
        duration=clock["duration"],
    )
    features.attrs["source"] = options.film.name
    write_array(options.features, features)


if __name__ == "__main__":
    run(main)
