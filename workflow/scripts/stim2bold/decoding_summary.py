"""Decoded labels and retrieved clips over participants."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from stim2bold.label_scores import over_folds, shifted_gains
from stim2bold.significance import participants_p, reached

COLUMNS = ["decoding", "origin", "item", "measure", "n", "value", "spread", "chance", "p"]
COLUMNS += ["p_participants", "units_significant"]

#: Observed gain of a label, mean over units, and that of each shift.
Gain = tuple[float, np.ndarray]


def shared_shifts(timelines: list[pd.DataFrame], *, tr: float, period: float) -> dict[str, Gain]:
    """Return the gain of each label over units, and of the same shifts of the film in all of them.

    Everybody saw the same film, so that shifts are the same too: the mean over units of a shift's
    gains is what chance gives to the mean over units, the film as a random sample.

    Parameters
    ----------
    timelines : list of DataFrame
        One a unit: onset, fold, label, probability, present (`stim2bold.label_timeline`).
    tr, period : float
        As for `stim2bold.label_scores.shifted_gains`.

    Returns
    -------
    dict
        By label, of those that were decoded at the same moments in all units; and ``all``, their
        mean, of those that were decoded throughout.
    """
    by_label: dict[str, list[pd.DataFrame]] = {}
    for table in timelines:
        for label, part in table.groupby("label", sort=False):
            by_label.setdefault(label, []).append(part.sort_values("onset"))
    found: dict[str, Gain] = {}
    for label, parts in by_label.items():
        same = all(np.array_equal(part["onset"], parts[0]["onset"]) for part in parts)
        if len(parts) != len(timelines) or not same:
            continue
        present, fold = parts[0]["present"].to_numpy(), parts[0]["fold"].to_numpy()
        observed, null = [], []
        for part in parts:
            score = part["probability"].to_numpy()
            precision, base = over_folds(present[None], score, fold)
            observed.append(precision[0] - base[0])
            null.append(shifted_gains(present, score, fold, tr=tr, period=period))
        if np.isfinite(observed).all() and len(null[0]):
            found[label] = float(np.mean(observed)), np.mean(null, axis=0)
    longest = max((len(null) for _, null in found.values()), default=0)
    whole = [gain for gain in found.values() if len(gain[1]) == longest]
    if whole:
        observed, null = zip(*whole, strict=True)
        found["all"] = float(np.mean(observed)), np.mean(null, axis=0)
    return found


def summarise_decoding(
    labels: pd.DataFrame,
    clips: pd.DataFrame,
    *,
    gains: Mapping[str, Mapping[str, Gain]] | None = None,
    nulls: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return one row for each measure of each label, and of each way of looking for clips.

    Parameters
    ----------
    labels : DataFrame
        `stim2bold.label_scores.score_labels` of all units, with the columns unit and origin; may
        be empty.
    clips : DataFrame
        Scores of `stim2bold.clip_retrieval.retrieve_clips` of all units, with the column unit; may
        be empty.
    gains : mapping of origin to `shared_shifts` of its units, optional
    nulls : DataFrame, optional
        Of clips: candidates, measure, shift and value of all units (`judge_clips`).

    Returns
    -------
    DataFrame
        Columns decoding (``labels``, ``clips``), origin (``video``, ``bold``), item (the label,
        ``all`` for the mean over labels; ``fold`` or ``film`` for clips), measure, n (units), value
        (mean over units), spread (their standard deviation), chance (mean over units), p (the film
        as a random sample: the mean over units against that of the same shifts; of a single unit
        its own), p_participants (participants as a random sample, who see this film, by Student's
        t of their distances from chance), units_significant (units with p < 0.05, for labels
        q < 0.05).
    """
    rows = [*label_rows(labels, gains or {}), *clip_rows(clips, nulls)]
    return pd.DataFrame(rows, columns=COLUMNS)


def spread(values: np.ndarray) -> float:
    """Return the standard deviation over units; of one unit there is none."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")


def label_rows(labels: pd.DataFrame, gains: Mapping[str, Mapping[str, Gain]]) -> list[tuple]:
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
        p = float(scored["p"].iloc[0])
        if len(scored) > 1:
            known = gains.get(origin, {}).get(label)
            p = reached(*known) if known else np.nan
        known = scored["q"].notna().any()
        rows.append(
            (
                *("labels", origin, label, "average_precision", len(scored)),
                *(precision.mean(), spread(precision), chance.mean(), p),
                participants_p(precision - chance),
                int((scored["q"] < 0.05).sum()) if known else np.nan,
            )
        )
        for measure in ("brier_skill", "calibration_error"):
            values = scored[measure].dropna().to_numpy()
            if len(values):
                rows.append(
                    (
                        *("labels", origin, label, measure, len(values)),
                        *(values.mean(), spread(values), np.nan, np.nan, np.nan, np.nan),
                    )
                )
    return rows


def clip_rows(clips: pd.DataFrame, nulls: pd.DataFrame | None) -> list[tuple]:
    """Return the rows of `summarise_decoding` for clips."""
    if clips.empty:
        return []
    rows = []
    for (candidates, measure), part in clips.groupby(["candidates", "measure"], sort=False):
        better = -1 if measure == "median_rank" else 1
        value, chance = part["value"].to_numpy(), part["chance"].to_numpy()
        p = float(part["p"].iloc[0])
        if len(part) > 1:
            p = np.nan
            if nulls is not None and not nulls.empty:
                own = nulls[(nulls.candidates == candidates) & (nulls.measure == measure)]
                drawn = own.groupby("shift")["value"].agg(["mean", "count"])
                # Whoever saw less of the film has fewer shifts.
                drawn = drawn.loc[drawn["count"] == len(part), "mean"].to_numpy()
                p = reached(better * value.mean(), better * drawn)
        rows.append(
            (
                *("clips", "bold", candidates, measure, len(part)),
                *(value.mean(), spread(value), chance.mean(), p),
                *(participants_p(better * (value - chance)), int((part["p"] < 0.05).sum())),
            )
        )
    return rows
