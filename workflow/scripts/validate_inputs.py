"""Check data set and film before anything is computed from them: a table of all problems."""

import argparse
import json
import logging
import shutil
import sys
from dataclasses import replace
from pathlib import Path

from stim2bold.io.files import write_json
from stim2bold.runtime.command import run
from stim2bold.runtime.errors import InputError
from stim2bold.runtime.issues import as_table, in_order, n_errors
from stim2bold.study import study
from stim2bold.study.bids_index import excluded
from stim2bold.study.configuration import check_configuration, check_files, read_configuration
from stim2bold.study.participants import absent_participants
from stim2bold.study.read_lines import as_text
from stim2bold.study.settings_checks import check_consistency
from stim2bold.study.validate import describe, examine

logger = logging.getLogger("validate_inputs")


def main() -> None:
    """Read the command line, check, and say what was found; errors end with exit code 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=json.loads, help="the configuration, as the rule has it")
    parser.add_argument(
        "--configfile", type=Path, nargs="+", help="configuration files, later ones win"
    )
    parser.add_argument(
        "--config", nargs="*", default=[], metavar="KEY=VALUE", help="keys at the top"
    )
    parser.add_argument("--schema", type=Path, help="JSON schema of the configuration files")
    parser.add_argument("--inputs", type=Path, help="JSON file to write when there is no error")
    arguments = parser.parse_args()
    config = arguments.settings
    if config is None:
        problems = check_files(arguments.configfile)
        if not problems:
            config = read_configuration(arguments.configfile, arguments.config)
            problems = check_configuration(config, arguments.schema)
        if problems:
            print(as_table(problems, width=shutil.get_terminal_size().columns))
            raise InputError("configuration", f"has {len(problems)} error(s)", "mend them first")
    findings = examine(config)
    if arguments.settings is None:
        # The plan has judged the whole configuration; a job sees what concerns the input.
        contradictions = check_consistency(config)
        findings = replace(findings, problems=in_order(findings.problems + contradictions))
    if findings.records:
        print(as_text(findings.records) + "\n")
    print(as_table(findings.problems, width=shutil.get_terminal_size().columns))
    sys.stdout.flush()
    wrong = n_errors(findings.problems)
    if wrong:
        raise InputError(
            "input",
            f"has {wrong} error(s), named above",
            "mend them, or leave participants out by exclude, such as exclude: {'07': 'truncated "
            "series'}",
        )
    if arguments.inputs:
        missing = absent_participants(
            study.bids_dir(config),
            {run.participant for run in findings.runs},
            chosen=config["participants"],
            excluded=excluded(config["exclude"]),
        )
        write_json(arguments.inputs, describe(findings, missing=missing))


if __name__ == "__main__":
    run(main)
