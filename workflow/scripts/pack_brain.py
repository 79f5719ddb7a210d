"""Pack template and cortical surface for the report's maps."""

import argparse
from pathlib import Path

from stim2bold.io.files import write_json
from stim2bold.report.brain_view import brain_view
from stim2bold.runtime.command import run


def main() -> None:
    """Pack, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--brain", type=Path, required=True, help="JSON to write")
    write_json(parser.parse_args().brain, brain_view())


if __name__ == "__main__":
    run(main)
