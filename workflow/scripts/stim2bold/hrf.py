"""Haemodynamic delay: from film to BOLD, and back from BOLD to film, as banks of short filters."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import gamma


@dataclass(frozen=True)
class FilterBank:
    """Filters that look at neighbouring rows.

    Parameters
    ----------
    offsets : tuple of int
        Rows looked at, relative to the row itself: negative is the past.
    weights : tuple of tuple of float
        One weight an offset, for each filter.
    """

    offsets: tuple[int, ...]
    weights: tuple[tuple[float, ...], ...]

    def apply(self, series: np.ndarray) -> np.ndarray:
        """Filter a series; rows beyond its ends count as zero.

        Parameters
        ----------
        series : ndarray of shape (n_rows, n_columns)
            Centred, so that zero is the mean.

        Returns
        -------
        ndarray of shape (n_rows, n_filters * n_columns)
        """
        weights = np.asarray(self.weights, dtype=series.dtype)
        n_rows, n_columns = series.shape
        out = np.zeros((len(weights), n_rows, n_columns), dtype=series.dtype)
        for i, offset in enumerate(self.offsets):
            if abs(offset) >= n_rows:
                continue
            here = slice(max(0, -offset), n_rows - max(0, offset))
            there = slice(max(0, offset), n_rows + min(0, offset))
            out[:, here] += weights[:, i, None, None] * series[there]
        return out.transpose(1, 0, 2).reshape(n_rows, -1)


def canonical_hrf(times: np.ndarray) -> np.ndarray:
    """Return the canonical response of SPM to an impulse at time 0.

    Parameters
    ----------
    times : ndarray of shape (n,)
        Seconds.

    Returns
    -------
    ndarray of shape (n,)
        Difference of two gamma densities (shapes 6 and 16, scale 1 s, undershoot 1/6), as in
        Friston et al., NeuroImage 7:30 (1998).
    """
    times = np.asarray(times, dtype=float)
    return gamma.pdf(times, 6) - gamma.pdf(times, 16) / 6


def film_to_bold(tr: float, *, reach: float, derivative: bool = False) -> FilterBank:
    """Return filters that turn stimulus rows into expected BOLD rows.

    A row's stimulus stands for its whole TR, so the response is averaged over the TR rather than
    sampled at one instant of it.

    Parameters
    ----------
    tr : float
        Seconds from row to row.
    reach : float
        Seconds of the past that a volume may look at.
    derivative : bool
        Add the filter's derivative by time, which admits a response a little early or late.
    """
    n_lags = max(1, int(np.floor(reach / tr + 1e-9)))
    fine = 32
    grid = (np.arange(n_lags * fine) + 0.5) * tr / fine
    response = canonical_hrf(grid).reshape(n_lags, fine).mean(axis=1)
    filters = [response / np.abs(response).sum()]
    if derivative:
        slope = np.gradient(canonical_hrf(grid), grid).reshape(n_lags, fine).mean(axis=1)
        filters.append(slope / np.abs(slope).sum())
    return FilterBank(
        offsets=tuple(-lag for lag in range(n_lags)),
        weights=tuple(tuple(map(float, weights)) for weights in filters),
    )


def bold_to_film(tr: float, *, reach: float, bins: int) -> FilterBank:
    """Return filters that average BOLD over consecutive stretches from a moment of the film on.

    Parameters
    ----------
    tr : float
        Seconds from row to row.
    reach : float
        Seconds after the moment that are looked at.
    bins : int
        Number of stretches of equal length.
    """
    n_leads = max(1, int(np.floor(reach / tr + 1e-9)) + 1)
    edges = np.round(np.linspace(0, n_leads, min(bins, n_leads) + 1)).astype(int)
    weights = []
    for start, stop in zip(edges[:-1], edges[1:], strict=True):
        stretch = np.zeros(n_leads)
        stretch[start:stop] = 1 / (stop - start)
        weights.append(tuple(map(float, stretch)))
    return FilterBank(offsets=tuple(range(n_leads)), weights=tuple(weights))


def around(width: int) -> FilterBank:
    """Return filters that pass the rows from `width` before to `width` after, each as it is."""
    offsets = tuple(range(-width, width + 1))
    return FilterBank(offsets=offsets, weights=tuple(map(tuple, np.eye(len(offsets)).tolist())))
