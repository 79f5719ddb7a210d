"""What is wrong with the input: told as a table, all of it at once."""

import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from stim2bold.runtime.errors import InputError

SEVERITIES = ("error", "warning", "note")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes
    ----------
    severity : {'error', 'warning', 'note'}
        Whether the workflow can go on; a note says what is left out as it should be.
    file : str
        Where.
    what : str
        What is wrong with it.
    fix : str
        What the user can do about it.
    """

    severity: str
    file: str
    what: str
    fix: str

    @property
    def message(self) -> str:
        """The problem in one line."""
        return f"{self.file}: {self.what}; {self.fix}"


def error(file: str | Path, what: str, fix: str) -> Problem:
    """Return a problem that the workflow cannot go on with."""
    return Problem("error", str(file), what, fix)


def warning(file: str | Path, what: str, fix: str) -> Problem:
    """Return a problem that the workflow can go on with."""
    return Problem("warning", str(file), what, fix)


def note(file: str | Path, what: str, fix: str) -> Problem:
    """Return what is no problem but must be known."""
    return Problem("note", str(file), what, fix)


def few(names: Iterable[object], *, most: int = 5) -> str:
    """Return names in one line; of many, the first and how many more there are."""
    names = [str(name) for name in names]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def from_refusal(refusal: InputError, file: str | Path) -> Problem:
    """Return the problem that an `InputError` tells of, as one of the file that was looked at."""
    own = refusal.file == str(file)
    return error(file, refusal.what if own else f"{refusal.file}: {refusal.what}", refusal.fix)


def refusals(file: str | Path, *checks: Callable[[], object]) -> list[Problem]:
    """Carry out checks of a file one after the other and return what the first that fails says."""
    try:
        for check in checks:
            check()
    except InputError as refusal:
        return [from_refusal(refusal, file)]
    return []


def n_errors(problems: Iterable[Problem]) -> int:
    """Count the problems that the workflow cannot go on with."""
    return sum(problem.severity == "error" for problem in problems)


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Return problems, errors first, then by file; what is said twice once."""
    return sorted(
        dict.fromkeys(problems),
        key=lambda problem: (SEVERITIES.index(problem.severity), problem.file, problem.what),
    )


def refuse(problems: Iterable[Problem]) -> None:
    """Refuse to go on when there is an error, in one line.

    Raises
    ------
    InputError
        With the first error, and how many there are beside it.
    """
    errors = [problem for problem in in_order(problems) if problem.severity == "error"]
    if errors:
        more = len(errors) - 1
        also = f" ({more} more error{'s' * (more > 1)}: make check lists all)" if more else ""
        raise InputError(errors[0].file, errors[0].what, errors[0].fix + also)


def as_table(problems: list[Problem], *, width: int) -> str:
    """Lay problems out as a table of text: severity, then file, what is wrong and the fix.

    Parameters
    ----------
    problems : list of Problem
    width : int
        Columns of the terminal.
    """
    nothing = all(problem.severity == "note" for problem in problems)
    lines = ["Nothing is wrong."] if nothing else []
    for number, problem in enumerate(problems, start=1):
        head = f"{number:>3}  {problem.severity:<8}"
        parts = ((head, problem.file), ("", problem.what), ("", f"fix: {problem.fix}"))
        for left, text in parts:
            # A path is copied from here: it is never broken.
            wrapped = (
                [text]
                if text is problem.file
                else textwrap.wrap(text, max(40, width - 15), break_long_words=False)
            )
            lines += [
                f"{left if i == 0 else '':<14} {line}".rstrip() for i, line in enumerate(wrapped)
            ]
    return "\n".join(lines)
