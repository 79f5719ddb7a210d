"""Gaps in tables of confounds: filled by a stated rule, or refused; never a column lost unsaid.

A regressor with a gap would be NaN throughout once it is centred. Row 0 of derivatives, of
framewise displacement and of DVARS is a gap by nature, and nilearn gives it the value of row 1.
"""

import csv
import io
from pathlib import Path

import numpy as np
import pandas as pd

from stim2bold.io.tables import decode, read_bytes
from stim2bold.runtime.errors import InputError

#: Of the rows after the first: a column with more gaps than this is not guessed.
LARGEST_SHARE = 0.1
RULE = "between its neighbours in time, the ends by the nearest value"


def read_confounds(path: str | Path) -> pd.DataFrame:
    """Read a table of confounds; what is no finite number is NaN.

    Raises
    ------
    InputError
        When it is no table: not text in UTF-8, empty, or with rows of unequal length.
    """
    path = Path(path)
    text = decode(read_bytes(path), path).replace("\r\n", "\n").replace("\r", "\n")
    # A line of tabs alone is a row of gaps.
    lines = [line for line in text.split("\n") if line.strip(" ")]
    if not lines:
        raise InputError(path, "is empty, so not a table", "run fMRIPrep again")
    fields = [line.count("\t") + 1 for line in lines]
    odd = next((i for i, n in enumerate(fields) if n != fields[0]), None)
    if odd is not None:
        raise InputError(
            path,
            f"row {odd} has {fields[odd]} fields where the header has {fields[0]}",
            "run fMRIPrep again",
        )
    # Not by `stim2bold.io.tables.read_tsv`: half a million numbers a participant.
    table = pd.read_csv(
        io.StringIO("\n".join(lines)),
        sep="\t",
        na_values=["n/a"],
        quoting=csv.QUOTE_NONE,
        skipinitialspace=True,
    )
    numbers = table.apply(pd.to_numeric, errors="coerce").astype(float)
    return numbers.replace([np.inf, -np.inf], np.nan)


def gaps_after_first(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return, for each column that has them, the rows after the first without a number."""
    missing = table.isna().to_numpy(copy=True)
    missing[:1] = False
    return {
        name: np.flatnonzero(column)
        for name, column in zip(table.columns, missing.T, strict=True)
        if column.any()
    }


def filled(table: pd.DataFrame) -> pd.DataFrame:
    """Fill gaps after row 0 linearly between neighbours; row 0 is left as it is.

    Beyond the last number of a column, that number is held. A column without numbers stays empty.
    """
    if len(table) < 2:
        return table
    later = table.iloc[1:].interpolate(method="linear", limit_direction="both", axis=0)
    return pd.concat([table.iloc[:1], later])


def too_many(rows: np.ndarray, n_rows: int) -> bool:
    """Tell whether a column has more gaps after row 0 than are filled."""
    return len(rows) > LARGEST_SHARE * max(1, n_rows - 1)


def gap_words(name: str, rows: np.ndarray) -> str:
    """Say how many gaps a column has and where the first is."""
    return f"{name} has no number in {len(rows)} row(s), the first is row {rows[0]}"
