"""When a planted region counts as found, and what a map found in a sentence."""

import pandas as pd

ELSEWHERE = "elsewhere"
"""Brain more than 12 mm from any planted grey matter."""
SIGNIFICANT = 0.05
"""Of the false-discovery rate q."""
FOUND = 0.1
"""Share of a region's voxels that must be significant for the region to count as found."""


def false_discoveries(table: pd.DataFrame) -> float:
    """Return the share of significant voxels that lie elsewhere; 0 where none is significant.

    Parameters
    ----------
    table : DataFrame
        Of one map, from `region_table`. Voxels near a planted region, which are blurred into it,
        count neither way.
    """
    significant = table["significant"].sum()
    elsewhere = table.loc[table["region"] == ELSEWHERE, "significant"].sum()
    return float(elsewhere / significant) if significant else 0.0


def verdict(table: pd.DataFrame) -> str:
    """Say in a sentence what a map found.

    Parameters
    ----------
    table : DataFrame
        Of one map, from `region_table`.
    """
    regions = table[table["region"] != ELSEWHERE]
    found = regions.loc[regions["found"].astype(bool), "region"]
    missed = "; ".join(regions.loc[~regions["found"].astype(bool), "region"])
    return (
        f"found {len(found)} of {len(regions)} planted regions"
        f"{f' (not {missed})' if missed else ''}; false discoveries {false_discoveries(table):.1%}"
    )
