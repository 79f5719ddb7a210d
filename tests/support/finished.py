"""A study that Snakemake takes for finished: empty files in place of results, true records.

What is planned next is then read from Snakemake itself, in seconds.
"""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

Snakemake = Callable[..., CompletedProcess]


def finish(snakemake: Snakemake, folder: Path, *arguments: str) -> None:
    """Make every output of the workflow, and the records of the jobs that would have made it.

    Parameters
    ----------
    snakemake : callable
        Runs Snakemake with the arguments it is given, and returns the finished process.
    folder : Path
        Where it runs.
    arguments : str
        What the study is planned with.
    """
    plan = snakemake("-n", "--summary", *arguments)
    assert plan.returncode == 0, plan.stdout + plan.stderr
    for line in plan.stdout.splitlines():
        name = line.split("\t")[0]
        if name.startswith("results/"):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if "." in path.name or path.name == "README":
                path.touch()
            else:
                path.mkdir(exist_ok=True)
    record = snakemake("--touch", "--forceall", "--quiet", "all", *arguments)
    assert record.returncode == 0, record.stdout + record.stderr
