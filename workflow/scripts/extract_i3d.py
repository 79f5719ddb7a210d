"""Extract I3D features of the film: of its frames, or of its optical flow."""

import argparse
import json
from pathlib import Path

from stim2bold.io.feature_rows import write_rows
from stim2bold.io.files import read_json
from stim2bold.networks.i3d_features import I3DSettings, describe, feature_rows
from stim2bold.networks.i3d_weights import load_network
from stim2bold.networks.optical_flow import FlowSettings, flow_between
from stim2bold.runtime.command import progress, run
from stim2bold.runtime.devices import use_threads
from stim2bold.stimulus.film import sample
from stim2bold.stimulus.timing import sample_times


def main() -> None:
    """Read the options, load film and network, extract, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--film", type=Path, required=True)
    parser.add_argument("--clock", type=Path, required=True, help="film.json of probe_film")
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--features", type=Path, required=True, help="NetCDF file to write")
    parser.add_argument(
        "--settings", type=json.loads, required=True, help="section i3d, device; flow"
    )
    options = parser.parse_args()
    use_threads(2)
    flow = options.settings.pop("flow", None)
    settings = I3DSettings(**options.settings)
    clock = read_json(options.clock)
    network, about = load_network(options.weights)
    times = sample_times(clock["duration"], settings.rate)
    frames = sample(
        options.film,
        times,
        zero=clock["zero"],
        stream=clock["video"]["stream"],
        short_side=settings.short_side,
        crop=settings.crop,
    )
    seen, offset = progress(frames, "frames", total=len(times)), 0.0
    if flow:
        # Flow lies between frames: half a frame later than the first of the two.
        seen, offset = flow_between(seen, FlowSettings(**flow)), 0.5 / settings.rate
    rows = feature_rows(network, seen, settings, duration=clock["duration"], offset=offset)
    attributes = describe(network, settings) | {
        "source": options.film.name,
        "weights": about["source"],
        "weights_sha256": about["sha256"],
        "weights_licence": about["licence"],
    }
    write_rows(options.features, rows, attributes)


if __name__ == "__main__":
    run(main)
