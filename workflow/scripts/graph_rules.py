"""Ask Snakemake for the rules of this workflow and lay them out as a picture."""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from stim2bold.io.files import write_json
from stim2bold.report.rule_graph import layout, read_dot
from stim2bold.runtime.command import run
from stim2bold.runtime.errors import InputError


def main() -> None:
    """Read the options, ask, lay out, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--snakefile", type=Path, required=True)
    parser.add_argument("--graph", type=Path, required=True, help="JSON to write")
    parser.add_argument("--settings", type=json.loads, required=True, help="the configuration")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        # JSON is YAML too.
        config = Path(folder) / "config.yaml"
        config.write_text(json.dumps(options.settings), encoding="utf-8")
        command = [sys.executable, "-m", "snakemake", "--rulegraph", "dot", "--ignore-incomplete"]
        command += ["--snakefile", str(options.snakefile), "--configfile", str(config)]
        asked = subprocess.run(command, capture_output=True, text=True, check=False)
    if asked.returncode:
        raise InputError(
            options.snakefile,
            "Snakemake cannot draw its rules",
            f"mend what it says: {asked.stderr.strip()[-500:]}",
        )
    write_json(options.graph, layout(*read_dot(asked.stdout)))


if __name__ == "__main__":
    run(main)
