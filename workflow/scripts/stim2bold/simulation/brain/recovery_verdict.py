"""When what was planted counts as found, and what was found in a sentence."""

import pandas as pd

from stim2bold.evaluation.headlines import SIGNIFICANT

ELSEWHERE = "elsewhere"
"""Brain more than 12 mm from any planted grey matter."""
FALSE = 0.15
"""Share of the places without a signal that may be significant at most: three times as many as by
chance, since neighbours share their noise."""


def counts(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of planted regions, and those of places where nothing is planted.

    Parameters
    ----------
    table : DataFrame
        Of one unit and model: region, kind (`ELSEWHERE` where nothing is planted), p and q.

    Returns
    -------
    planted, elsewhere : DataFrame
        With the column ``found``.
    """
    elsewhere = table["kind"] == ELSEWHERE
    found = table["p"].where(elsewhere, table["q"]) < SIGNIFICANT
    table = table.assign(found=found)
    return table[~elsewhere], table[elsewhere]


def verdict(table: pd.DataFrame) -> str:
    """Say in a sentence what was found; `table` as for `counts`."""
    planted, elsewhere = counts(table)
    missed = "; ".join(planted.loc[~planted["found"], "region"])
    return (
        f"found {planted['found'].sum()} of {len(planted)} planted regions"
        f"{f' (not {missed})' if missed else ''}; false positives {elsewhere['found'].mean():.1%} "
        f"of {len(elsewhere)} places where nothing was planted (5% expected)"
    )


def faults(table: pd.DataFrame) -> list[str]:
    """Return what is so far from the truth that the analysis must be broken; `table` likewise."""
    planted, elsewhere = counts(table)
    by_kind = planted.groupby("kind", sort=False)["found"].any()
    found = [f"no {kind} region was found" for kind, any_found in by_kind.items() if not any_found]
    share = elsewhere["found"].mean()
    if share > FALSE:
        found.append(f"{share:.0%} of the places where nothing was planted look as if there was")
    return found
