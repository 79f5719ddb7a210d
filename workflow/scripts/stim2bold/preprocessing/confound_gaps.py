"""Gaps in tables of confounds: filled by a stated rule, or refused; never a column lost unsaid.

A regressor with a gap would be NaN throughout once it is centred. Row 0 of derivatives, of
framewise displacement and of DVARS is a gap by nature, and nilearn gives it the value of row 1.
"""

import numpy as np
import pandas as pd

from stim2bold.io.tables import Table, as_number

#: Of the rows after the first: a column with more gaps than this is not guessed.
LARGEST_SHARE = 0.1
RULE = "between its neighbours in time, the ends by the nearest value"


def confounds_of(table: Table) -> pd.DataFrame:
    """Return the numbers of a table of confounds; what is no finite number is NaN."""
    columns = {
        name: [np.nan if number is None else number for number in map(as_number, cells)]
        for name in table.columns
        if (cells := [row[name] for row in table.rows])
    }
    return pd.DataFrame(columns, columns=list(table.columns), dtype=float)


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
