"""Predictions of held-out film beside what was measured, series by column."""

import functools
from dataclasses import dataclass

import numpy as np
import xarray as xr

from stim2bold.evaluation.metrics import comparable, correlation


@dataclass(frozen=True)
class HeldOut:
    """One model's predictions beside what was measured, series by column.

    Parameters
    ----------
    truth, predicted, mean : ndarray of shape (n_rows, n_columns)
        Measured, predicted, and the mean of the training rows of each row's fold.
    fold : ndarray of shape (n_rows,)
    times : ndarray of shape (n_rows,)
        Film seconds.
    rows : ndarray of shape (n_volumes,)
        Row numbers of the fold file; a volume has several rows of sound.
    """

    truth: np.ndarray
    predicted: np.ndarray
    mean: np.ndarray
    fold: np.ndarray
    times: np.ndarray
    rows: np.ndarray

    @functools.cached_property
    def told(self) -> np.ndarray:
        """Prediction, constant where it says the same of every volume of a fold.

        The training mean of sound differs between the frames of a volume; that is no prediction.
        """
        told, frames = self.predicted.copy(), len(self.predicted) // len(self.rows)
        for number in np.unique(self.fold):
            here = self.fold == number
            part = told[here].reshape(-1, frames, told.shape[1])
            still = (np.ptp(part, axis=0) == 0).all(axis=0)
            part[:, :, still] = part[:, :, still].mean(axis=(0, 1))
            told[here] = part.reshape(-1, told.shape[1])
        return told

    @functools.cached_property
    def pair(self) -> tuple[np.ndarray, np.ndarray]:
        """Truth and prediction, the folds made comparable."""
        return comparable(self.truth, self.told, self.fold)

    @functools.cached_property
    def r(self) -> np.ndarray:
        """Correlation of each column over all held-out rows; NaN where there is none."""
        return correlation(*self.pair)

    def by_volume(self, values: np.ndarray) -> np.ndarray:
        """Return values of shape (n_volumes, rows of a volume x n_columns)."""
        return values.reshape(len(self.rows), -1)


def as_columns(array: xr.DataArray) -> np.ndarray:
    """Return an array as series by column: (time, voxel), or (time x frame, mel) for sound."""
    return array.values.reshape(-1, array.shape[-1]).astype(np.float64)


def held_out(target: xr.DataArray, predicted: xr.DataArray, mean: xr.DataArray) -> HeldOut:
    """Bring a prediction together with what was measured.

    Parameters
    ----------
    target, predicted, mean : DataArray
        Dims (time, voxel) or (time, frame, mel); ``predicted`` has the coordinates fold and row,
        ``mean`` is what the training mean predicts for the same rows.
    """
    truth, guess, base = (
        as_columns(array) for array in (target.sel(time=predicted.time), predicted, mean)
    )
    frames = len(guess) // predicted.sizes["time"]
    return HeldOut(
        truth=truth,
        predicted=guess,
        mean=base,
        fold=np.repeat(predicted["fold"].values, frames),
        times=np.repeat(predicted["time"].values, frames),
        rows=predicted["row"].values,
    )
