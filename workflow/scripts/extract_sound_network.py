"""Extract features of the film's sound by a network."""

import argparse
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import load_file

from stim2bold.io.arrays import write_array
from stim2bold.io.files import read_json
from stim2bold.networks.sound_networks import RATE, SOUND_NETWORKS, build, extract
from stim2bold.runtime.command import run
from stim2bold.runtime.devices import use_threads
from stim2bold.stimulus.audio import read_film_sound


def main() -> None:
    """Read the options, load sound and network, extract, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", choices=sorted(SOUND_NETWORKS), required=True)
    parser.add_argument("--film", type=Path, required=True, help="the file that has the sound")
    parser.add_argument("--clock", type=Path, required=True, help="film.json of probe_film")
    parser.add_argument("--weights", type=Path, required=True, help="of fetch_sound_weights")
    parser.add_argument("--features", type=Path, required=True, help="NetCDF file to write")
    args = parser.parse_args()
    use_threads(2)
    with safe_open(args.weights, framework="numpy") as file:
        about = file.metadata()
    network = build(args.network, load_file(args.weights))
    sound = read_film_sound(args.film, read_json(args.clock), rate=RATE)
    write_array(args.features, extract(args.network, network, sound, source=about["source"]))


if __name__ == "__main__":
    run(main)
