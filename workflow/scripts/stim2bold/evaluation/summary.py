"""Scores of all units in one table, a row for each direction and model."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from stim2bold.evaluation.headlines import HEADLINES, SIGNIFICANT, role
from stim2bold.evaluation.significance import participants_p, reached
from stim2bold.models.catalogue import split_name

# Of each score that is tested, how its p and the number of units with p < 0.05 are called.
TESTED = {
    "r": ("p", "units_significant"),
    "r_within": ("p_within", "units_significant_within"),
    "identification": ("p_identification", "units_identified"),
    "identification_within": ("p_identification_within", "units_identified_within"),
}


def summarise(
    scores: pd.DataFrame, nulls: Mapping[tuple[str, str], xr.DataArray] | None = None
) -> pd.DataFrame:
    """Return one row per direction and model: the mean over the units.

    Parameters
    ----------
    scores : DataFrame
        Long form: unit, direction, model, fold, measure, value, unit_of_measure, n.
    nulls : mapping of (direction, unit) to DataArray of dims (model, measure, surrogate), optional
        Scores of the surrogates, which are the same for all units.

    Returns
    -------
    DataFrame
        Columns direction, model, role (``oracle`` for what is told what it should find out, else
        ``model`` or ``baseline``), headline (the measure by which models of the direction are
        compared), n (number of units); for each measure MEASURE (mean over units) and
        MEASURE_spread (standard deviation over units). A score that no unit has is missing.

        Each p of several units stands for the *film* as a random sample: the mean over units of
        the scores against the mean over units of the same surrogates. P_participants is that of
        *participants* as a random sample, who see the same film (`participants_p`), and
        units_significant and its like count the units whose own p is below 0.05.

        skill_over_MODEL, for each model but the VAEs and the oracles: mean headline score less that
        model's, over the units that have both; p_over_MODEL: its p, participants as a random
        sample.
    """
    overall = scores[scores.fold.astype(str) == "all"]
    wide = overall.pivot_table(
        index=["direction", "unit"], columns=["model", "measure"], values="value", dropna=False
    )
    models = list(dict.fromkeys(overall.model))
    measures = list(dict.fromkeys(overall.measure))
    rows = []
    for direction in dict.fromkeys(overall.direction):
        part = wide.loc[direction]
        target = split_name(direction)[1]
        headline = HEADLINES[target]
        here = overall[overall.direction == direction]
        units = here.groupby("model")["unit"].nunique()
        for model in (name for name in models if name in units.index):
            row = {
                "direction": direction,
                "model": model,
                "role": role(model, target),
                "headline": headline,
                "n": int(units[model]),
            }
            row |= means(part, model, measures)
            row |= tests(part, model, direction, nulls or {})
            row |= skills(part, model, models, headline=headline, target=target)
            rows.append(row)
    return pd.DataFrame(rows)


def is_p(measure: str) -> bool:
    """Tell whether a measure is a p, which is no score to be averaged."""
    return measure == "p" or measure.startswith("p_")


def means(part: pd.DataFrame, model: str, measures: list[str]) -> dict[str, float]:
    """Return mean and spread over units of each measure of a model."""
    row = {}
    for measure in measures:
        if (model, measure) not in part or is_p(measure):
            continue
        values = part[model, measure].dropna()
        row[measure] = values.mean()
        row[f"{measure}_spread"] = values.std(ddof=1) if len(values) > 1 else np.nan
    return row


def tests(
    part: pd.DataFrame, model: str, direction: str, nulls: Mapping[tuple[str, str], xr.DataArray]
) -> dict[str, float]:
    """Return the p of a model's scores: film and participants as random samples."""
    row = {}
    for measure, (name, number) in TESTED.items():
        if (model, name) not in part:
            continue
        own = part[model, name].dropna()
        row[number] = int((own < SIGNIFICANT).sum())
        values = part[model, measure].dropna() if (model, measure) in part else own[:0]
        row[name] = np.nan
        if len(own) == 1:
            row[name] = own.iloc[0]
        elif len(values) and all((direction, unit) in nulls for unit in values.index):
            drawn = [
                nulls[direction, unit].sel(model=model, measure=measure).values
                for unit in values.index
            ]
            row[name] = reached(values.mean(), np.mean(drawn, axis=0, dtype=np.float64))
        chance = f"{measure}_chance"
        level = part.get((model, chance), 0.0)
        above = (part[model, measure] - level).dropna() if len(values) else values
        row[f"{name}_participants"] = participants_p(above.to_numpy())
    return row


def skills(
    part: pd.DataFrame, model: str, models: list[str], *, headline: str, target: str
) -> dict[str, float]:
    """Return how much better a model is than each baseline, by the headline score."""
    # A table without the headline's measure is compared by r.
    measure = headline if (model, headline) in part else "r"
    row = {}
    for other in models:
        if role(other, target) != "baseline" or (other, measure) not in part:
            continue
        skill = (part[model, measure] - part[other, measure]).dropna().to_numpy()
        if part[other, measure].notna().any():
            row[f"skill_over_{other}"] = skill.mean() if len(skill) else np.nan
            row[f"p_over_{other}"] = participants_p(skill)
    return row


def participants_table(inputs: dict) -> pd.DataFrame:
    """Return who is in the study and who is not.

    Parameters
    ----------
    inputs : dict
        Content of inputs.json.

    Returns
    -------
    DataFrame
        participant_id, included (yes or no) and reason, in order of the labels.
    """
    rows = [(f"sub-{label}", "yes", "n/a") for label in inputs["participants"]]
    rows += [(row["participant"], "no", row["reason"]) for row in inputs["missing"]]
    return pd.DataFrame(sorted(rows), columns=["participant_id", "included", "reason"])
