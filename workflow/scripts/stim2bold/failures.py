"""Which steps failed, read from Snakemake's own log."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

#: As Snakemake 9 reports a job that failed, on this machine or on a cluster.
REPORT = re.compile(
    r"^ *Error in rule (?P<rule>\w+):\n(?:(?! *Error in rule).*\n)+? +output: (?P<output>.*)\n"
    r" +log: (?P<log>.*?)(?: \(check log file\(s\).*)?$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Failure:
    """A step that failed.

    Attributes
    ----------
    rule : str
        Its rule.
    log : str
        The file that says why.
    participant : str or None
        Label without ``sub-`` of the participant whose results are missing; None where it is
        everybody's.
    """

    rule: str
    log: str
    participant: str | None


def failures(text: str, *, folder: Path = Path()) -> list[Failure]:
    """Return the steps that failed and were not made good by another attempt.

    Parameters
    ----------
    text : str
        Snakemake's log.
    folder : Path
        Where it ran: a step whose output lies there has succeeded in the end.

    Returns
    -------
    list of Failure
        Each once, in the order in which they failed.
    """
    found = {}
    for match in REPORT.finditer(text):
        first = match["output"].split(", ")[0]
        label = re.search(r"sub-([A-Za-z0-9]+)", first)
        if not (folder / first).exists():
            step = Failure(match["rule"], match["log"], label[1] if label else None)
            found[step] = None
    return list(found)


def advice(failed: Iterable[Failure], participants: list[str]) -> str:
    """Say which participants failed, where, and how to go on with or without them.

    Parameters
    ----------
    failed : iterable of Failure
        What failed.
    participants : list of str
        Labels of all participants of the study.

    Returns
    -------
    str
        A few lines.
    """
    failed = list(failed)
    lines = [
        f"{f'participant {step.participant}' if step.participant else 'all participants'}: "
        f"{step.rule} failed; {step.log} says why"
        for step in failed
    ]
    lines.append("Mend that and run the same command again; what is finished is kept.")
    out = {step.participant for step in failed}
    left = [label for label in participants if label not in out]
    if None not in out and out and left:
        names = ",".join(f"'{label}'" for label in left)
        lines.append(f'To go on without them, add --config "participants=[{names}]".')
    return "\n".join(lines)
