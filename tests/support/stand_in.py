"""Stands in for `python`, and so for the script of preprocess_motion: slow, failing or greedy.

STAND_IN in the environment says, by participant: {"02": {"fail": true}, "03": {"mb": 2000}}.
"""

import json
import os
import re
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).parents[2]
sys.path.insert(0, str(PROJECT / "workflow" / "scripts"))

from stim2bold.io.files import replacing  # noqa: E402
from stim2bold.runtime.command import run  # noqa: E402
from stim2bold.runtime.errors import InputError  # noqa: E402


def main() -> None:
    """Write the output in two halves, with what was asked for between them."""
    out = Path(sys.argv[sys.argv.index("--motion") + 1])
    label = re.search(r"sub-([A-Za-z0-9]+)", out.name)[1]
    orders = json.loads(os.environ.get("STAND_IN", "{}")).get(label, {})
    if orders.get("fail"):
        raise InputError(f"sub-{label}_bold.nii.gz", "broken", "mend it")
    with replacing(out) as temporary:
        temporary.write_text("half")
        taken = b"x" * (orders.get("mb", 0) * 2**20)
        # Where the kernel does not limit memory, SLURM looks every two seconds.
        time.sleep(orders.get("seconds", 6 if taken else 0))
        temporary.write_text("whole")


if __name__ == "__main__":
    run(main)
