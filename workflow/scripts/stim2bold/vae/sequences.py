"""Series cut into overlapping sequences for recurrent networks, and put together again."""

import numpy as np
from torch import Tensor

from stim2bold.vae.settings import VAESettings


def chunked(
    series: np.ndarray, settings: VAESettings, *, around: tuple[int, int] = (0, 0)
) -> np.ndarray:
    """Cut a series into overlapping sequences.

    The first `context` rows of a sequence repeat the end of the one before it; before the first
    row there are zeros.

    Parameters
    ----------
    series : ndarray of shape (before + n_rows + after, n_columns)
    settings : VAESettings
    around : tuple of int
        Rows ``before`` and ``after`` a row that filters look at; they are not rows of their own.

    Returns
    -------
    ndarray of shape (n_sequences, before + context + chunk + after, n_columns)
    """
    n_sequences = -(-(len(series) - sum(around)) // settings.chunk)
    length = settings.context + settings.chunk + sum(around)
    padded = np.zeros(
        (length + (n_sequences - 1) * settings.chunk, series.shape[1]), dtype=np.float32
    )
    padded[settings.context : settings.context + len(series)] = series
    starts = range(0, n_sequences * settings.chunk, settings.chunk)
    return np.stack([padded[start : start + length] for start in starts])


def with_neighbours(series: np.ndarray, rows: np.ndarray, *, around: tuple[int, int]) -> np.ndarray:
    """Return consecutive rows of a series and those beside them, zeros beyond its ends.

    Parameters
    ----------
    series : ndarray of shape (n_all_rows, n_columns)
    rows : ndarray of shape (n_rows,), int
        Consecutive places in `series`.
    around : tuple of int
        Rows before the first and after the last.

    Returns
    -------
    ndarray of shape (before + n_rows + after, n_columns)
    """
    first, stop = rows[0] - around[0], rows[-1] + 1 + around[1]
    inside = series[max(first, 0) : stop]
    return np.pad(inside, ((max(-first, 0), max(stop - len(series), 0)), (0, 0)))


def unchunked(sequences: Tensor, n_rows: int, settings: VAESettings) -> Tensor:
    """Put sequences (models, n_sequences, context + chunk, n_columns) together again."""
    kept = sequences[:, :, settings.context :]
    return kept.reshape(kept.shape[0], -1, kept.shape[-1])[:, :n_rows]
