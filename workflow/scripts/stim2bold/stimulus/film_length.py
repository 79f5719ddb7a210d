"""How long a film is of which there is no file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stim2bold.runtime.errors import InputError
from stim2bold.stimulus.annotations import read_blocks, read_folder
from stim2bold.stimulus.own_features import read_own_features


def film_length(
    events: Sequence[str | Path],
    tables: Mapping[str, Mapping[str, Any]],
    annotations: str | Path | None,
    *,
    kinds: Sequence[str] | None,
    onsets: Sequence[float],
) -> tuple[float, str]:
    """Return the length of a film in seconds, and what told it.

    Parameters
    ----------
    events : sequence of path
        Events of one participant's runs; none where the film's blocks are not marked.
    tables : mapping
        Section own_features of the configuration.
    annotations : path or None
        Folder of annotations.
    kinds : sequence of str or None
        Kinds of event that are blocks of the film.
    onsets : sequence of float
        Film onset of each of those runs, seconds.

    Returns
    -------
    seconds, told_by
        The end of the last block; where none are marked, that of the user's own tables, the first
        that ends; without them, that of the last annotation.

    Raises
    ------
    InputError
        When nothing tells it.
    """
    if events:
        ends = [
            float(read_blocks(path, kinds)["offset"].max()) - onset
            for path, onset in zip(events, onsets, strict=True)
        ]
        return round(max(ends), 6), "blocks"
    if tables:
        ends = [read_own_features(one["file"], one.get("times")).end for one in tables.values()]
        return round(min(ends), 6), "own_features"
    if annotations is not None:
        ends = [float(table["offset"].max()) for table in read_folder(annotations).values()]
        return round(max(ends), 6), "annotations"
    raise InputError(
        "config.yaml",
        "nothing tells how long the film is",
        "set film, annotations_dir or own_features",
    )
