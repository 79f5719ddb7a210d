"""The picture's principal components predicted from BOLD, fold by fold."""

from dataclasses import replace

import numpy as np
import xarray as xr
from himalaya.backend import set_backend
from himalaya.ridge import RidgeCV
from himalaya.scoring import r2_score

from stim2bold.decoding.labels import DecodingSettings, in_time
from stim2bold.models.design_matrix import fit_design, fold_design
from stim2bold.models.directions import Problem
from stim2bold.models.folds import Fold
from stim2bold.models.hrf import around
from stim2bold.models.predictions import Fitted, collect, usable
from stim2bold.models.ridge import fit_fold, inner_splits


def joined(spaces: list[xr.DataArray]) -> xr.DataArray:
    """Return several feature spaces of the film, on the same rows, as one table.

    Returns
    -------
    DataArray, dims (time, feature)
        Its attribute ``spaces`` has the columns of each.
    """
    parts = [part.values.reshape(len(part), -1) for part in spaces]
    return xr.DataArray(
        np.concatenate(parts, axis=1),
        dims=("time", "feature"),
        coords={"time": spaces[0]["time"]},
        name="features",
        attrs={"spaces": [part.shape[1] for part in parts]},
    )


def predict_components(
    problem: Problem, folds: list[Fold], settings: DecodingSettings
) -> tuple[Fitted, dict[int, np.ndarray]]:
    """Predict the picture's principal components from BOLD by ridge, fold by fold.

    Parameters
    ----------
    problem : Problem
        From BOLD to features of the picture, as `joined` returns them.
    folds : list of Fold
    settings : DecodingSettings

    Returns
    -------
    fitted : Fitted
        Predicted components of held-out rows, in order of time.
    film : dict of int to ndarray of shape (n_predicted, n_components)
        By number of the fold the film on the same rows, in the components of the fold's training
        rows.
    """
    set_backend("numpy")
    first, last, number = settings.alphas
    parts, loaded = [], {}
    for fold in folds:
        train, _ = usable(problem, fold)
        design = fold_design(problem, train, components=settings.components, bins=settings.bins)
        picture = fit_design(
            problem.target,
            train - problem.rows[0],
            filters=around(0),
            n_components=settings.clip_components,
            spaces=tuple(problem.target_array.attrs["spaces"]),
        )
        loaded[fold.number] = picture.apply(problem.target)
        model = RidgeCV(
            alphas=np.logspace(first, last, int(number)).astype(np.float32),
            fit_intercept=False,
            cv=inner_splits(problem, fold, train),
            solver_params={"warn": False, "score_func": r2_score, "n_alphas_batch": 5},
        )
        seen = replace(problem, target=loaded[fold.number])
        parts.append(fit_fold(model, seen, fold, design.apply(problem.source)))
    width = min(part[3].shape[1] for part in parts)
    fitted = in_time(
        collect([(*part[:3], part[3][:, :width]) for part in parts], extent=problem.extent)
    )
    film = {n: x[fitted.rows - problem.rows[0], :width] for n, x in loaded.items()}
    return fitted, film
