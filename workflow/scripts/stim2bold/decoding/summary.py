"""Decoded labels and retrieved clips over participants."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from stim2bold.decoding.label_scores import label_spectrum, p_of_phases
from stim2bold.evaluation.headlines import SIGNIFICANT
from stim2bold.evaluation.significance import Terms, participants_p, reached

COLUMNS = ["decoding", "origin", "item", "measure", "n", "value", "spread", "chance", "p"]
COLUMNS += ["p_participants", "units_significant"]


def film_p(timelines: list[pd.DataFrame], *, spread: float) -> dict[str, float]:
    """Return the p of each label over units, the film as a random sample.

    Everybody saw the same film, so that chance is the same in all: a surrogate turns the phases of
    all units' log odds alike, and the mean correlation over units is judged by the mean of its
    cross spectra, as of voxels (`stim2bold.evaluation.group_map.film_test`).

    Parameters
    ----------
    timelines : list of DataFrame
        One a unit: onset, fold, label, probability, present (`stim2bold.decoding.label_timeline`).
    spread : float
        How much wider chance is than random phases tell, mean over units.

    Returns
    -------
    dict
        By label, of those that were decoded at the same moments in all units; and ``all``, their
        mean, of those that were decoded throughout. NaN where no unit's decoder varies.
    """
    by_label: dict[str, list[pd.DataFrame]] = {}
    for table in timelines:
        for label, part in table.groupby("label", sort=False):
            by_label.setdefault(label, []).append(part.sort_values("onset"))
    spectra: dict[str, tuple[np.ndarray, Terms]] = {}
    for label, parts in by_label.items():
        same = all(np.array_equal(part["onset"], parts[0]["onset"]) for part in parts)
        if len(parts) != len(timelines) or not same:
            continue
        fold = parts[0]["fold"].to_numpy()
        found = [
            label_spectrum(part["present"].to_numpy(), part["probability"].to_numpy(), fold, fold)
            for part in parts
        ]
        spectra[label] = np.mean([cross for cross, _ in found], axis=0), found[0][1]
    longest = max((len(cross) for cross, _ in spectra.values()), default=0)
    whole = [one for one in spectra.values() if len(one[0]) == longest]
    if whole:
        spectra["all"] = np.mean([cross for cross, _ in whole], axis=0), whole[0][1]
    return {label: p_of_phases(*one, spread=spread) for label, one in spectra.items()}


def summarise_decoding(
    labels: pd.DataFrame,
    clips: pd.DataFrame,
    *,
    film: Mapping[str, Mapping[str, float]] | None = None,
    nulls: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return one row for each measure of each label, and of each way of looking for clips.

    Parameters
    ----------
    labels : DataFrame
        `stim2bold.decoding.label_scores.score_labels` of all units, with the columns unit and
        origin; may be empty.
    clips : DataFrame
        Scores of `stim2bold.decoding.clip_scores.retrieve_clips` of all units, with the column
        unit; may be empty.
    film : mapping of origin to `film_p` of its units, optional
    nulls : DataFrame, optional
        Of clips: candidates, measure, draw and value of all units (`retrieve_clips`).

    Returns
    -------
    DataFrame
        Columns decoding (``labels``, ``clips``), origin (``video``, ``bold``), item (the label,
        ``all`` for the mean over labels; ``fold`` or ``film`` for clips), measure, n (units), value
        (mean over units), spread (their standard deviation), chance (mean over units), p (the film
        as a random sample: the mean over units against that of the same surrogates of labels, of
        the same draws of clips; of a single unit its own), p_participants (participants as a
        random sample, who see this film, by Student's t of their distances from chance),
        units_significant (units with p < 0.05, for labels q < 0.05).
    """
    rows = [*label_rows(labels, film or {}), *clip_rows(clips, nulls)]
    return pd.DataFrame(rows, columns=COLUMNS)


def spread(values: np.ndarray) -> float:
    """Return the standard deviation over units; of one unit there is none."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")


def label_rows(labels: pd.DataFrame, film: Mapping[str, Mapping[str, float]]) -> list[tuple]:
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
            p = film.get(origin, {}).get(label, np.nan)
        known = scored["q"].notna().any()
        rows.append(
            (
                *("labels", origin, label, "average_precision", len(scored)),
                *(precision.mean(), spread(precision), chance.mean(), p),
                participants_p(precision - chance),
                int((scored["q"] < SIGNIFICANT).sum()) if known else np.nan,
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
                drawn = own.groupby("draw")["value"].agg(["mean", "count"])
                # Whoever saw less of the film has fewer draws.
                drawn = drawn.loc[drawn["count"] == len(part), "mean"].to_numpy()
                p = reached(better * value.mean(), better * drawn)
        rows.append(
            (
                *("clips", "bold", candidates, measure, len(part)),
                *(value.mean(), spread(value), chance.mean(), p),
                *(participants_p(better * (value - chance)), int((part["p"] < SIGNIFICANT).sum())),
            )
        )
    return rows
