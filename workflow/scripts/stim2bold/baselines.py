"""What a model must beat: the mean, the block labels, and linear models of the same features."""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from himalaya.backend import set_backend
from himalaya.kernel_ridge import generate_dirichlet_samples
from himalaya.ridge import GroupRidgeCV, RidgeCV
from himalaya.scoring import r2_score

from stim2bold.designs import component_bands, fit_design, standardisation
from stim2bold.directions import DIRECTIONS, Problem, held_out
from stim2bold.errors import InputError
from stim2bold.folds import Fold
from stim2bold.hrf import FilterBank, film_to_bold
from stim2bold.leakage import fit_record


@dataclass(frozen=True)
class BaselineSettings:
    """How the linear models are fitted.

    Parameters
    ----------
    components : int
        Principal components of the source that ridge sees.
    alphas : tuple of float
        Logarithm (base 10) of the smallest and the largest penalty, and their number.
    bins : int
        Stretches that the seconds after a moment of the film are averaged over.
    bands : tuple of int
        Numbers of the components at which banded ridge cuts a single feature space.
    draws : int
        Random proportions of the bands' penalties that banded ridge tries, beside equal ones.
    seed : int
        Of those.
    """

    components: int = 60
    alphas: tuple[float, float, int] = (-1.0, 6.0, 15)
    bins: int = 5
    bands: tuple[int, ...] = (5, 20)
    draws: int = 20
    seed: int = 1


@dataclass(frozen=True)
class Fitted:
    """Predictions of one model for the held-out rows of all folds.

    Parameters
    ----------
    values : ndarray of shape (n_predicted, n_targets)
    rows, fold : ndarray of shape (n_predicted,)
        Row number, and number of the fold that predicted it.
    fitted : dict
        Row numbers that reached the fit, for each fold.
    strength : ndarray of shape (n_folds, n_targets), optional
        Score of each target on the fold's inner folds: what may select targets without a look at
        the held-out rows.
    """

    values: np.ndarray
    rows: np.ndarray
    fold: np.ndarray
    fitted: dict[int, np.ndarray]
    strength: np.ndarray | None = None


def within(problem: Problem, rows: np.ndarray) -> np.ndarray:
    """Return which of some row numbers the problem has, as row numbers."""
    return rows[np.isin(rows, problem.rows)]


def usable(problem: Problem, fold: Fold) -> tuple[np.ndarray, np.ndarray]:
    """Return a fold's training and test row numbers that the problem has.

    Raises
    ------
    InputError
        When nothing can be fitted.
    """
    train, test = within(problem, fold.train), within(problem, fold.test)
    if train.size < 10:
        raise InputError(
            f"{problem.direction}: fold {fold.number} has {train.size} rows to fit; "
            "the recording is too short for the fold file"
        )
    return train, test


def collect(
    parts: list[tuple[Fold, np.ndarray, np.ndarray, np.ndarray]],
    strength: list[np.ndarray] | None = None,
) -> Fitted:
    """Bring the folds' predictions together; a part is (fold, fitted rows, test rows, values)."""
    return Fitted(
        values=np.concatenate([values for *_, values in parts]).astype(np.float32),
        rows=np.concatenate([test for _, _, test, _ in parts]),
        fold=np.concatenate([np.full(len(test), f.number) for f, _, test, _ in parts]),
        fitted={fold.number: train for fold, train, *_ in parts},
        strength=None if strength is None else np.stack(strength).astype(np.float32),
    )


def predict_mean(problem: Problem, folds: list[Fold]) -> Fitted:
    """Predict the training mean of every target."""
    parts = []
    for fold in folds:
        train, test = usable(problem, fold)
        mean = problem.target[train - problem.rows[0]].mean(axis=0)
        parts.append((fold, train, test, np.repeat(mean[None], len(test), axis=0)))
    return collect(parts)


def predict_blocks(
    problem: Problem, folds: list[Fold], *, labels: np.ndarray, filters: FilterBank | None
) -> Fitted:
    """Predict from the label of the block by ordinary least squares.

    Parameters
    ----------
    problem : Problem
    folds : list of Fold
    labels : ndarray of shape (n_label_rows, n_labels)
        Fraction of each row that each label covers; row 0 is row number 0.
    filters : FilterBank, optional
        The haemodynamic delay, for BOLD. Without it the prediction is the label's mean.
    """
    labels = labels.astype(np.float32)
    delayed = filters.apply(labels) if filters else labels
    parts = []
    for fold in folds:
        train, test = usable(problem, fold)
        centre = delayed[train].mean(axis=0)
        target = problem.target[train - problem.rows[0]]
        mean = target.mean(axis=0)
        # The labels sum to one, so the least-squares solution is not unique: lstsq takes the
        # shortest, and all of them predict the same.
        weights, *_ = np.linalg.lstsq(delayed[train] - centre, target - mean, rcond=1e-4)
        parts.append((fold, train, test, (delayed[test] - centre) @ weights + mean))
    return collect(parts)


def inner_splits(problem: Problem, fold: Fold, train: np.ndarray) -> list[tuple]:
    """Return the fold's inner splits as positions within its training rows."""
    splits = []
    for split in fold.inner:
        fit, validate = within(problem, split.train), within(problem, split.test)
        if fit.size and validate.size:
            splits.append((np.searchsorted(train, fit), np.searchsorted(train, validate)))
    return splits


def fit_fold(
    model: RidgeCV | GroupRidgeCV, problem: Problem, fold: Fold, regressors: np.ndarray
) -> tuple[Fold, np.ndarray, np.ndarray, np.ndarray]:
    """Fit a linear model to a fold's training rows and predict its test rows.

    Parameters
    ----------
    model : RidgeCV or GroupRidgeCV
        Changed in place. It sees targets standardised by the training rows.
    problem : Problem
    fold : Fold
    regressors : ndarray of shape (n_source_rows, n_regressors)

    Returns
    -------
    fold, fitted rows, test rows, values
        A part, as `collect` takes it; values in the target's units.
    """
    train, test = usable(problem, fold)
    target = problem.target[train - problem.rows[0]]
    mean, scale = standardisation(target)
    model.fit(regressors[train - problem.first_row], (target - mean) / scale)
    values = model.predict(regressors[test - problem.first_row]) * scale + mean
    return fold, train, test, values


def predict_ridge(
    problem: Problem, folds: list[Fold], settings: BaselineSettings, *, banded: bool = False
) -> Fitted:
    """Predict by ridge regression on the delayed principal components of the source.

    The penalty of each target is chosen on the fold's inner folds [1]_; with `banded` one for each
    band of regressors (`stim2bold.designs.component_bands`), by random search.

    References
    ----------
    .. [1] Dupre la Tour, Eickenberg, Nunez-Elizalde & Gallant, NeuroImage 264:119728 (2022).
    """
    set_backend("numpy")
    first, last, number = settings.alphas
    alphas = np.logspace(first, last, int(number)).astype(np.float32)
    shared = {
        "warn": False,
        "n_targets_batch": 5000,
        "n_alphas_batch": 5,
        "score_func": r2_score,
    }
    parts, strength = [], []
    for fold in folds:
        train, _ = usable(problem, fold)
        design = fit_design(
            problem.source,
            train - problem.first_row,
            filters=problem.filters(bins=settings.bins),
            n_components=settings.components,
            spaces=problem.spaces,
        )
        regressors = design.apply(problem.source)
        options = {"fit_intercept": False, "cv": inner_splits(problem, fold, train)}
        if banded:
            bands = component_bands(design, edges=settings.bands)
            model = GroupRidgeCV(
                groups=bands,
                solver_params={
                    **shared,
                    "alphas": alphas,
                    "n_iter": proportions(bands.max() + 1, settings),
                    "progress_bar": False,
                },
                **options,
            )
        else:
            model = RidgeCV(alphas=alphas, solver_params=shared, **options)
        parts.append(fit_fold(model, problem, fold, regressors))
        strength.append(model.cv_scores_.max(axis=0) if banded else model.cv_scores_)
    return collect(parts, strength)


def proportions(n_bands: int, settings: BaselineSettings) -> np.ndarray:
    """Return the proportions of the bands that are tried, (draws + 1, n_bands); equal ones first.

    Drawn half from a flat and half from a sparse Dirichlet distribution.
    """
    drawn = generate_dirichlet_samples(
        settings.draws, n_bands, concentration=[0.1, 1.0], random_state=settings.seed
    )
    return np.concatenate([np.full((1, n_bands), 1 / n_bands), drawn]).astype(np.float32)


def fit_baselines(
    problem: Problem, folds: list[Fold], *, labels: np.ndarray, settings: BaselineSettings
) -> dict[str, Fitted]:
    """Fit every baseline of a unit.

    Parameters
    ----------
    problem : Problem
    folds : list of Fold
    labels : ndarray of shape (n_label_rows, n_labels)
        Fraction of each row that each block label covers; row 0 is row number 0.
    settings : BaselineSettings

    Returns
    -------
    dict
        By name of the model.
    """
    to_bold = DIRECTIONS[problem.direction].target == "bold"
    filters = film_to_bold(problem.tr, reach=problem.reach) if to_bold else None
    return {
        "mean": predict_mean(problem, folds),
        "blocks": predict_blocks(problem, folds, labels=labels, filters=filters),
        "ridge": predict_ridge(problem, folds, settings),
        "banded": predict_ridge(problem, folds, settings, banded=True),
    }


def prediction_array(
    problem: Problem, fitted: Fitted, *, model: str, sources: list[str], target: str, **said: str
) -> xr.DataArray:
    """Return a model's predictions as an array that says what they were fitted on.

    Parameters
    ----------
    problem : Problem
    fitted : Fitted
    model : str
        Its name.
    sources, target : list of str, str
        Names of the tables.
    **said
        Further attributes.
    """
    out = held_out(problem, fitted.values, rows=fitted.rows, fold=fitted.fold)
    out.attrs = fit_record(fitted.fitted, problem.extent) | {
        "model": model,
        **said,
        "direction": problem.direction,
        "units": problem.target_array.attrs.get("units", ""),
        "source": f"{' + '.join(sources)} -> {target}",
    }
    return out


def training_strength(problem: Problem, fitted: Fitted) -> xr.DataArray:
    """Return a fit's score of each target inside training, dims (fold, voxel or column)."""
    like = problem.target_array
    dims = ("fold", like.dims[-1] if like.ndim == 2 else "column")
    return xr.DataArray(
        fitted.strength,
        dims=dims,
        coords={"fold": list(fitted.fitted)},
        name="training_score",
        attrs={"units": "R2", "source": "ridge on the inner folds of each fold's training rows"},
    )
