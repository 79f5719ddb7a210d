"""The file .bidsignore of a data set: what is not part of it, in the syntax of .gitignore."""

import re
from collections.abc import Callable
from pathlib import Path

from stim2bold.io.tables import decode, read_bytes
from stim2bold.runtime.errors import InputError


def ignored(root: Path) -> Callable[[str], bool]:
    """Return a function that tells whether a data set ignores a path relative to it.

    Raises
    ------
    InputError
        When there is a .bidsignore that is no text.
    """
    path = root / ".bidsignore"
    if not path.is_file():
        return lambda name: False
    rules = []
    for line in decode(read_bytes(path), path).splitlines():
        line = line.strip()
        if line and not line.startswith("#"):
            rules.append((not line.startswith("!"), _expression(line.removeprefix("!"))))

    def tell(name: str) -> bool:
        """Tell it of a path; the last rule that fits it, or a folder above it, holds."""
        return next((ignore for ignore, rule in reversed(rules) if rule.match(name)), False)

    return tell


def _characters(part: str) -> str:
    """Return what a set of characters in brackets stands for."""
    other, inner = part.startswith("[!"), part[1:-1].removeprefix("!")
    # Python may some day take these for operations on sets.
    inner = re.sub(r"([\[&~|])", r"\\\1", inner)
    return f"[{'^' if other else ''}{inner}]"


def _expression(pattern: str) -> re.Pattern[str]:
    """Return what a pattern of .gitignore stands for: a path, or all that lies below it."""
    below = pattern.endswith("/")
    pattern = pattern.rstrip("/")
    anchored = "/" in pattern
    parts = []
    for part in re.split(r"(\*\*/|/\*\*$|\*|\?|\[[^\]]*\])", pattern.lstrip("/")):
        parts.append(
            {"**/": "(?:.*/)?", "/**": "/.*", "*": "[^/]*", "?": "[^/]"}.get(part)
            or (_characters(part) if part.startswith("[") else re.escape(part))
        )
    start = "" if anchored else "(?:.*/)?"
    try:
        return re.compile(f"{start}{''.join(parts)}{'/.*' if below else '(?:/.*)?'}\\Z")
    except re.error as fault:
        raise InputError(
            ".bidsignore", f"{pattern} is no pattern ({fault})", "correct it"
        ) from None
