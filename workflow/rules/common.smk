"""Functions that the rules share; no rule stands here."""

import ast
import functools
import json
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

PROJECT = Path(workflow.basedir)
SCRIPTS = PROJECT / "workflow" / "scripts"
sys.path.insert(0, str(SCRIPTS))

from stim2bold import bids  # noqa: E402
from stim2bold.errors import InputError  # noqa: E402


@functools.cache
def imported(source):
    """Return the project's own modules that a Python file imports, as paths."""
    names = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names |= {node.module} | {
                f"{node.module}.{alias.name}" for alias in node.names
            }
    paths = {SCRIPTS.joinpath(*name.split(".")).with_suffix(".py") for name in names}
    return frozenset(path for path in paths if path.is_file())


@functools.cache
def code(script):
    """Return a script and all of the project that it imports, script first.

    Declared as an input, so that an edit of any of them reruns the rule, and an edit of anything
    else does not.
    """
    script = SCRIPTS / script
    found, waiting = {script}, [script]
    while waiting:
        new = imported(waiting.pop()) - found
        found |= new
        waiting += sorted(new)
    ordered = [script, *sorted(found - {script})]
    return [os.path.relpath(path) for path in ordered]


def project_file(name):
    """Return a file of the project, from wherever the workflow runs."""
    return os.path.relpath(PROJECT / name)


def section(name, **extra):
    """Return one section of the configuration, with what a rule adds to it, as one JSON string.

    One string, because Snakemake compares a rule's params as a set: among several, a change to a
    value that another already has would go unseen.
    """
    return json.dumps({**config[name], **extra}, sort_keys=True)


def memory(mb):
    """Return a resource function: `mb` megabytes, doubled at each further attempt."""
    return lambda wildcards, attempt: mb * 2 ** (attempt - 1)


def minutes(n):
    """Return a resource function: `n` minutes, doubled at each further attempt."""
    return lambda wildcards, attempt: n * 2 ** (attempt - 1)


SIMULATED = config["bids_dir"] is None
# The data set the analysis reads, as it would read anybody's.
STUDY = {
    "bids_dir": "results/simulated/bids" if SIMULATED else config["bids_dir"],
    "participants": config["participants"],
    "selection": config["selection"],
    "n_simulated": config["simulation"]["participants"] if SIMULATED else None,
}
try:
    RUNS = {run.name: run for run in bids.study_runs(**STUDY)}
    TR = (
        config["simulation"]["TR"]
        if SIMULATED
        else bids.repetition_time([*RUNS.values()][0])
    )
    FILM = bids.film_path(config["film"], config["bids_dir"])
    ANNOTATIONS = bids.annotations_path(config["annotations_dir"], **STUDY)
except InputError as error:
    raise WorkflowError(str(error)) from None

TIMING = {"TR": TR, **config["timing"]}

PARTICIPANTS = sorted({run.participant for run in RUNS.values()})
EVENTS = next(iter(RUNS.values())).events
# A direction that has no brain in it is learned once, for the film.
UNITS = {
    direction: (
        ["film"] if "bold" not in direction else [f"sub-{p}" for p in PARTICIPANTS]
    )
    for direction in config["directions"]
}


wildcard_constraints:
    participant="[A-Za-z0-9]+",
    folder="sub-[A-Za-z0-9]+(/ses-[A-Za-z0-9]+)?",
    run="sub-[A-Za-z0-9]+_[A-Za-z0-9_-]*task-[A-Za-z0-9]+[A-Za-z0-9_-]*",
    anat="sub-[A-Za-z0-9]+(_[A-Za-z0-9]+-[A-Za-z0-9]+)*",
    direction="|".join(config["directions"]),
    unit="film|sub-[A-Za-z0-9]+",
    model="[a-z0-9_-]+",


def bold_of(wildcards):
    """Return the raw series of {run}."""
    return RUNS[wildcards.run].bold


def bold_json_of(wildcards):
    """Return the sidecar of {run}'s raw series."""
    return RUNS[wildcards.run].sidecar


def t1w_of(wildcards):
    """Return the raw T1w image named {anat}."""
    return next(run.t1w for run in RUNS.values() if run.anat == wildcards.anat)


def anat_of_run(run):
    """Return folder/anat/name of the T1w image that serves a run, or None where there is none."""
    run = RUNS[run]
    return f"{run.anat_folder}/anat/{run.anat}" if run.anat else None


def runs_of(participant):
    """Return (folder, run) of each run of a participant."""
    return [
        (run.folder, run.name)
        for run in RUNS.values()
        if run.participant == participant
    ]


def report_path(words):
    """Say where the report lies."""
    print(f"{words} {os.path.abspath('results/report/index.html')}", file=sys.stderr)


def failure_advice(log):
    """Say how to go on after a failure."""
    print(
        "A step failed: its error stands in the log named above. Mend it and run the same command "
        "again; what is finished is kept.",
        file=sys.stderr,
    )
