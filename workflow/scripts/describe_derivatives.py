"""Write the dataset_description.json of a folder of derivatives."""

import argparse
from pathlib import Path

from stim2bold.io.files import replacing, write_json
from stim2bold.preprocessing.derivatives import IGNORED, README, description
from stim2bold.runtime.command import run


def main() -> None:
    """Read the command line and write the description."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--sources", type=Path, nargs="+", required=True, help="data sets it was made from"
    )
    parser.add_argument("--description", type=Path, required=True, help="output")
    parser.add_argument("--ignored", type=Path, required=True, help="output: .bidsignore")
    parser.add_argument("--readme", type=Path, required=True, help="output")
    arguments = parser.parse_args()
    folder = arguments.description.parent
    write_json(arguments.description, description(folder, arguments.sources))
    with replacing(arguments.ignored) as temporary:
        temporary.write_text(IGNORED, encoding="ascii")
    with replacing(arguments.readme) as temporary:
        temporary.write_text(README.format(name=folder.name), encoding="ascii")


if __name__ == "__main__":
    run(main)
