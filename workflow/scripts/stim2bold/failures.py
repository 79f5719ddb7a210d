"""Whose jobs failed, and why: read from Snakemake's log, told to the user and the group level."""

import re
from pathlib import Path

RULE = re.compile(r"^\[?.*?Error in (?:rule|group job) (\w+):|^RuleException in rule (\w+)")
LOG = re.compile(r"^\s+log: (.+?)(?: \(check log file\(s\).*\))?$")
PARTICIPANT = re.compile(r"sub-([A-Za-z0-9]+)")


def reason(log: Path) -> str:
    """Return what a job's log says last: our own one line where there is one."""
    if not log.is_file():
        return "its log is not there"
    lines = [
        line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines()
    ]
    said = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return (said or [line for line in lines if line] or ["its log is empty"])[-1]


def failed_participants(snakemake_log: str | Path, root: str | Path = ".") -> dict[str, str]:
    """Return the participants whose jobs failed in a run, each with the rule and the reason.

    Parameters
    ----------
    snakemake_log : str or Path
        Log of the run.
    root : str or Path
        The folder that the workflow ran in.

    Returns
    -------
    dict of str to str
        By label, in order of the first failure. Jobs of the whole study are not in it.
    """
    failed: dict[str, str] = {}
    rule = None
    for line in Path(snakemake_log).read_text(encoding="utf-8", errors="replace").splitlines():
        if found := RULE.match(line):
            rule = found[1] or found[2]
        elif rule and (found := LOG.match(line)):
            # The rules name their logs after the participant.
            participant = PARTICIPANT.search(found[1]) or (
                re.search(
                    r"extract_bold/([A-Za-z0-9]+)\.log|simulate_participant/(\w+)\.log", found[1]
                )
            )
            if participant:
                label = next(part for part in participant.groups() if part)
                failed.setdefault(label, f"{rule} failed: {reason(Path(root) / found[1])}")
            rule = None
    return failed


def advice(failed: dict[str, str]) -> str:
    """Say whose jobs failed and how to go on."""
    lines = [f"participant {label}: {why}" for label, why in failed.items()]
    return "\n".join(
        [
            *lines,
            "With --keep-going the others are finished. Mend the data and run the same command "
            "again; or go on without them by --config failed=leave_out",
        ]
    )
