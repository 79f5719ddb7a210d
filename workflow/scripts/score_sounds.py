"""Score the sounds of one unit against the original."""

import argparse
import json
from pathlib import Path

from scipy.io import wavfile

from stim2bold.io.files import read_table, write_table
from stim2bold.runtime.command import progress, run
from stim2bold.sound.rungs import ORIGINAL
from stim2bold.sound.scores import score_ladder
from stim2bold.stimulus.spectrogram import SpectrogramSettings


def main() -> None:
    """Read the sounds, score them, write a long table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--direction", required=True)
    parser.add_argument("--unit", required=True)
    parser.add_argument("--sounds", type=Path, required=True, help="folder of invert_mel")
    parser.add_argument("--scores", type=Path, required=True, help="table to write")
    parser.add_argument(
        "--settings", type=json.loads, required=True, help="section spectrogram, and speech"
    )
    args = parser.parse_args()
    speech = args.settings.pop("speech")
    segments = read_table(args.sounds / "segments.tsv")
    ladder = {
        segment: {
            path.stem.removeprefix(f"{segment}_"): wavfile.read(path)[1] / 32768
            for path in sorted(args.sounds.glob(f"{segment}_*.wav"))
        }
        for segment in progress(segments["segment"], "segments")
    }
    table = score_ladder(
        ladder,
        segments,
        original=ORIGINAL,
        speech=speech,
        settings=SpectrogramSettings(**args.settings),
    )
    table.insert(0, "unit", args.unit)
    table.insert(1, "direction", args.direction)
    write_table(args.scores, table)


if __name__ == "__main__":
    run(main)
