"""Decoded labels as text: a long table, and for each TR the labels that stand out."""

import numpy as np
import pandas as pd
import xarray as xr

COLUMNS = ["onset", "duration", "fold", "label", "probability", "share", "present"]


def long_timeline(
    decoded: xr.DataArray, present: np.ndarray, share: np.ndarray, *, tr: float
) -> pd.DataFrame:
    """Return one row for each TR and each label that could be decoded there.

    Parameters
    ----------
    decoded : DataArray, dims (time, feature)
        Probabilities of held-out rows, with the coordinate fold; NaN where not decodable.
    present, share : ndarray, shape as `decoded`
        Truth (1 or 0), and the share of the rows fitted that hold the label.
    tr : float
        Seconds.

    Returns
    -------
    DataFrame
        Columns as `COLUMNS`, in order of time; onset and duration in seconds of the film.
    """
    rows, labels = np.nonzero(np.isfinite(decoded.values))
    return pd.DataFrame(
        {
            "onset": (decoded["time"].values[rows] - tr / 2).round(6),
            "duration": tr,
            "fold": decoded["fold"].values[rows],
            "label": decoded["feature"].values[labels].astype(str),
            "probability": decoded.values[rows, labels].round(4),
            "share": share[rows, labels].round(4),
            "present": present[rows, labels].astype(int),
        },
        columns=COLUMNS,
    )


def log_odds(probability: np.ndarray) -> np.ndarray:
    """Return log odds; certainty is held to what four digits can tell."""
    p = np.clip(probability, 1e-4, 1 - 1e-4)
    return np.log(p / (1 - p))


def captions(timeline: pd.DataFrame, *, most: int = 5) -> pd.DataFrame:
    """Say for each TR what was decoded and what was there.

    Parameters
    ----------
    timeline : DataFrame
        As `long_timeline` returns it.
    most : int
        Labels named at most.

    Returns
    -------
    DataFrame
        Columns onset, duration, fold, decoded (``label (probability)``, those whose probability
        exceeds their share of the training rows, the greatest gain in log odds first) and present
        (all labels that are there, of those that could be decoded), names separated by ``, ``.
    """
    gain = log_odds(timeline["probability"].to_numpy()) - log_odds(timeline["share"].to_numpy())
    rows = []
    for (onset, duration, fold), part in timeline.assign(gain=gain).groupby(
        ["onset", "duration", "fold"], sort=True
    ):
        named = part[part["gain"] > 0].sort_values(["gain", "label"], ascending=[False, True])
        there = part.loc[part["present"] == 1, "label"]
        rows.append(
            {
                "onset": onset,
                "duration": duration,
                "fold": fold,
                "decoded": ", ".join(
                    f"{row.label} ({row.probability:.2f})" for row in named[:most].itertuples()
                ),
                "present": ", ".join(sorted(there)),
            }
        )
    return pd.DataFrame(rows, columns=["onset", "duration", "fold", "decoded", "present"])
