"""Check the data set and the film before anything is computed from them."""

import argparse
import json
import logging
from pathlib import Path

from stim2bold.bids import study_runs
from stim2bold.command import run
from stim2bold.errors import InputError
from stim2bold.files import write_json
from stim2bold.inputs import check_study, describe_study

logger = logging.getLogger("validate_inputs")


def main() -> None:
    """Read the command line, check, and write what was found; errors end with exit code 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--film", type=Path, required=True)
    parser.add_argument("--inputs", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--settings", type=json.loads, required=True, help="study and timing")
    arguments = parser.parse_args()
    TR = arguments.settings["timing"]["TR"]
    runs = study_runs(**arguments.settings["study"])
    problems = check_study(runs, TR=TR, film=arguments.film)
    for problem in problems:
        logger.warning("%s: %s", problem.severity, problem.message)
    n_errors = sum(problem.severity == "error" for problem in problems)
    if n_errors:
        raise InputError(f"{n_errors} problem(s) in the input, named above; mend them first")
    write_json(arguments.inputs, describe_study(runs, TR=TR, problems=problems))


if __name__ == "__main__":
    run(main)
