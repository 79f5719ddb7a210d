"""Who is in a data set, in its participants.tsv, and in the study."""

import contextlib
from dataclasses import replace
from pathlib import Path

from stim2bold.io.tables import read_tsv
from stim2bold.runtime.errors import InputError
from stim2bold.runtime.issues import Problem, from_refusal, warning
from stim2bold.study.bids import Run
from stim2bold.study.bids_index import participants_of


def absent_participants(
    bids_dir: str | Path,
    present: set[str],
    *,
    chosen: str | list[str],
    excluded: dict[str, str],
) -> list[dict[str, str]]:
    """Say who is in the data set but not in the study, and why.

    Parameters
    ----------
    bids_dir : str or Path
        The data set: its folders ``sub-*`` and its participants.tsv are looked at.
    present : set of str
        Labels, without ``sub-``, of those who are in the study.
    chosen : 'all' or list of str
        Whom the configuration names.
    excluded : dict of str to str
        Whom it leaves out, and why; single runs are nobody.

    Returns
    -------
    list of dict
        ``participant`` (``sub-LABEL``) and ``reason``, sorted.
    """
    root = Path(bids_dir)
    labels = {path.name for path in root.glob("sub-*") if path.is_dir()}
    if (root / "participants.tsv").is_file():
        # The validation warns of one that is no table of participants.
        with contextlib.suppress(InputError):
            table = read_tsv(root / "participants.tsv", needed=["participant_id"])
            labels |= {row["participant_id"] for row in table.rows if row["participant_id"]}
    excluded = participants_of(excluded)
    labels = {label.removeprefix("sub-") for label in labels} | set(excluded)
    other = (
        "no BOLD run that the configuration selects"
        if chosen == "all"
        else "not named by 'participants' in the configuration"
    )
    return [
        {"participant": f"sub-{label}", "reason": excluded.get(label, other)}
        for label in sorted(labels - present)
    ]


def check_participants(root: Path, runs: list[Run]) -> list[Problem]:
    """Check that participants.tsv, where there is one, has everybody."""
    path = root / "participants.tsv"
    if not path.is_file():
        return []
    try:
        named = {row["participant_id"] for row in read_tsv(path, needed=["participant_id"]).rows}
    except InputError as refusal:
        # Nothing of it is used but who is named.
        return [replace(from_refusal(refusal, path), severity="warning")]
    absent = sorted({run.participant for run in runs} - {str(n)[4:] for n in named if n})
    if not absent:
        return []
    return [
        warning(
            path,
            f"has no row for participant {', '.join(absent)}",
            "add one, other BIDS tools need it",
        )
    ]
