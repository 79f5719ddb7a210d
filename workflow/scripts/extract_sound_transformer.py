"""Extract a layer of a network of sound of the transformers library."""

import argparse
import json
from pathlib import Path

from stim2bold.io.arrays import write_array
from stim2bold.io.files import read_json
from stim2bold.networks.sound_transformers import extract, load
from stim2bold.runtime.command import run
from stim2bold.runtime.devices import use_threads
from stim2bold.stimulus.audio import read_film_sound


def main() -> None:
    """Read the options, load sound and network, extract, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--space", required=True, help="network, or network-layer: wav2vec2-8")
    parser.add_argument("--film", type=Path, required=True, help="the file that has the sound")
    parser.add_argument("--clock", type=Path, required=True, help="film.json of probe_film")
    parser.add_argument("--features", type=Path, required=True, help="NetCDF file to write")
    parser.add_argument(
        "--settings", type=json.loads, required=True, help="section backbones: NAME, device"
    )
    args = parser.parse_args()
    use_threads(2)
    name, _, layer = args.space.partition("-")
    network = load(name, args.settings["weights"])
    sound = read_film_sound(args.film, read_json(args.clock), rate=network.rate)
    features = extract(
        network,
        sound,
        layer=layer,
        window=args.settings["window"],
        device=args.settings["device"],
    )
    features.attrs["source"] = args.film.name
    write_array(args.features, features)


if __name__ == "__main__":
    run(main)
