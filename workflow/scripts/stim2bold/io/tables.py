"""Tables as BIDS defines them: tab-separated text, ``n/a`` where a value is missing.

A quotation mark is a letter like any other, blanks at the ends of a field are not part of it, and a
line is a row. So every line of a file is a row, a line without content, or refused by its number.
"""

import csv
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from stim2bold.runtime.errors import InputError

#: What stands for a missing value, in small letters. Not "nan" or "null", which are words.
MISSING = {"", "n/a"}
NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
#: Beginnings of files that are no text, and what they are.
MARKS = {
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "a spreadsheet or zip archive",
}


@dataclass(frozen=True)
class Table:
    """A table of text.

    Attributes
    ----------
    path : Path
        Its file.
    columns : tuple of str
        Names, each once.
    rows : tuple of dict
        Text by column; None where a value is missing.
    lines : tuple of int
        Where in the file each row stands, from 1.
    empty : int
        Lines without content, which are no rows.
    """

    path: Path
    columns: tuple[str, ...]
    rows: tuple[dict[str, str | None], ...]
    lines: tuple[int, ...]
    empty: int


def decode(content: bytes, path: Path) -> str:
    """Return the text of a file.

    Raises
    ------
    InputError
        When it is not UTF-8; what it looks like is named, with the command that converts it.
    """
    kind = next((name for mark, name in MARKS.items() if content.startswith(mark)), None)
    if kind is None and b"\0" in content:
        # Text of a small alphabet has a zero in every other byte.
        halves = (content[::2].count(0), content[1::2].count(0))
        kind = "UTF-16" if max(halves) > 0.4 * len(content) else "no text, it holds zero bytes"
    if kind == "UTF-16":
        raise InputError(path, "is UTF-16, not UTF-8", _conversion("UTF-16", path))
    if kind is not None:
        raise InputError(path, f"is {kind}, not text", "save it as text in UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        raise InputError(
            path,
            (
                f"is not UTF-8 (line {line}, byte 0x{content[fault.start]:02x}), probably Latin-1 "
                "or Windows-1252"
            ),
            _conversion("WINDOWS-1252", path),
        ) from None


def _conversion(encoding: str, path: Path) -> str:
    name = shlex.quote(path.name)
    return (
        f"save it as UTF-8, by an editor or: iconv -f {encoding} -t UTF-8 {name} > new.tsv "
        f"&& mv new.tsv {name}"
    )


def read_bytes(path: Path) -> bytes:
    """Return the content of a file.

    Raises
    ------
    InputError
        When it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as fault:
        raise InputError(
            path, f"cannot be read ({fault.strerror})", "mend the path or permissions"
        ) from None


def read_tsv(path: str | Path, *, needed: Iterable[str] = ()) -> Table:
    """Read a table.

    Parameters
    ----------
    path : str or Path
        Lines may end as on any system, and the text may begin with a byte order mark.
    needed : iterable of str
        Columns that must be there.

    Raises
    ------
    InputError
        For what is no table of text: another encoding or separator, no header, a name given
        twice, a row longer or shorter than the header.
    """
    path = Path(path)
    text = decode(read_bytes(path), path)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    full = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    if not full:
        raise InputError(
            path, "is empty, so not a tab-separated table", "give it a header and rows"
        )
    columns = _header(full[0][1], path, needed=list(needed))
    rows = []
    for number, line in full[1:]:
        cells = [value(cell) for cell in _cells(line, len(columns))]
        if any(cell is not None for cell in cells[len(columns) :]) or len(cells) < len(columns):
            raise InputError(
                path,
                f"line {number} has {len(cells)} fields where the header has {len(columns)}",
                "separate the fields by one tab each, and write n/a where a value is missing",
            )
        rows.append(cells[: len(columns)])
    unnamed = [place for place, name in enumerate(columns) if not name]
    for place in unnamed:
        filled = [number for (number, _), row in zip(full[1:], rows, strict=True) if row[place]]
        if filled:
            raise InputError(
                path,
                f"column {place + 1} has no name but a value in line {filled[0]}",
                "name it in the header or remove it",
            )
    return Table(
        path,
        tuple(name for name in columns if name),
        tuple(
            {name: cell for name, cell in zip(columns, row, strict=True) if name} for row in rows
        ),
        tuple(number for number, _ in full[1:]),
        # A line break at the end of a file begins no line.
        len(lines) - len(full) - (lines[-1] == ""),
    )


def value(cell: str) -> str | None:
    """Return a field without blanks at its ends; None for a missing value."""
    cell = cell.strip().strip("\ufeff")
    return None if cell.casefold() in MISSING else cell


def _cells(line: str, n_columns: int) -> list[str]:
    """Cut a line at its tabs; where that gives too many fields, not within quotation marks.

    BIDS escapes a tab within a field by quotation marks around the field. They are heeded within
    one line only, and only where the line has no other reading; the tab becomes a blank.
    """
    cells = line.split("\t")
    if len(cells) > n_columns and '"' in line:
        try:
            quoted = next(csv.reader([line], delimiter="\t", strict=True))
        except csv.Error:
            return cells
        if len(quoted) == n_columns:
            return [cell.replace("\t", " ") for cell in quoted]
    return cells


def _header(line: str, path: Path, *, needed: list[str]) -> list[str]:
    """Return the names of the columns; what cannot be a header is refused."""
    names = [cell.strip().strip("\ufeff") for cell in line.split("\t")]
    if twice := sorted({name for name in names if name and names.count(name) > 1}):
        raise InputError(
            path,
            f"has {names.count(twice[0])} columns {twice[0]!r}",
            "give each column a name of its own",
        )
    missing = [name for name in needed if name not in names]
    if not missing:
        return names
    what = f"has no column {', '.join(missing)}"
    if len(names) == 1 and any(mark in line for mark in ",;"):
        mark = max(",;", key=line.count)
        fix = f"its fields are separated by '{mark}': separate them by tabs"
    elif all(NUMBER.fullmatch(name) for name in names):
        fix = "its first line is numbers: put a line with the columns' names above"
    elif {name.strip("\"'") for name in names} >= set(needed):
        fix = "its names stand in quotation marks: write the table without (R: quote = FALSE)"
    elif {name.casefold() for name in names} >= {name.casefold() for name in needed}:
        fix = "write the names in small letters"
    elif len(names) == 1 and " " in line.strip():
        fix = "its fields are separated by blanks: separate them by tabs"
    else:
        fix = f"it has {', '.join(name or '(no name)' for name in names)}: name them in its header"
    raise InputError(path, what, fix)


def as_number(text: str | None) -> float | None:
    """Return the number that a field holds, or None."""
    if text is None or not NUMBER.fullmatch(text):
        return None
    number = float(text)
    return number if abs(number) < float("inf") else None


def numbers(table: Table, column: str, *, rows: Iterable[int] | None = None) -> list[float]:
    """Return a column of numbers.

    Parameters
    ----------
    table : Table
    column : str
        Its name.
    rows : iterable of int, optional
        Which rows; None takes all.

    Raises
    ------
    InputError
        When a value is missing or not a finite number, by its line.
    """
    found = []
    for row in range(len(table.rows)) if rows is None else rows:
        text = table.rows[row][column]
        number = as_number(text)
        if number is None:
            said = "'n/a', not a number" if text is None else f"{text!r}, not a number"
            comma = text is not None and NUMBER.fullmatch(text.replace(",", ".", 1))
            raise InputError(
                table.path,
                f"{column} in line {table.lines[row]} is {said}",
                "write a point for the comma" if comma else "mend or remove the line",
            )
        found.append(number)
    return found
