"""Extract what a language model makes of the film's words, at the TRs."""

import argparse
import json
from pathlib import Path

from stim2bold.io.arrays import write_array
from stim2bold.io.files import read_json
from stim2bold.networks.language_models import SURPRISAL, load, word_features
from stim2bold.runtime.command import run
from stim2bold.runtime.devices import use_threads
from stim2bold.stimulus.annotations import read_sound_tables
from stim2bold.stimulus.timing import Timing
from stim2bold.stimulus.words import values_at_volumes, words_of


def main() -> None:
    """Read the options, load words and model, extract, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--space", required=True, help="model, or model-layer: causal_lm-surprisal")
    parser.add_argument("--tables", type=Path, nargs="?", help="folder with video and sound")
    parser.add_argument("--clock", type=Path, required=True, help="film.json of probe_film")
    parser.add_argument("--features", type=Path, required=True, help="NetCDF file to write")
    parser.add_argument(
        "--settings", type=json.loads, required=True, help="section backbones: NAME, device, timing"
    )
    args = parser.parse_args()
    use_threads(2)
    settings = args.settings
    name, _, layer = args.space.partition("-")
    model = load(name, settings["weights"])
    words = words_of(read_sound_tables(args.tables))
    values = word_features(
        model,
        [str(item) for item in words["item"]],
        layer=layer,
        context=settings["context"],
        device=settings["device"],
    )
    unit = "bits" if layer == SURPRISAL else "1"
    features = values_at_volumes(
        words,
        values,
        [f"sound/{name} {number}" for number in range(values.shape[1])],
        timing=Timing(**settings["timing"]),
        duration=read_json(args.clock)["duration"],
        attributes={
            "units": f"{unit}, mean over the TR",
            "weights": model.source,
            "layer": layer or "last",
            "context_words": settings["context"],
        },
    )
    write_array(args.features, features)


if __name__ == "__main__":
    run(main)
