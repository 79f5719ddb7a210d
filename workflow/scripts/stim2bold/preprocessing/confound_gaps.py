"""Gaps in tables of confounds: filled by a stated rule, or refused; never a column lost unsaid.

A regressor with a gap would be NaN throughout once it is centred. Row 0 of derivatives, of
framewise displacement and of DVARS is a gap by nature, and nilearn gives it the value of row 1.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from stim2bold.io.tables import Table, as_number

#: Of the rows after the first: a column with more gaps than this is not guessed.
LARGEST_SHARE = 0.1
RULE = "between its neighbours in time, the ends by the nearest value"


def confounds_of(table: Table, columns: Iterable[str]) -> pd.DataFrame:
    """Return the numbers of some confounds; what is no finite number is NaN.

    Of all columns of a table this takes longer than reading it: half a million numbers.
    """
    return pd.DataFrame(
        {name: [as_number(row[name]) for row in table.rows] for name in columns}, dtype=float
    )


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
