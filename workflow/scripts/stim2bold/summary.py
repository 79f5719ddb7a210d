"""Scores of all units in one table, a row for each direction and model."""

import numpy as np
import pandas as pd

from stim2bold.significance import sign_flip_p

# Each p, the measure that it judges, and the number of units in which it is below 0.05.
TESTED = {
    "p": ("r", "units_significant"),
    "p_within": ("r_within", "units_significant_within"),
}


def summarise(scores: pd.DataFrame) -> pd.DataFrame:
    """Return one row per direction and model: the mean over the units.

    Parameters
    ----------
    scores : DataFrame
        Long form: unit, direction, model, fold, measure, value, unit_of_measure, n.

    Returns
    -------
    DataFrame
        Columns direction, model, n (number of units); for each measure MEASURE (mean over units)
        and MEASURE_spread (standard deviation over units); skill_over_MODEL for each model but
        the VAEs: mean r less that model's, over the units that have both; and p_over_MODEL, its
        one-sided p by flipping the signs of units. p and p_within are not averaged: of several
        units they are those of r and r_within by sign flips, and units_significant counts the units
        with p < 0.05 (units_significant_within: with p_within).
    """
    overall = scores[scores.fold.astype(str) == "all"]
    wide = overall.pivot_table(
        index=["direction", "unit"], columns=["model", "measure"], values="value", dropna=False
    )
    models = list(dict.fromkeys(overall.model))
    measures = list(dict.fromkeys(overall.measure))
    baselines = [model for model in models if not model.startswith("vae")]
    rows = []
    for direction in dict.fromkeys(overall.direction):
        part = wide.loc[direction]
        for model in models:
            if (model, "r") not in part or part[model, "r"].isna().all():
                continue
            row = {"direction": direction, "model": model, "n": int(part[model, "r"].count())}
            for measure in measures:
                if (model, measure) not in part:
                    continue
                values = part[model, measure].dropna()
                if measure in TESTED:
                    judged, number = TESTED[measure]
                    row[number] = int((values < 0.05).sum())
                    r = part[model, judged].dropna().to_numpy()
                    row[measure] = values.iloc[0] if len(values) == 1 else sign_flip_p(r, seed=1)
                    continue
                row[measure] = values.mean()
                row[f"{measure}_spread"] = values.std(ddof=1) if len(values) > 1 else np.nan
            for baseline in baselines:
                if (baseline, "r") in part:
                    skill = (part[model, "r"] - part[baseline, "r"]).dropna().to_numpy()
                    row[f"skill_over_{baseline}"] = skill.mean() if len(skill) else np.nan
                    if len(skill) > 1:
                        row[f"p_over_{baseline}"] = sign_flip_p(skill, seed=1)
            rows.append(row)
    return pd.DataFrame(rows)


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
