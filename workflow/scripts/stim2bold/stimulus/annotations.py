"""Annotations of the film and blocks of the design, as fractions of each TR."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from stim2bold.io.presence import hidden
from stim2bold.io.tables import numbers, read_tsv
from stim2bold.runtime.errors import InputError
from stim2bold.stimulus.feature_tables import volume_table
from stim2bold.stimulus.timing import Timing, coverage

# The columns a table of each kind may have; onset and offset it must have.
COLUMNS = {"video": {"onset", "offset"}, "sound": {"item", "onset", "offset"}}


@dataclass(frozen=True, kw_only=True)
class AnnotationSettings:
    """How annotations become features.

    Parameters
    ----------
    coding : {'coverage', 'onset', 'duration'}
        What a table's column says of a TR: the fraction of it that is covered by an event (1 at
        most, however many overlap); the number of events that begin in it; or the summed length in
        seconds of the events that begin in it.
    """

    coding: str

    def __post_init__(self) -> None:
        if self.coding not in ("coverage", "onset", "duration"):
            raise ValueError(f"coding must be coverage, onset or duration, not {self.coding!r}")


def read_events(path: str | Path, kind: str) -> pd.DataFrame:
    """Read one annotation table.

    Parameters
    ----------
    path : str or Path
        Tab-separated, with the columns onset and offset in seconds of film time.
    kind : {'video', 'sound'}
        A sound table may have a column item.

    Returns
    -------
    DataFrame
        onset, offset and, where there is one, item: '' where it is missing.

    Raises
    ------
    InputError
        For columns missing or unknown, and for times that are not numbers or go backwards.
    """
    table = read_tsv(path, needed=("onset", "offset"))
    if unknown := set(table.columns) - COLUMNS[kind]:
        raise InputError(
            path,
            f"has unknown column(s) {', '.join(sorted(unknown))}",
            f"a {kind} annotation has {', '.join(sorted(COLUMNS[kind]))}: remove the others",
        )
    onset, offset = (np.array(numbers(table, name)) for name in ("onset", "offset"))
    if (backwards := np.flatnonzero(offset < onset)).size:
        row = int(backwards[0])
        raise InputError(
            path,
            (
                f"the event in line {table.lines[row]} ends ({offset[row]}) before it begins "
                f"({onset[row]})"
            ),
            "mend the line",
        )
    columns = {"onset": onset.astype(float), "offset": offset.astype(float)}
    if "item" in table.columns:
        columns["item"] = np.array([row["item"] or "" for row in table.rows], dtype=object)
    return pd.DataFrame(columns)


def feature_name(path: str | Path, kind: str) -> str:
    """Name of a table's feature: 'video/facial expression' of 'video_annotation_facial ...tsv'."""
    return f"{kind}/{Path(path).stem.removeprefix(f'{kind}_annotation_')}"


def annotation_files(folder: str | Path, kind: str) -> list[Path]:
    """Return the tables of one kind in a folder of annotations, in order; hidden files are none."""
    return sorted(path for path in (Path(folder) / kind).glob("*.tsv") if not hidden(path.name))


def read_sound_tables(folder: str | Path | None) -> dict[str, pd.DataFrame]:
    """Read the tables of sound by what their names say, such as ``words``.

    Raises
    ------
    InputError
        When there are no annotations, or a table cannot be used.
    """
    if folder is None:
        raise InputError(
            "annotations_dir",
            "the words of the film are asked for, and it has no annotations",
            "set annotations_dir to the folder with the sub-folders video and sound",
        )
    return {
        path.stem.removeprefix("sound_annotation_"): read_events(path, "sound")
        for path in annotation_files(folder, "sound")
    }


def read_folder(folder: str | Path) -> dict[str, pd.DataFrame]:
    """Read every table in the sub-folders video and sound.

    Returns
    -------
    dict of str to DataFrame
        By feature name, in alphabetical order, video first.

    Raises
    ------
    InputError
        When there is none, or one cannot be used.
    """
    folder = Path(folder)
    tables = {
        feature_name(path, kind): read_events(path, kind)
        for kind in ("video", "sound")
        for path in annotation_files(folder, kind)
    }
    if not tables:
        raise InputError(
            folder,
            "holds no annotation (video/*.tsv, sound/*.tsv)",
            "set 'annotations_dir' to the folder that does",
        )
    return tables


def code_events(
    onsets: np.ndarray, offsets: np.ndarray, edges: np.ndarray, coding: str
) -> np.ndarray:
    """Turn the events of one table into one value per TR.

    Parameters
    ----------
    onsets, offsets : ndarray of shape (n_events,)
        Film times, seconds.
    edges : ndarray of shape (n_rows + 1,)
        Where the TRs start and end.
    coding : str
        See `AnnotationSettings`.

    Returns
    -------
    ndarray of shape (n_rows,)
        Events beyond the scan do not count.
    """
    if coding == "coverage":
        return coverage(onsets, offsets, edges)
    row = np.searchsorted(edges, onsets, side="right") - 1
    within = (row >= 0) & (row < len(edges) - 1)
    weights = None
    if coding == "duration":
        weights = (np.minimum(offsets, edges[-1]) - onsets)[within]
    return np.bincount(row[within], weights=weights, minlength=len(edges) - 1).astype(float)


def tabulate(
    tables: dict[str, pd.DataFrame],
    settings: AnnotationSettings,
    *,
    timing: Timing,
    duration: float,
) -> xr.DataArray:
    """Tabulate annotations at the TRs.

    Parameters
    ----------
    tables : dict of str to DataFrame
        As `read_folder` returns them.
    settings : AnnotationSettings
        Coding.
    timing : Timing
        TR and onset of the film.
    duration : float
        Length of the film, seconds.

    Returns
    -------
    DataArray, dims (time, feature)
    """
    edges = timing.edges(timing.n_rows(duration))
    columns = [
        code_events(table["onset"].to_numpy(), table["offset"].to_numpy(), edges, settings.coding)
        for table in tables.values()
    ]
    units = {"coverage": "fraction of the TR", "onset": "events", "duration": "s"}
    return volume_table(
        np.stack(columns, axis=1),
        list(tables),
        timing=timing,
        duration=duration,
        attributes={"coding": settings.coding, "units": units[settings.coding]},
    )


def read_blocks(path: str | Path, kinds: Sequence[str] | None = None) -> pd.DataFrame:
    """Read the blocks of an events.tsv; an event whose trial_type is missing is no block.

    Parameters
    ----------
    path : str or Path
        The table.
    kinds : sequence of str, optional
        The trial_type of the events that are blocks of the film; None takes all.

    Returns
    -------
    DataFrame
        onset and offset in seconds of SCAN time, and trial_type.

    Raises
    ------
    InputError
        When a column or a time of a block is missing.
    """
    table = read_tsv(path, needed=("onset", "duration", "trial_type"))
    labels = [row["trial_type"] for row in table.rows]
    rows = [row for row, label in enumerate(labels) if label is not None]
    if kinds is not None:
        there = ", ".join(dict.fromkeys(labels[row] for row in rows)) or "none"
        rows = [row for row in rows if labels[row] in kinds]
        if not rows:
            raise InputError(
                path,
                f"holds no event of the kinds {', '.join(kinds)} (there is: {there})",
                "correct blocks.kinds",
            )
    if not rows:
        raise InputError(path, "holds no event with a trial_type", "give each block its line")
    onset, duration = (np.array(numbers(table, name, rows=rows)) for name in ("onset", "duration"))
    if (wrong := np.flatnonzero(onset + duration <= onset)).size:
        row = int(wrong[0])
        raise InputError(
            path,
            f"the block at {onset[row]:g} s lasts {duration[row]:g} s",
            "give each block its length in seconds",
        )
    return pd.DataFrame(
        {
            "onset": onset,
            "offset": onset + duration,
            "trial_type": [labels[row] for row in rows],
        }
    )


def tabulate_blocks(blocks: pd.DataFrame, *, timing: Timing, duration: float) -> xr.DataArray:
    """Tabulate the blocks of the design at the TRs.

    Parameters
    ----------
    blocks : DataFrame
        As `read_blocks` returns it.
    timing : Timing
        TR and onset of the film.
    duration : float
        Length of the film, seconds.

    Returns
    -------
    DataArray, dims (time, feature)
        One column per trial_type, in order of appearance: fraction of the TR it covers.
    """
    edges = timing.edges(timing.n_rows(duration))
    names = list(dict.fromkeys(blocks["trial_type"]))
    columns = []
    for name in names:
        own = blocks[blocks["trial_type"] == name]
        columns.append(
            coverage(
                own["onset"].to_numpy() - timing.film_onset,
                own["offset"].to_numpy() - timing.film_onset,
                edges,
            )
        )
    return volume_table(
        np.stack(columns, axis=1),
        names,
        timing=timing,
        duration=duration,
        attributes={"coding": "coverage", "units": "fraction of the TR"},
    )
