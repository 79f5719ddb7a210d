"""What the check has read, as text: for `make check` and the report."""

from pathlib import Path
from typing import Any


def as_lines(records: list[dict[str, Any]]) -> list[list[str]]:
    """Return the runs as rows of text under a header; for make check and the report."""
    events = {record["file"]: record for record in records if record["kind"] == "events"}
    tables = {record["file"]: record for record in records if record["kind"] == "confounds"}
    rows = [
        ["run", "TR (s)", "from", "volumes", "seconds", "film at (s)", "events", "T1w", "confounds"]
    ]
    for record in (record for record in records if record["kind"] == "run"):
        blocks = events.get(record["events"])
        table = tables.get(record["confounds"])
        rows.append(
            [
                record["name"],
                _shown(record["TR"]),
                # The star stands for the run.
                Path(record["TR_from"]).name.replace(record["name"], "*")
                if record["TR_from"]
                else "-",
                _shown(record["volumes"])
                + (f" x {record['echoes']} echoes" if record["echoes"] > 1 else ""),
                _shown(record["seconds"]),
                _shown(record["film_onset"]),
                f"{blocks['used']} of {blocks['rows']}: "
                + ", ".join(f"{n} {kind}" for kind, n in blocks["kinds"].items())
                if blocks
                else "-",
                Path(record["t1w"]).name if record["t1w"] else "-",
                f"{table['rows']} rows, {len(table['columns'])} used" if table else "-",
            ]
        )
    return rows


def others(records: list[dict[str, Any]]) -> list[str]:
    """Return the film and the tables that are not of one run, a line each; annotations in one."""
    lines = []
    for film in (record for record in records if record["kind"] == "film"):
        said = [f"{film['seconds']:g} s"] if film.get("seconds") else []
        if "size" in film:
            frames = f", {film['frames']} frames" if film["frames"] else ""
            said.append("{} x {}{}".format(*film["size"], frames))
        if "channels" in film:
            said.append(f"{film['channels']} channel(s) of sound at {film['rate']} Hz")
        lines.append(f"film {film['name']}: {'; '.join(said)}")
    for kind in ("video", "sound"):
        tables = [record for record in records if record["kind"] == kind]
        if tables:
            rows = sum(record["rows"] for record in tables)
            lines.append(f"annotations of {kind}: {len(tables)} table(s), {rows} rows")
    lines += [
        f"features {record['name']}: {record['rows']} rows, {record['columns']} columns, to "
        f"{record['seconds']:g} s"
        for record in records
        if record["kind"] == "features"
    ]
    lines += [
        f"participants.tsv: {record['rows']} rows"
        for record in records
        if record["kind"] == "participants"
    ]
    return lines


def as_text(records: list[dict[str, Any]]) -> str:
    """Lay the records out for a terminal."""
    rows = as_lines(records)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([*(lines if len(rows) > 1 else []), *others(records)])


def _shown(number: float | None) -> str:
    return "-" if number is None else f"{number:g}"
