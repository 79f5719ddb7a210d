"""Fetch the fMRI participants of OpenNeuro ds003688 and compare them with what is known of them."""

import argparse
import json
import logging
from pathlib import Path

from stim2bold.io.files import write_json
from stim2bold.io.s3_archive import Source, fetch, read_manifest
from stim2bold.runtime.command import run
from stim2bold.runtime.errors import InputError
from stim2bold.study import ds003688

logger = logging.getLogger("fetch_ds003688")


def main() -> None:
    """Fetch what is not there yet, check everything, and write what was fetched."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True, help="path, bytes and md5 of each")
    parser.add_argument("--folder", type=Path, required=True, help="where the data set is to lie")
    parser.add_argument("--record", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--n-volumes", type=int, default=ds003688.N_VOLUMES, help="of a run")
    parser.add_argument("--settings", type=json.loads, required=True, help="workers, endpoint")
    arguments = parser.parse_args()
    items = read_manifest(arguments.manifest)
    settings = {key: value for key, value in arguments.settings.items() if value is not None}
    source = Source(ds003688.BUCKET, ds003688.PREFIX, **settings)
    problems = fetch(items, arguments.folder, source)
    if not problems:
        problems = ds003688.check_facts(arguments.folder, n_volumes=arguments.n_volumes)
    for problem in problems:
        logger.warning("%s", problem.message)
    if problems:
        raise InputError(
            arguments.folder,
            f"{len(problems)} of {len(items)} files are not as they should be, named above",
            "run the same command again, what is finished is kept",
        )
    write_json(
        arguments.record,
        {
            "dataset": "ds003688",
            "version": ds003688.VERSION,
            "folder": str(arguments.folder),
            "files": len(items),
            "bytes": sum(item.n_bytes for item in items),
            "participants": list(ds003688.PARTICIPANTS),
        },
    )


if __name__ == "__main__":
    run(main)
