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
            # On a cluster the rule's own log is followed by the cluster's.
            log = match["log"].split(", ")[0]
            step = Failure(match["rule"], log, label[1] if label else None)
            found[step] = None
    return list(found)


def reason(log: Path) -> str:
    """Return what a step's log says last: our own one line where there is one."""
    if not log.is_file():
        return f"{log} is not there"
    lines = [
        line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines()
    ]
    said = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    last = [line for line in lines if line][-1:]
    # A step of ours that ends by itself leaves one of these.
    if not said and not any(line.startswith(("Traceback", "cancelled")) for line in lines):
        last_word = f'the last line is "{last[0]}"' if last else "the log is empty"
        return (
            f"it does not say why ({last_word}): most often memory or the time limit ran out and "
            "the step was killed; free memory, or give it more by --set-resources RULE:mem_mb=N or "
            "RULE:runtime=MINUTES"
        )
    return (said or last)[-1]


def told(failed: Iterable[Failure], *, folder: Path = Path()) -> dict[str | None, str]:
    """Return what failed of each participant first, and why; of everybody under None.

    Parameters
    ----------
    failed : iterable of Failure
    folder : Path
        Where the workflow ran.
    """
    found: dict[str | None, str] = {}
    for step in failed:
        found.setdefault(step.participant, f"{step.rule} failed: {reason(folder / step.log)}")
    return found


def advice(found: dict[str | None, str]) -> str:
    """Say which participants failed and why, and how to go on with or without them.

    Parameters
    ----------
    found : dict
        As `told` returns it.

    Returns
    -------
    str
        A few lines.
    """
    lines = [
        f"{'all participants' if label is None else f'participant {label}'}: {why}"
        for label, why in found.items()
    ]
    lines.append(
        "Mend what failed (its log says why) and run the same command again; what is finished is "
        "kept."
    )
    if found and None not in found:
        lines.append(
            "With --keep-going the others are finished; to go on without those that failed, add "
            "--config failed=leave_out"
        )
    return "\n".join(lines)
