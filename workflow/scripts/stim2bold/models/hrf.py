"""Haemodynamic delay: from film to BOLD, and back from BOLD to film, as banks of short filters."""

from dataclasses import dataclass

import numpy as np
from scipy import special


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

    @property
    def around(self) -> tuple[int, int]:
        """Rows before and after a row that the filters look at."""
        return max(0, -min(self.offsets)), max(0, max(self.offsets))

    def extent(self, tr: float) -> tuple[float, float]:
        """Return the seconds before (negative) and after a row that it looks at, to other rows."""
        before, after = self.around
        return -before * tr, after * tr

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
    # scipy.stats has this density, and takes as long as all else that most steps import.
    times = np.maximum(np.asarray(times, dtype=float), 0)
    first, second = (
        np.exp(special.xlogy(shape - 1, times) - times - special.gammaln(shape))
        for shape in (6, 16)
    )
    return first - second / 6


def film_to_bold(tr: float, *, reach: float) -> FilterBank:
    """Return the filter that turns stimulus rows into expected BOLD rows.

    Rows are means of the stimulus over each TR, and BOLD is that of the middles of the TRs. Row
    k - l lies from (l - 1/2) TR to (l + 1/2) TR before the middle of row k, so the weight of lag l
    is the response's integral over that interval, centred on l TR: for a stimulus that is constant
    within each TR this is the convolution itself, sampled at the middles.

    Parameters
    ----------
    tr : float
        Seconds from row to row.
    reach : float
        Seconds of the past that a volume may look at; the response is cut there.
    """
    n_lags = lags_within(reach, tr)
    fine = 64
    grid = ((np.arange(n_lags * fine) + 0.5) / fine - 0.5) * tr
    known = (grid >= 0) & (grid < reach)
    response = (known * canonical_hrf(grid)).reshape(n_lags, fine).mean(axis=1)
    return FilterBank(
        offsets=tuple(-lag for lag in range(n_lags)),
        weights=(tuple(map(float, response / np.abs(response).sum())),),
    )


def lags_within(reach: float, tr: float) -> int:
    """Return how many rows, the row itself included, begin at most `reach` seconds before it."""
    return int(np.floor(reach / tr + 1e-9)) + 1


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
    n_leads = lags_within(reach, tr)
    edges = np.round(np.linspace(0, n_leads, min(bins, n_leads) + 1)).astype(int)
    weights = []
    for start, stop in zip(edges[:-1], edges[1:], strict=True):
        stretch = np.zeros(n_leads)
        stretch[start:stop] = 1 / (stop - start)
        weights.append(tuple(map(float, stretch)))
    return FilterBank(offsets=tuple(range(n_leads)), weights=tuple(weights))


def stretches_before(tr: float, *, reach: float, bins: int) -> FilterBank:
    """Return filters that average the stimulus over consecutive stretches of the past.

    Together they are a finite impulse response: a response of any form, even within a stretch.
    They see the rows that `film_to_bold` sees. Arguments as of `bold_to_film`.
    """
    ahead = bold_to_film(tr, reach=reach, bins=bins)
    return FilterBank(offsets=tuple(-lead for lead in ahead.offsets), weights=ahead.weights)


def around(width: int) -> FilterBank:
    """Return filters that pass the rows from `width` before to `width` after, each as it is."""
    offsets = tuple(range(-width, width + 1))
    return FilterBank(offsets=offsets, weights=tuple(map(tuple, np.eye(len(offsets)).tolist())))
