"""Series cut into overlapping sequences for recurrent networks, and put together again."""

import numpy as np
from torch import Tensor

from stim2bold.vae.settings import VAESettings


def chunked(series: np.ndarray, settings: VAESettings) -> np.ndarray:
    """Cut a series into overlapping sequences: (n_sequences, context + chunk, n_columns).

    The first `context` rows of a sequence repeat the end of the one before it; before the first
    row there are zeros.
    """
    n_rows = len(series)
    n_sequences = -(-n_rows // settings.chunk)
    padded = np.zeros(
        (settings.context + n_sequences * settings.chunk, series.shape[1]), dtype=np.float32
    )
    padded[settings.context : settings.context + n_rows] = series
    return np.stack(
        [
            padded[i * settings.chunk : (i + 1) * settings.chunk + settings.context]
            for i in range(n_sequences)
        ]
    )


def unchunked(sequences: Tensor, n_rows: int, settings: VAESettings) -> Tensor:
    """Put sequences (models, n_sequences, context + chunk, n_columns) together again."""
    kept = sequences[:, :, settings.context :]
    return kept.reshape(kept.shape[0], -1, kept.shape[-1])[:, :n_rows]
