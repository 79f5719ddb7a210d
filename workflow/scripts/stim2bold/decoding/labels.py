"""Annotation labels decoded from features or BOLD, as calibrated probabilities for each TR."""

from dataclasses import dataclass, replace

import numpy as np
import xarray as xr
from himalaya.backend import set_backend
from himalaya.ridge import Ridge, RidgeCV
from himalaya.scoring import l2_neg_loss
from sklearn.linear_model import LogisticRegression

from stim2bold.models.design_matrix import fold_design
from stim2bold.models.directions import Problem
from stim2bold.models.folds import Fold
from stim2bold.models.predictions import Fitted, collect, usable
from stim2bold.models.ridge import RidgeSettings, inner_splits


@dataclass(frozen=True, kw_only=True)
class DecodingSettings:
    """How labels and clips are decoded.

    Parameters
    ----------
    components : int
        Principal components of the source that the decoder sees.
    bins : int
        Stretches that the seconds after a moment of the film are averaged over.
    threshold : float
        Share of a TR that an annotation must cover for its label to count as present.
    clip_components : int
        Principal components of the frames' features that clips are compared by.
    fewest : int
        TRs with and TRs without a label that must be left to fit on whenever an inner fold is
        held out: with fewer the label is not decodable in that fold.
    seed : int
        Of the draws of what chance predicts.
    alphas : tuple of float
        Logarithm (base 10) of the smallest and the largest penalty, and their number.
    """

    components: int
    bins: int
    threshold: float
    clip_components: int
    fewest: int
    seed: int
    alphas: tuple[float, float, int] = (-1.0, 6.0, 15)

    def ridge(self) -> RidgeSettings:
        """Return the settings of the ridge that a label's decoder is, but for its calibration."""
        return RidgeSettings(
            components=self.components,
            bins=self.bins,
            alphas=self.alphas,
            bands=(),
            draws=0,
            seed=self.seed,
        )


def presence(annotations: xr.DataArray, *, threshold: float) -> xr.DataArray:
    """Return which labels are present at which TR, 1 or 0.

    Parameters
    ----------
    annotations : DataArray, dims (time, feature)
        As `stim2bold.stimulus.annotations.tabulate` returns them. Where they count events or
        seconds in place of the share of the TR, any counts.
    threshold : float
        Share of the TR.
    """
    whole = annotations.attrs.get("coding", "coverage") == "coverage"
    present = annotations >= threshold if whole else annotations > 0
    return present.astype(np.float32).rename("present")


def decodable(
    present: np.ndarray, splits: list[tuple[np.ndarray, np.ndarray]], *, fewest: int
) -> np.ndarray:
    """Return which labels can be fitted, and calibrated, in a fold.

    Parameters
    ----------
    present : ndarray of shape (n_train_rows, n_labels)
        1 or 0.
    splits : list of (ndarray, ndarray)
        Positions among the training rows that each inner fold fits and validates.
    fewest : int
        Rows of either kind that every inner fold must leave to fit. A label that is seen in one
        stretch of the film only is thereby ruled out: nothing could validate it.

    Returns
    -------
    ndarray of shape (n_labels,), bool
    """
    found = np.ones(present.shape[1], dtype=bool)
    for fit, _ in splits:
        count = present[fit].sum(axis=0)
        found &= (count >= fewest) & (len(fit) - count >= fewest)
    return found & bool(splits)


@dataclass(frozen=True)
class Calibration:
    """From a decoder's score to a probability: 1 / (1 + exp(-(slope score + intercept)))."""

    slope: float
    intercept: float

    def apply(self, score: np.ndarray) -> np.ndarray:
        """Return probabilities."""
        return 1 / (1 + np.exp(-(self.slope * score + self.intercept)))


def fit_calibration(score: np.ndarray, present: np.ndarray) -> Calibration:
    """Fit Platt's sigmoid to scores of rows that the decoder had not seen.

    Parameters
    ----------
    score : ndarray of shape (n_rows,)
    present : ndarray of shape (n_rows,)
        1 or 0, both among them.

    Returns
    -------
    Calibration
        Its slope is never negative: where the scores of unseen rows run against the label there
        is nothing to decode, and the probability is the label's share of the rows.

    References
    ----------
    Platt, Advances in Large Margin Classifiers, 61 (1999), with his smoothed targets, which keep a
    label that the scores happen to separate from being certain.
    """
    n_there = present.sum()
    n_absent = len(present) - n_there
    target = np.where(present > 0, (n_there + 1) / (n_there + 2), 1 / (n_absent + 2))
    spread = score.std()
    if spread > 0:
        model = LogisticRegression(C=np.inf)
        model.fit(
            np.tile(score / spread, 2)[:, None],
            np.repeat([1, 0], len(score)),
            sample_weight=np.concatenate([target, 1 - target]),
        )
        slope = float(model.coef_[0, 0] / spread)
        if slope > 0:
            return Calibration(slope, float(model.intercept_[0]))
    share = target.mean()
    return Calibration(0.0, float(np.log(share / (1 - share))))


def decode_fold(problem: Problem, fold: Fold, settings: DecodingSettings) -> tuple:
    """Fit decoders of all labels to a fold's training rows and return its test rows' probabilities.

    A ridge classifier for each label, its penalty chosen on the fold's inner folds; its scores of
    the inner folds' validation rows, which it had not seen, fit the label's calibration.

    Parameters
    ----------
    problem : Problem
        Its target is `presence`.
    fold : Fold
    settings : DecodingSettings

    Returns
    -------
    fold, fitted rows, test rows, values
        A part, as `stim2bold.models.predictions.collect` takes it; labels that are not decodable
        are NaN.
    """
    set_backend("numpy")
    train, test = usable(problem, fold)
    design = fold_design(problem, train, components=settings.components, bins=settings.bins)
    regressors = design.apply(problem.source).astype(np.float64)
    x, unseen = regressors[train - problem.first_row], regressors[test - problem.first_row]
    present = problem.target[train - problem.rows[0]].astype(np.float64)
    splits = inner_splits(problem, fold, train)
    possible = decodable(present, splits, fewest=settings.fewest)
    values = np.full((len(test), present.shape[1]), np.nan)
    if not possible.any():
        return fold, train, test, values
    y = present[:, possible]
    first, last, number = settings.alphas
    model = RidgeCV(
        alphas=np.logspace(first, last, int(number)),
        fit_intercept=True,
        cv=splits,
        # Not R2: there is none of an inner fold that does not hold the label.
        solver_params={"warn": False, "score_func": l2_neg_loss, "n_alphas_batch": 5},
    ).fit(x, y)
    scores, truth = [], []
    for fit, validate in splits:
        inner = Ridge(alpha=model.best_alphas_, fit_intercept=True, solver_params={"warn": False})
        inner.fit(x[fit], y[fit])
        # The label's share of the rows fitted is left out: where an inner fold holds many, few
        # are left to fit, so that it runs against the label.
        scores.append(inner.predict(x[validate]) - y[fit].mean(axis=0))
        truth.append(y[validate])
    scores, truth = np.concatenate(scores), np.concatenate(truth)
    raw = model.predict(unseen) - y.mean(axis=0)
    values[:, possible] = np.stack(
        [
            fit_calibration(*pair).apply(column)
            for *pair, column in zip(scores.T, truth.T, raw.T, strict=True)
        ],
        axis=1,
    )
    return fold, train, test, values


def decode_labels(problem: Problem, folds: list[Fold], settings: DecodingSettings) -> Fitted:
    """Decode all labels in all folds.

    Parameters
    ----------
    problem : Problem
        Source: features of the film or BOLD. Target: `presence`.
    folds : list of Fold
    settings : DecodingSettings

    Returns
    -------
    Fitted
        Probabilities of the held-out rows; NaN where a label is not decodable in the fold.
    """
    parts = [decode_fold(problem, fold, settings) for fold in folds]
    return collect(parts, extent=problem.extent)


def training_share(problem: Problem, fitted: Fitted) -> np.ndarray:
    """Return the share of the rows fitted that hold each label, for every held-out row.

    This is the probability that a decoder without a source would give.

    Returns
    -------
    ndarray of shape (n_predicted, n_labels)
        Rows as in `fitted`.
    """
    share = {
        fold: problem.target[rows - problem.rows[0]].mean(axis=0)
        for fold, rows in fitted.fitted.items()
    }
    return np.stack([share[fold] for fold in fitted.fold.tolist()])


def in_time(fitted: Fitted) -> Fitted:
    """Return predictions in order of time."""
    order = np.argsort(fitted.rows, kind="stable")
    return replace(
        fitted,
        values=fitted.values[order],
        rows=fitted.rows[order],
        fold=fitted.fold[order],
    )
