"""Get weights for the flow stream of I3D: the user's, or the colour stream's with another stem."""

import argparse
from pathlib import Path

from stim2bold.networks.i3d_weights import obtain_flow
from stim2bold.networks.packages import save_weights
from stim2bold.runtime.command import run


def main() -> None:
    """Read the options, get the weights, save them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--own", type=Path, nargs="?", help="flow weights of the user's (flow_imagenet.pt)"
    )
    parser.add_argument("--rgb", type=Path, required=True, help="of fetch_i3d_weights")
    parser.add_argument("--weights", type=Path, required=True, help="safetensors file to write")
    options = parser.parse_args()
    weights, about = obtain_flow(options.own, options.rgb)
    save_weights(options.weights, weights, about)


if __name__ == "__main__":
    run(main)
