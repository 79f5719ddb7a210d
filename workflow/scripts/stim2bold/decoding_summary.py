"""Decoded labels and retrieved clips over participants."""

import numpy as np
import pandas as pd

from stim2bold.significance import sign_flip_p

COLUMNS = ["decoding", "origin", "item", "measure", "n", "value", "spread", "chance", "p"]
COLUMNS += ["units_significant"]


def summarise_decoding(labels: pd.DataFrame, clips: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each measure of each label, and of each way of looking for clips.

    Parameters
    ----------
    labels : DataFrame
        `stim2bold.label_scores.score_labels` of all units, with the columns unit and origin; may
        be empty.
    clips : DataFrame
        Scores of `stim2bold.clip_retrieval.retrieve_clips` of all units, with the column unit; may
        be empty.

    Returns
    -------
    DataFrame
        Columns decoding (``labels``, ``clips``), origin (``video``, ``bold``), item (the label,
        ``all`` for the mean over labels; ``fold`` or ``film`` for clips), measure, n (units), value
        (mean over units), spread (their standard deviation), chance (mean over units), p (that the
        units' distances from chance are centred at 0, by flipping their signs, one-sided; of a
        single unit its own), units_significant (units with p < 0.05, for labels q < 0.05).
    """
    rows = [*label_rows(labels), *clip_rows(clips)]
    return pd.DataFrame(rows, columns=COLUMNS)


def spread(values: np.ndarray) -> float:
    """Return the standard deviation over units; of one unit there is none."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")


def label_rows(labels: pd.DataFrame) -> list[tuple]:
    """Return the rows of `summarise_decoding` for labels."""
    if labels.empty:
        return []
    whole = labels[(labels["fold"].astype(str) == "all") & (labels["status"] == "decoded")]
    wide = whole.pivot_table(
        index=["origin", "label", "unit"], columns="measure", values="value", dropna=False
    ).reindex(columns=["average_precision", "chance", "p", "q", "brier_skill", "calibration_error"])
    rows = []
    for (origin, label), part in wide.groupby(level=["origin", "label"], sort=False):
        scored = part.dropna(subset=["average_precision"])
        if scored.empty:
            continue
        precision, chance = (scored[name].to_numpy() for name in ("average_precision", "chance"))
        if len(scored) > 1:
            p = sign_flip_p(precision - chance, seed=1)
        else:
            p = float(scored["p"].iloc[0])
        known = scored["q"].notna().any()
        rows.append(
            (
                *("labels", origin, label, "average_precision", len(scored)),
                *(precision.mean(), spread(precision), chance.mean(), p),
                int((scored["q"] < 0.05).sum()) if known else np.nan,
            )
        )
        for measure in ("brier_skill", "calibration_error"):
            values = scored[measure].dropna().to_numpy()
            if len(values):
                rows.append(
                    (
                        *("labels", origin, label, measure, len(values)),
                        *(values.mean(), spread(values), np.nan, np.nan, np.nan),
                    )
                )
    return rows


def clip_rows(clips: pd.DataFrame) -> list[tuple]:
    """Return the rows of `summarise_decoding` for clips."""
    if clips.empty:
        return []
    rows = []
    for (candidates, measure), part in clips.groupby(["candidates", "measure"], sort=False):
        better = -1 if measure == "median_rank" else 1
        value, chance = part["value"].to_numpy(), part["chance"].to_numpy()
        p = float(part["p"].iloc[0])
        if len(part) > 1:
            p = sign_flip_p(better * (value - chance), seed=1)
        rows.append(
            (
                *("clips", "bold", candidates, measure, len(part)),
                *(value.mean(), spread(value), chance.mean(), p, int((part["p"] < 0.05).sum())),
            )
        )
    return rows
