"""Fetch the Kinetics-400 weights of I3D, or take the user's own, and bring them into one layout."""

import argparse
from pathlib import Path

from stim2bold.networks.i3d_weights import obtain
from stim2bold.networks.packages import save_weights
from stim2bold.runtime.command import run


def main() -> None:
    """Read the options, get the weights, save them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--own", type=Path, nargs="?", help="the user's weights file; else they are fetched"
    )
    parser.add_argument("--weights", type=Path, required=True, help="safetensors file to write")
    options = parser.parse_args()
    weights, about = obtain(options.own)
    save_weights(options.weights, weights, about)


if __name__ == "__main__":
    run(main)
