"""Make the report: pages that need nothing but a browser, from the files in results."""

import argparse
import json
import logging
from pathlib import Path

from stim2bold.io.files import replacing
from stim2bold.report.site import Source, write_site
from stim2bold.report.source import Results
from stim2bold.runtime.command import run
from stim2bold.stimulus.annotations import read_blocks, read_events

logger = logging.getLogger("render_report")


def main() -> None:
    """Read the options, write the pages in a folder of their own, and put it in its place."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--templates", type=Path, required=True, help="folder of templates")
    parser.add_argument("--environments", type=Path, required=True, help="folder envs")
    parser.add_argument("--requirements", type=Path, required=True, help="pinned versions")
    parser.add_argument("--events", type=Path, required=True, help="the film's blocks")
    parser.add_argument("--words", type=Path, help="annotation of what is said, if any")
    parser.add_argument("--report", type=Path, required=True, help="folder to write")
    parser.add_argument("--settings", type=json.loads, required=True)
    options = parser.parse_args()
    source = Source(
        results=Results(options.results),
        templates=options.templates,
        environments=options.environments,
        requirements=options.requirements,
        blocks=read_blocks(options.events),
        words=read_events(options.words, "sound") if options.words else None,
        config=options.settings["config"],
        simulated=options.settings["simulated"],
        film_onset=options.settings["film_onset"],
        spaces=options.settings["spaces"],
    )
    with replacing(options.report) as site:
        site.mkdir()
        write_site(source, site)
    logger.info("report: %s", (options.report / "index.html").resolve())


if __name__ == "__main__":
    run(main)
