"""The table at the head of the report: every direction and model at one glance."""

from typing import Any

import pandas as pd

from stim2bold.evaluation.headlines import HEADLINES, ORACLES, role
from stim2bold.models.catalogue import MODELS, direction_label, split_name

#: What is shown of each model, beside its name, by the score that heads the direction.
SHOWN = {
    "r": {
        "r": "r",
        "r_spread": "r_spread",
        "r_low": "r_low",
        "r_high": "r_high",
        "p": "p",
        "p_participants": "p_participants",
        "units_significant": "units_significant",
        "identification": "identification",
        "p_identification": "p_identification",
    },
    "r_within": {
        "r": "r_within",
        "r_spread": "r_within_spread",
        "r_low": "r_within_low",
        "r_high": "r_within_high",
        "p": "p_within",
        "p_participants": "p_within_participants",
        "units_significant": "units_significant_within",
        "identification": "identification_within",
        "p_identification": "p_identification_within",
    },
}

#: The same scores in words for the page.
HEADED = {
    "r": "r over all held-out film",
    "r_within": "r within blocks of one kind: what is known beyond the kind of block",
}


def headline_of(direction: str, known: Any) -> str:
    """Return the score that heads a direction; r where a table has no other.

    Parameters
    ----------
    direction : str
    known : container of str
        Names of the scores at hand.
    """
    headline = HEADLINES[split_name(direction)[1]]
    return headline if headline in known else "r"


def shown_of(row: pd.Series, headline: str) -> dict[str, float | None]:
    """Return what is `SHOWN` of one model; None where it cannot be had."""
    return {key: number(row.get(name)) for key, name in SHOWN[headline].items()}


def number(value: Any) -> float | None:
    """Return a number, or None for what is missing."""
    return None if pd.isna(value) else float(value)


def model_columns(summary: pd.DataFrame) -> dict[str, str]:
    """Return the models that were run, in the order of `MODELS`, each with its words."""
    found = list(dict.fromkeys(summary["model"]))
    order = [name for name in MODELS if name in found]
    order += [name for name in found if name not in MODELS]
    return {name: model_label(name) for name in order}


def model_label(name: str) -> str:
    """Return what a model is called on the page; one that is not in the table, its own name."""
    return MODELS[name].label if name in MODELS else name


def verdict_table(summary: pd.DataFrame, ceiling: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Arrange the summary by direction for the page.

    Parameters
    ----------
    summary : DataFrame
        One row per direction and model, as `stim2bold.evaluation.summary.summarise` returns it.
    ceiling : DataFrame or None
        unit, r, r_low and r_high of each participant: the ceiling of directions that predict BOLD.

    Returns
    -------
    list of dict
        One per direction: ``direction``, ``words``, ``headline`` (which score is shown), ``n``;
        ``models``, by name what is `SHOWN` of each (None where it cannot be had), whether it is an
        ``oracle``, and where its bar and its interval end, as shares of the
        largest number of the direction: ``share``, ``low_share`` and ``high_share``;
        ``ceiling``, likewise; and ``verdict``, a sentence.
    """
    table = []
    for direction, part in summary.groupby("direction", sort=False):
        rows = part.set_index("model")
        headline = headline_of(direction, rows.columns)
        oracles = ORACLES[split_name(direction)[1]]
        models = {
            # An oracle is told what is to be found out: it has its r, and no part in the contest.
            name: {**shown_of(row, "r" if name in oracles else headline), "oracle": name in oracles}
            for name, row in rows.iterrows()
        }
        limit = ceiling_of(direction, ceiling)
        cells = [*models.values(), *([limit] if limit else [])]
        largest = max(max(cell["r"] or 0, cell["r_high"] or 0) for cell in cells)
        for cell in cells:
            for name, key in (("share", "r"), ("low_share", "r_low"), ("high_share", "r_high")):
                # A bar has no negative length.
                cell[name] = max(0.0, (cell[key] or 0) / largest) if largest > 0 else 0.0
        table.append(
            {
                "direction": direction,
                "words": direction_label(direction),
                "headline": HEADED[headline],
                "n": int(part["n"].max()),
                "models": models,
                "ceiling": limit,
                "verdict": verdict(rows),
            }
        )
    return table


def ceiling_of(direction: str, ceiling: pd.DataFrame | None) -> dict[str, Any] | None:
    """Return the ceiling of a direction, like a model; None where there is none."""
    if ceiling is None or ceiling.empty or split_name(direction)[1] != "bold":
        return None
    mean = ceiling[["r", "r_low", "r_high"]].astype(float).mean()
    return {**shown_of(mean, "r"), "oracle": False}


def verdict(rows: pd.DataFrame) -> str:
    """Say in one sentence how the VAE did beside the best of the models without one.

    Parameters
    ----------
    rows : DataFrame
        Of one direction, by model: direction, n, the scores and, where there are several units,
        p_over_MODEL.
    """
    direction = rows["direction"].iloc[0]
    headline, oracles = headline_of(direction, rows.columns), ORACLES[split_name(direction)[1]]
    scores = rows[headline].dropna().astype(float)
    if "vae" not in scores:
        return "The VAE has no score."
    others = scores[[role(name, split_name(direction)[1]) == "baseline" for name in scores.index]]
    if others.empty:
        return "There is no baseline to compare with."
    best = others.idxmax()
    difference = scores["vae"] - others[best]
    relation = "above" if difference > 0 else "below"
    p = number(rows.loc["vae"].get(f"p_over_{best}"))
    chance = "" if p is None else f"; p of being above it {p:.3f}, participants as the sample"
    within = " within blocks" if headline == "r_within" else ""
    return (
        f"The VAE (r{within} = {scores['vae']:.3f}) is {abs(difference):.3f} {relation} the best "
        f"baseline, {model_label(best)} (r = {others[best]:.3f}{chance})."
        f"{significance_sentence(rows.loc['vae'], headline)}{oracle_sentence(rows, oracles)}"
    )


def significance_sentence(row: pd.Series, headline: str) -> str:
    """Say against which samples a model's mean score is significant, and in how many units."""
    found = shown_of(row, headline)
    parts = []
    for key, words in (
        ("p", "for the film as a random sample"),
        ("p_participants", "for participants as one"),
    ):
        if found[key] is not None:
            parts.append(f"p = {found[key]:.3f} {words}")
    if found["units_significant"] is not None and row["n"] > 1:
        parts.append(
            f"significant in {found['units_significant']:.0f} of {row['n']:.0f} participants"
        )
    return f" The VAE: {'; '.join(parts)}." if parts else ""


def oracle_sentence(rows: pd.DataFrame, oracles: tuple[str, ...]) -> str:
    """Say what an oracle has that is told the kind of block, where there is one."""
    known = [name for name in oracles if name in rows.index and pd.notna(rows.loc[name, "r"])]
    return "".join(
        f" An oracle, the {model_label(name)}, is told the kind of block that is to be found "
        f"out: r = {rows.loc[name, 'r']:.3f} over the whole film, nothing within blocks."
        for name in known
    )


def ceiling_sentence(table: pd.DataFrame | None) -> str | None:
    """Say how much of a participant's BOLD the others' tells: the ceiling of what predicts it.

    Parameters
    ----------
    table : DataFrame or None
        unit, r, r_low and r_high of each participant; no row where there are fewer than three;
        None where no BOLD is predicted.
    """
    if table is None:
        return None
    if table.empty:
        return "Ceiling: not available with fewer than three participants."
    mean = table[["r", "r_low", "r_high"]].astype(float).mean()
    return (
        f"Ceiling: the mean of the others correlates with a participant at r = {mean.r:.3f} "
        f"({mean.r_low:.3f} to {mean.r_high:.3f}; leave-one-out inter-subject correlation, mean of "
        f"{len(table)} participants over the same voxels). One viewing, and only what all share: a "
        "lower bound of what can be predicted."
    )


def persistence_sentence(table: pd.DataFrame | None) -> str | None:
    """Say how well each volume is predicted by the one before it, and why that is no rival.

    Parameters
    ----------
    table : DataFrame or None
        unit, r and mse of each participant; None where no BOLD is predicted.
    """
    if table is None:
        return None
    mean = table[["r", "mse"]].astype(float).mean()
    return (
        f"Persistence: the volume before predicts each at r = {mean.r:.3f}, with a mean squared "
        f"error of {mean.mse:.2e} on volumes scaled to 0 and 1. It knows nothing of the film: such "
        "an error says how smooth BOLD is, and is no measure of what a film predicts. No model "
        "here is given a volume of the same participant."
    )


def unit_scores(scores: pd.DataFrame, direction: str) -> dict[str, dict[str, float | None]]:
    """Return what is `SHOWN` of each model for one participant and direction, by model.

    Parameters
    ----------
    scores : DataFrame
        Long form, as score_predictions writes it.
    direction : str
    """
    overall = scores[scores["fold"].astype(str) == "all"]
    wide = overall.pivot_table(
        index="model", columns="measure", values="value", sort=False, dropna=False
    )
    headline, oracles = headline_of(direction, wide.columns), ORACLES[split_name(direction)[1]]
    return {
        model: {**shown_of(row, "r" if model in oracles else headline), "oracle": model in oracles}
        for model, row in wide.iterrows()
    }


def partition_rows(tables: list[pd.DataFrame]) -> list[dict[str, Any]]:
    """Return each feature space's share of what is explained, mean over participants.

    Parameters
    ----------
    tables : list of DataFrame
        One a participant: space, share, low and high; missing where too little is explained.

    Returns
    -------
    list of dict
        ``space``, ``share``, ``low``, ``high``; ``n`` participants have a share, of all ``of``.
    """
    if not tables:
        return []
    keys = ["share", "low", "high"]
    spaces = pd.concat(tables).groupby("space", sort=False)[keys]
    n = spaces.count()["share"]
    return [
        {"space": space, "n": int(n[space]), "of": len(tables)}
        | {key: number(row[key]) for key in keys}
        for space, row in spaces.mean().iterrows()
    ]


#: Of the summary of decoding, what stands on the front page: the mean over labels, and clips.
DECODED = {
    "average_precision": "mean average precision",
    "top1": "right clip first",
    "top5": "right clip among the first five",
}


def decoding_rows(summary: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Return what can be decoded, over participants.

    Parameters
    ----------
    summary : DataFrame or None
        decoding, origin, item, measure, n, value, chance, p and units_significant; of several
        brains together brains and groups; None where nothing was decoded.
    """
    if summary is None:
        return []
    clips = {"fold": "clips, among those of the fold", "film": "clips, among all of the film"}
    rows = []
    for row in summary.to_dict("records"):
        words = {"labels": {"all": "labels"}, "clips": clips}[row["decoding"]].get(row["item"])
        if words is None or row["measure"] not in DECODED:
            continue
        significant = number(row.get("units_significant"))
        rows.append(
            {
                "what": words,
                "origin": str(row["origin"]),
                "measure": DECODED[row["measure"]],
                **{key: number(row.get(key)) for key in ("value", "chance", "p", "p_participants")},
                **{key: row.get(key) for key in ("brains", "groups")},
                "n": int(row["n"]),
                "units": None if significant is None else int(significant),
            }
        )
    return rows


def pooled_rows(table: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Return what several brains tell together, a row for each number of brains.

    Parameters
    ----------
    table : DataFrame or None
        As `stim2bold.evaluation.pooled.score_pooled` returns it, with the direction; None where
        there is none. Of segments those of one kind of block are told apart, where it has them.
    """
    if table is None:
        return []
    inside = "identification_within"
    told = inside if (table["measure"] == inside).any() else "identification"
    rows = []
    for brains, part in table.groupby("brains"):
        models = {}
        for model, own in part.groupby("model", sort=False):
            by_measure = own.set_index("measure")
            models[str(model)] = {
                "r": number(by_measure["value"].get("r_within")),
                **{
                    key: number(by_measure[key].get(told))
                    for key in ("value", "chance_low", "chance_high", "p")
                },
            }
        direction, groups = part[["direction", "groups"]].iloc[0]
        rows.append({"direction": direction, "brains": brains, "groups": groups, "models": models})
    return rows
