"""What the check has read, one record a file, for a person to look through in a minute."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import av

from stim2bold.io.tables import read_tsv
from stim2bold.preprocessing.scan_clock import sidecar_TR
from stim2bold.runtime.errors import InputError
from stim2bold.runtime.issues import Problem, error, few, warning
from stim2bold.stimulus.annotations import annotation_files
from stim2bold.stimulus.film import choose_stream, open_film
from stim2bold.study.bids import Run, volume_reference
from stim2bold.study.check_run import Header
from stim2bold.study.fmriprep import needed_columns
from stim2bold.study.sidecars import read_sidecars


def clock_of(run: Run) -> dict[str, Any]:
    """Return the TR that a run's sidecars give, whence, and the instant its volumes stand for.

    A sidecar that cannot be read gives nothing: the check of the run says why.
    """
    said: dict[str, Any] = {"TR": None, "TR_from": None, "volume_instant": None}
    for path in run.sidecars:
        with suppress(InputError):
            said |= {"TR": sidecar_TR(read_sidecars([path]), path), "TR_from": str(path)}
    if said["TR"] is not None:
        with suppress(InputError):
            said["volume_instant"] = volume_reference(run, said["TR"])
    return said


def run_record(run: Run, header: Header | None, onset: float | None) -> dict[str, Any]:
    """Return what is known of a run.

    Parameters
    ----------
    run : Run
    header : Header or None
        None where the series cannot be opened.
    onset : float or None
        Film onset in seconds.
    """
    clock, n_volumes = clock_of(run), header.n_volumes if header else None
    seconds = round(n_volumes * clock["TR"], 3) if n_volumes and clock["TR"] else None
    return {
        "kind": "run",
        "name": run.name,
        "file": str(run.bold),
        **clock,
        "volumes": n_volumes,
        "seconds": seconds,
        "echoes": len(run.echoes) or 1,
        "voxel": [float(edge) for edge in header.voxel] if header else None,
        "film_onset": onset,
        "events": str(run.events) if run.events else None,
        "t1w": str(run.t1w) if run.t1w else None,
        "confounds": str(run.confounds) if run.confounds else None,
    }


def film_record(path: Path, streams: dict[str, int]) -> dict[str, Any]:
    """Return what the film's container says; a stream that is not there is left out."""
    record: dict[str, Any] = {"kind": "film", "name": path.name, "file": str(path)}
    try:
        with open_film(path) as container:
            if container.duration:
                record["seconds"] = round(container.duration / av.time_base, 3)
            for kind in ("video", "audio"):
                if streams[kind] is None or len(getattr(container.streams, kind)) <= streams[kind]:
                    continue
                stream = choose_stream(container, kind, streams[kind])
                if kind == "video":
                    record |= {"size": [stream.width, stream.height]}
                    record |= {"frames": stream.frames or None}
                else:
                    record |= {"channels": stream.channels, "rate": stream.rate}
    except InputError:
        # The check of the film says why.
        pass
    return record


def table_record(
    kind: str, path: Path, *, wanted: str | None = None, kinds: list[str] | None = None
) -> dict[str, Any] | None:
    """Return how many rows a table has and how many are used; None for one that cannot be read.

    Parameters
    ----------
    kind : str
        What it is a table of.
    path : Path
    wanted : str, optional
        The column without which a row is not used.
    kinds : list of str, optional
        The values of that column that are used; None for all.
    """
    try:
        table = read_tsv(path)
    except InputError:
        return None
    record = {"kind": kind, "name": path.name, "file": str(path), "rows": len(table.rows)}
    if table.empty:
        record["empty_lines"] = table.empty
    if wanted is None:
        return record
    labels = [row.get(wanted) for row in table.rows]
    used = [label for label in labels if label is not None and (kinds is None or label in kinds)]
    missing = [n for n, label in zip(table.lines, labels, strict=True) if label is None]
    counts = {label: used.count(label) for label in dict.fromkeys(used)}
    others = sorted({label for label in labels if label is not None} - set(counts))
    record |= {"used": len(used), "kinds": counts, "not_used": others}
    return record | {"missing_in_lines": missing}


def confounds_record(path: Path, *, strategy: str, motion: str) -> dict[str, Any] | None:
    """Return the rows of a table of confounds, and the columns that the strategy names."""
    record = table_record("confounds", path)
    if record is None:
        return None
    columns = read_tsv(path).columns
    named = [name for name in needed_columns(strategy, motion) if name in columns]
    if strategy == "compcor":
        named += [name for name in columns if name.startswith("a_comp_cor_")]
    return record | {"columns": named}


def records_of(
    runs: list[Run],
    headers: list[Header],
    onsets: dict[str, float],
    config: dict[str, Any],
    *,
    film: Path | None,
    annotations: Path | None,
    participants: Path,
) -> list[dict[str, Any]]:
    """Return one record for each run, the film, and each table that is read.

    Parameters
    ----------
    runs : list of Run
    headers : list of Header
        Of those that can be opened.
    onsets : dict
        Film onset of each run.
    config : dict
        The configuration.
    film, annotations : Path or None
    participants : Path
        The table participants.tsv, which need not be there.
    """
    header_of = {header.run.name: header for header in headers}
    records = [run_record(run, header_of.get(run.name), onsets.get(run.name)) for run in runs]
    if film is not None:
        records.append(film_record(film, config["streams"]))
    kinds, cleaning = config["blocks"]["kinds"], config["preprocessing"]["cleaning"]
    found = [
        table_record("events", path, wanted="trial_type", kinds=kinds)
        for path in dict.fromkeys(run.events for run in runs if run.events)
    ]
    found += [
        confounds_record(path, strategy=cleaning["strategy"], motion=cleaning["motion"])
        for path in dict.fromkeys(run.confounds for run in runs if run.confounds)
    ]
    for kind in ("video", "sound") if annotations else ():
        found += [table_record(kind, path) for path in annotation_files(annotations, kind)]
    if participants.is_file():
        found.append(table_record("participants", participants))
    return records + [record for record in found if record is not None]


def left_out(
    records: list[dict[str, Any]], kinds: list[str] | None, *, speech: list[str]
) -> list[Problem]:
    """Say which rows of events are not used, and which kinds of block are never shown.

    Parameters
    ----------
    records : list of dict
        As `records_of` returns them.
    kinds : list of str or None
        blocks.kinds of the configuration.
    speech : list of str
        sounds.speech of the configuration; empty where no sound is predicted.
    """
    events = [record for record in records if record["kind"] == "events"]
    shown = {kind for record in events for kind in record["kinds"]}
    others = sorted({kind for record in events for kind in record["not_used"]})
    problems = [
        error(
            "config.yaml",
            f"blocks.kinds names {kind!r}, which no event is",
            f"correct it (other kinds there: {few(others) or 'none'})",
        )
        for kind in (kinds or [] if events else [])
        if kind not in shown
    ]
    problems += [
        warning(
            "config.yaml",
            f"sounds.speech names {kind!r}, which no event is: no sound is scored as that",
            f"correct it (kinds there: {few(sorted(shown)) or 'none'}), or set sounds.speech to []",
        )
        for kind in (speech if events else [])
        if kind not in shown
    ]
    return problems + [
        warning(
            record["file"],
            f"{len(record['missing_in_lines'])} of {record['rows']} events have no trial_type "
            f"(n/a or nothing) and are left out: line {few(record['missing_in_lines'])}",
            "give them one if they are blocks of the film",
        )
        for record in records
        if record.get("missing_in_lines")
    ]
