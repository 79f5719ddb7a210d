"""Name what I3D sees in a clip: the likeliest Kinetics-400 classes, with their scores."""

import argparse
import json
import logging
from pathlib import Path

from stim2bold.io.files import write_table
from stim2bold.networks.i3d_features import I3DSettings, classify
from stim2bold.networks.i3d_weights import load_network
from stim2bold.runtime.command import run
from stim2bold.runtime.errors import InputError
from stim2bold.stimulus.film import probe, sample
from stim2bold.stimulus.timing import sample_times

log = logging.getLogger(__name__)


def main() -> None:
    """Read the options, load clip and network, classify, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clip", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True, help="of fetch_i3d_weights")
    parser.add_argument("--labels", type=Path, required=True, help="one name a line, in order")
    parser.add_argument("--scores", type=Path, required=True, help="table to write")
    parser.add_argument("--settings", type=json.loads, default={}, help="section i3d, device")
    options = parser.parse_args()
    settings = I3DSettings(**options.settings)
    labels = options.labels.read_text(encoding="utf-8").splitlines()
    network, _ = load_network(options.weights)
    if len(labels) != network.logits.out_features:
        raise InputError(
            f"{options.labels}: holds {len(labels)} names where the network has "
            f"{network.logits.out_features} classes; give the list that belongs to the weights"
        )
    _, clock = probe(options.clip)
    pictures = sample(
        options.clip,
        sample_times(clock["video"]["end"], settings.rate),
        zero=clock["zero"],
        short_side=settings.short_side,
        crop=settings.crop,
    )
    scores = classify(network, pictures, settings, labels)
    for row in scores.head(5).itertuples():
        log.info("%s: %.4f %s", options.clip.name, row.score, row.label)
    write_table(options.scores, scores)


if __name__ == "__main__":
    run(main)
