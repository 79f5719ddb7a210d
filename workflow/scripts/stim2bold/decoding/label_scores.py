"""How well labels were decoded: average precision against chance, calibration."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from stim2bold.decoding.label_timeline import log_odds
from stim2bold.evaluation.headlines import SIGNIFICANT
from stim2bold.evaluation.metrics import comparable
from stim2bold.evaluation.significance import Terms, cross_spectrum, surrogate_test
from stim2bold.models.circular_shifts import allowed_shifts

N_BINS = 10
UNITS = {
    "average_precision": "0 to 1",
    "base_rate": "0 to 1",
    "chance": "0 to 1",
    "gain": "average precision",
    "p": "probability",
}
COLUMNS = ["label", "fold", "status", "measure", "value", "unit_of_measure", "n"]


def average_precision(present: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Return the average precision of one ranking for many sets of labels at once.

    Precision at each distinct score, weighted by the share of the positives that it adds; as
    `sklearn.metrics.average_precision_score`, rows of equal score as one step.

    Parameters
    ----------
    present : ndarray of shape (n_sets, n_rows)
        1 or 0.
    score : ndarray of shape (n_rows,)

    Returns
    -------
    ndarray of shape (n_sets,)
        NaN where a set has no positive.
    """
    order = np.argsort(-score, kind="stable")
    steps = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    hits = np.cumsum(present[:, order], axis=1)[:, steps]
    precision = hits / (steps + 1)
    gained = np.diff(hits, axis=1, prepend=0)
    total = hits[:, -1]
    return np.where(
        total > 0, (gained * precision).sum(axis=1) / np.where(total > 0, total, 1), np.nan
    )


def over_folds(
    present: np.ndarray, score: np.ndarray, fold: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Average the average precision over folds, weighted by their positives.

    Within a fold only, since a training share, which differs from fold to fold, runs against what
    the fold holds.

    Parameters
    ----------
    present : ndarray of shape (n_sets, n_rows)
    score, fold : ndarray of shape (n_rows,)

    Returns
    -------
    precision, base_rate : ndarray of shape (n_sets,)
        The base rate is the share of positives, weighted likewise. A fold that holds none, or
        nothing else, says nothing and does not count; NaN where none counts.
    """
    total, base, weight = (np.zeros(len(present)) for _ in range(3))
    for number in np.unique(fold):
        here = fold == number
        part = present[:, here]
        n = part.sum(axis=1)
        counts = (n > 0) & (n < here.sum())
        found = average_precision(part, score[here])
        total += np.where(counts, n * found, 0)
        base += np.where(counts, n * n / here.sum(), 0)
        weight += np.where(counts, n, 0)
    safe = np.where(weight > 0, weight, 1)
    return tuple(np.where(weight > 0, part / safe, np.nan) for part in (total, base))


def reliability(
    probability: np.ndarray, present: np.ndarray, *, n_bins: int = N_BINS
) -> pd.DataFrame:
    """Compare probabilities with what happened, in bins of equally many rows.

    Parameters
    ----------
    probability, present : ndarray of shape (n,)

    Returns
    -------
    DataFrame
        Columns bin, probability (mean), observed (share present), n.
    """
    order = np.argsort(probability, kind="stable")
    parts = [part for part in np.array_split(order, n_bins) if len(part)]
    rows = [
        (i, float(probability[part].mean()), float(present[part].mean()), len(part))
        for i, part in enumerate(parts)
    ]
    return pd.DataFrame(rows, columns=["bin", "probability", "observed", "n"])


def calibration_error(probability: np.ndarray, present: np.ndarray) -> float:
    """Return the mean distance of probability from observed share over bins, by their rows."""
    table = reliability(probability, present)
    return float(np.average((table["probability"] - table["observed"]).abs(), weights=table["n"]))


def score_labels(
    names: list[str],
    probability: np.ndarray,
    present: np.ndarray,
    *,
    fold: np.ndarray,
    block: np.ndarray,
    share: np.ndarray,
    fewest: int,
    tr: float,
    period: float,
    spread: float,
) -> pd.DataFrame:
    """Score decoded labels, each against chance.

    Parameters
    ----------
    names : list of str
    probability, present, share : ndarray of shape (n_rows, n_labels)
        Decoded (NaN where not decodable), true (1 or 0), and the share of the rows fitted that hold
        the label. Rows follow each other in time.
    fold, block : ndarray of shape (n_rows,), int
        Number of the fold, and of the kind of block, that a row belongs to.
    fewest : int
        Rows that must hold a label where it was decoded for it to be scored.
    tr, period : float
        Seconds from row to row, and after which blocks come again.
    spread : float
        How much wider chance is than random phases tell
        (`stim2bold.evaluation.null_inflation.chance_spread`).

    Returns
    -------
    DataFrame
        Columns label, fold (``all`` for all held-out rows), status (``decoded``, or why it was
        not), measure, value, unit_of_measure, n (rows). Rows of the label ``all`` are over labels.
    """
    rows, p_values = [], {}
    for i, name in enumerate(names):
        known = np.isfinite(probability[:, i])
        rows += list(fold_rows(name, probability[:, i], present[:, i], fold))
        if not known.any():
            rows.append(
                (name, "all", "too rare to fit", "rows_present", present[:, i].sum(), "TRs", 0)
            )
            continue
        guess, truth, base = probability[known, i], present[known, i], share[known, i]
        ranked = {
            prefix: {
                **precision_against_chance(truth, guess, parts[known], tr=tr, period=period),
                "p": p_of_phases(
                    *label_spectrum(truth, guess, fold[known], parts[known]), spread=spread
                ),
            }
            for prefix, parts in (("", fold), ("within_", fold * (block.max() + 1) + block))
        }
        if np.isnan(ranked[""]["average_precision"]) or truth.sum() < fewest:
            status = "too rare to score"
            rows.append((name, "all", status, "rows_present", truth.sum(), "TRs", len(truth)))
            continue
        # A decoder that says the same throughout has found nothing, and counts among the labels.
        p_values[name] = 1.0 if np.isnan(ranked[""]["p"]) else ranked[""]["p"]
        brier, plain = (float(((x - truth) ** 2).mean()) for x in (guess, base))
        for measure, value, unit in (
            *((f"{k}{m}", v, UNITS[m]) for k, part in ranked.items() for m, v in part.items()),
            ("brier", brier, "squared probability"),
            ("brier_skill", 1 - brier / plain if plain > 0 else np.nan, "share"),
            ("calibration_error", calibration_error(guess, truth), "probability"),
            ("rows_present", truth.sum(), "TRs"),
        ):
            rows.append((name, "all", "decoded", measure, value, unit, len(truth)))
    if p_values:
        for name, q in zip(p_values, false_discovery_control(list(p_values.values())), strict=True):
            rows.append((name, "all", "decoded", "q", q, "probability", len(p_values)))
    rows.append(("all", "all", "decoded", "chance_spread", spread, "ratio", len(present)))
    table = pd.DataFrame(rows, columns=COLUMNS)
    return pd.concat([table, over_labels(table, probability, present, share)], ignore_index=True)


def label_spectrum(
    present: np.ndarray, probability: np.ndarray, fold: np.ndarray, parts: np.ndarray
) -> tuple[np.ndarray, Terms]:
    """Return the terms of the correlation of a label with its decoded log odds.

    Parameters
    ----------
    present, probability, fold, parts : ndarray of shape (n_rows,)
        Means are removed within parts: folds, or the blocks within them.

    Returns
    -------
    cross : ndarray of shape (n_terms, 1), complex
    terms : Terms
        As of `stim2bold.evaluation.significance.cross_spectrum`.
    """
    truth, guess = comparable(present[:, None], log_odds(probability)[:, None], parts)
    return cross_spectrum(truth, guess, fold)


def p_of_phases(cross: np.ndarray, terms: Terms, *, spread: float) -> float:
    """Return the p of a label's correlation, against log odds of random phase.

    Of predictions of voxels and sounds p is told likewise. Circular shifts are too few, and too
    alike, to tell the tail: of labels without a signal 4 % had p < 0.01 by them.

    Returns
    -------
    float
        NaN where the label does not vary, or the decoder says the same throughout.
    """
    return float(surrogate_test([(cross, terms)], seed=0, n=1, spread=spread).p[0])


def precision_against_chance(
    present: np.ndarray, score: np.ndarray, parts: np.ndarray, *, tr: float, period: float
) -> dict[str, float]:
    """Compare a label's average precision within parts of the film with that of shifted labels.

    Parameters
    ----------
    present, score, parts : ndarray of shape (n_rows,)
        As for `shifted_gains`; parts are folds, or the blocks within them.
    tr, period : float
        Seconds from row to row, and after which blocks come again.

    Returns
    -------
    dict
        average_precision, base_rate, chance (base rate and mean gain of shifts), gain; all NaN
        when every part holds the label throughout or not at all.
    """
    found, base_rate = (x[0] for x in over_folds(present[None], score, parts))
    if np.isnan(found):
        return dict.fromkeys(("average_precision", "base_rate", "chance", "gain"), np.nan)
    gain = shifted_gains(present, score, parts, tr=tr, period=period)
    chance = base_rate + gain.mean() if len(gain) else np.nan
    return {
        "average_precision": found,
        "base_rate": base_rate,
        "chance": chance,
        "gain": found - chance,
    }


def shifted_gains(
    present: np.ndarray, score: np.ndarray, fold: np.ndarray, *, tr: float, period: float
) -> np.ndarray:
    """Return average precision above the base rate, label and decoded shifted against each other.

    Parameters
    ----------
    present, score, fold : ndarray of shape (n_rows,)
        The rows where the label was decoded; shifted round among themselves, so that as many hold
        the label. Folds are whole pairs of blocks: blocks keep their order.
    tr, period : float
        Seconds from row to row, and after which blocks come again.

    Returns
    -------
    ndarray of shape (n_shifts,)
        Above the base rate, since that differs with what a shift leaves in which fold. Its mean is
        above 0: among few rows the average precision of a ranking that knows nothing exceeds the
        base rate.
    """
    shifts = allowed_shifts(len(present), tr=tr, period=period)
    turned = present[(np.arange(len(present)) - shifts[:, None]) % len(present)]
    precision, base_rate = over_folds(turned, score, fold)
    gain = precision - base_rate
    return gain[np.isfinite(gain)]


def fold_rows(
    name: str, probability: np.ndarray, present: np.ndarray, fold: np.ndarray
) -> Iterator[tuple]:
    """Yield a label's rows for each fold: average precision and base rate, or why there is none."""
    for number in np.unique(fold):
        here = fold == number
        n, where = int(here.sum()), str(int(number))
        count = present[here].sum()
        if not np.isfinite(probability[here]).all():
            yield name, where, "too rare to fit", "rows_present", count, "TRs", n
        elif count in (0, n):
            status = "never present" if count == 0 else "always present"
            yield name, where, status, "rows_present", count, "TRs", n
        else:
            found = average_precision(present[here][None], probability[here])[0]
            yield name, where, "decoded", "average_precision", found, "0 to 1", n
            yield name, where, "decoded", "base_rate", count / n, "0 to 1", n


def over_labels(
    table: pd.DataFrame, probability: np.ndarray, present: np.ndarray, share: np.ndarray
) -> pd.DataFrame:
    """Return the rows of the label ``all``: means over labels, and calibration of all together."""
    whole = table[table["fold"] == "all"]
    wide = whole[whole["status"] == "decoded"].pivot_table(
        index="label", columns="measure", values="value", dropna=False
    )
    n_labels = whole["label"].nunique()
    rows = [("labels_decoded", len(wide), "labels", n_labels)]
    if len(wide):
        for prefix in ("", "within_"):
            for measure in ("average_precision", "base_rate", "chance", "gain"):
                values = wide[f"{prefix}{measure}"].dropna()
                rows.append((f"{prefix}{measure}", values.mean(), UNITS[measure], len(values)))
        known = np.isfinite(probability)
        guess, truth, base = probability[known], present[known], share[known]
        brier, plain = (float(((x - truth) ** 2).mean()) for x in (guess, base))
        rows += [
            (
                "labels_significant",
                int((wide["q"] < SIGNIFICANT).sum()),
                "labels, q < 0.05",
                len(wide),
            ),
            ("brier", brier, "squared probability", len(guess)),
            ("brier_skill", 1 - brier / plain if plain > 0 else np.nan, "share", len(guess)),
            ("calibration_error", calibration_error(guess, truth), "probability", len(guess)),
        ]
    return pd.DataFrame([("all", "all", "decoded", *row) for row in rows], columns=COLUMNS)
