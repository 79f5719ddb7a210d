"""What holds over participants, voxel by voxel, with the film or the participants as a sample.

Participants who saw the same film are no independent witnesses of it. What a film has in common
with a prediction by chance repeats in all of them, and a test over participants finds it: it says
that others who see *this* film would show the same. Whether *another film* would is told by
surrogates of the prediction, the same for all participants (docs/methods.md).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import xarray as xr
from scipy import special

from stim2bold.evaluation.ceiling import Places, own_and_others
from stim2bold.evaluation.metrics import comparable
from stim2bold.evaluation.significance import (
    NullTest,
    Terms,
    cross_spectrum,
    false_discovery_rate,
    surrogate_test,
)
from stim2bold.io.arrays import read_array
from stim2bold.io.bold_grid import check_grid, places_of
from stim2bold.runtime.errors import InputError


@dataclass(frozen=True)
class GroupTest:
    """A one-sided test at each voxel that participants' values are centred above 0.

    Participants are the random sample; see `film_test` for the film.

    Parameters
    ----------
    t, p, q, p_max : ndarray of shape (n_voxels,)
        Student's t and its p, which has no floor; the false-discovery rate; and p by the largest t
        of all voxels when participants' signs are flipped, which corrects for their number.
    n_flips : int
        Flips that were made, the observed signs among them: no p_max is below ``1 / n_flips``.
    """

    t: np.ndarray
    p: np.ndarray
    q: np.ndarray
    p_max: np.ndarray
    n_flips: int


def sign_flips(n_participants: int, *, seed: int, n: int) -> np.ndarray:
    """Return signs of shape (n_flips, n_participants): all there are, or `n` of them at random.

    The first are the observed ones.
    """
    if 2**n_participants <= n:
        return np.array(list(product([1.0, -1.0], repeat=n_participants)))
    drawn = np.random.default_rng(seed).choice([1.0, -1.0], size=(n - 1, n_participants))
    return np.concatenate([np.ones((1, n_participants)), drawn])


def group_test(values: np.ndarray, *, seed: int, n: int = 1000, at_once: int = 5000) -> GroupTest:
    """Test the mean over participants at each voxel, participants as a random sample.

    For the largest t, signs are flipped: under the null a participant's values are as likely with
    the opposite sign; all voxels of a participant are flipped together, which keeps what is
    correlated between them (Nichols & Holmes, Human Brain Mapping 15:1, 2002).

    Parameters
    ----------
    values : ndarray of shape (n_participants, n_voxels)
        For instance Fisher's z of correlations; at least two participants.
    seed : int
    n : int
        Most flips to be made.
    at_once : int
        Voxels held in memory together.
    """
    n_participants, n_voxels = values.shape
    signs = sign_flips(n_participants, seed=seed, n=n)
    t = np.zeros(n_voxels)
    highest = np.full(len(signs), -np.inf)
    for start in range(0, n_voxels, at_once):
        here = slice(start, start + at_once)
        part = values[:, here].astype(np.float64)
        means = signs @ part / n_participants
        # Flipping changes no square, so the variance follows from the mean.
        variance = ((part**2).sum(axis=0) - n_participants * means**2) / (n_participants - 1)
        still = variance <= 1e-20
        flipped = np.where(still, 0, means / np.sqrt(np.where(still, 1, variance / n_participants)))
        t[here] = flipped[0]
        highest = np.maximum(highest, flipped.max(axis=1))
    p = special.stdtr(n_participants - 1, -t)
    reached = np.searchsorted(np.sort(highest), t - 1e-9)
    return GroupTest(t, p, false_discovery_rate(p), 1 - reached / len(signs), len(signs))


@dataclass(frozen=True)
class Pair:
    """What one participant is scored by.

    Parameters
    ----------
    bold : DataArray, dims (time, voxel)
        Measured, for its grid.
    truth, predicted : ndarray of shape (n_rows, n_voxels)
    fold, row : ndarray of shape (n_rows,), int
        Fold and row number of each row.
    spread : float
        How much wider chance is than surrogates tell
        (`stim2bold.evaluation.null_inflation.chance_spread`).
    """

    bold: xr.DataArray
    truth: np.ndarray
    predicted: np.ndarray
    fold: np.ndarray
    row: np.ndarray
    spread: float


def predicted_pair(bold: xr.DataArray, predicted: xr.DataArray, *, spread: float) -> Pair:
    """Return a participant's prediction beside what was measured at its rows."""
    return Pair(
        bold=bold,
        truth=bold.sel(time=predicted.time).values,
        predicted=predicted.values,
        fold=predicted["fold"].values.astype(int),
        row=predicted["row"].values.astype(int),
        spread=spread,
    )


def predicted_reader(
    names: Sequence[str],
    bold: Sequence[Path],
    predicted: Sequence[Path],
    strengths: Sequence[Path],
) -> Callable[[str], Pair]:
    """Return a function that reads a participant's pair by name.

    Parameters
    ----------
    names : sequence of str
    bold, predicted, strengths : sequence of Path
        Tables of each participant; of the last, the attribute ``chance_spread``.
    """
    paths = dict(zip(names, zip(bold, predicted, strengths, strict=True), strict=True))

    def read(name: str) -> Pair:
        measured, guess, strength = map(read_array, paths[name])
        return predicted_pair(measured, guess, spread=strength.attrs["chance_spread"])

    return read


def group_and_each(names: list[str]) -> dict[str, list[str]]:
    """Return whom a test is made of, by unit: ``group``, where there are several, then each."""
    each = {name: [name] for name in names}
    return {"group": names, **each} if len(names) > 1 else each


def ceiling_pair(bold: xr.DataArray, everyone: Places) -> Pair:
    """Return a participant beside the mean of the others, as if that were a prediction.

    Over participants each pair of them counts twice, once from either side, and surrogates turn the
    two against each other: chance is sqrt(2) times as wide as they tell.
    """
    own, others = own_and_others(bold, everyone)
    return Pair(
        bold=bold,
        truth=own,
        predicted=others,
        fold=everyone.fold,
        row=np.arange(len(everyone.fold)),
        spread=float(np.sqrt(2)),
    )


@dataclass(frozen=True)
class Group:
    """All participants at the voxels that every one of them has a score in.

    Parameters
    ----------
    r : ndarray of shape (n_participants, n_voxels)
        On the rows that all have.
    cross : ndarray of shape (n_terms, n_voxels), complex
        Mean over participants of their cross spectra.
    terms : Terms
    places : ndarray of shape (n_voxels,), int
        Of the voxels in the flattened grid.
    spread : float
        Root mean square of the participants'.
    """

    r: np.ndarray
    cross: np.ndarray
    terms: Terms
    places: np.ndarray
    spread: float


def gather(read: Callable[[str], Pair], names: list[str]) -> Group:
    """Bring participants together, one in memory at a time.

    Parameters
    ----------
    read : callable
        Returns a participant's pair by name.
    names : list of str

    Raises
    ------
    InputError
        When grids differ, or the participants have no row, or no voxel, in common.
    """
    first = read(names[0])
    rows, fold_of = first.row, dict(zip(first.row, first.fold, strict=True))
    shared = np.sort(places_of(first.bold))
    for name in names[1:]:
        pair = read(name)
        check_grid(name, pair.bold, first.bold)
        rows = np.intersect1d(rows, pair.row)
        shared = np.intersect1d(shared, places_of(pair.bold))
    if not len(rows):
        raise InputError(
            ", ".join(names),
            "no volume of the film was predicted in all of them",
            "leave out who saw another part, by exclude",
        )
    fold = np.array([fold_of[row] for row in rows])
    r = np.full((len(names), len(shared)), np.nan, dtype=np.float32)
    total, spreads = 0.0, []
    for i, name in enumerate(names):
        pair = read(name)
        _, here, _ = np.intersect1d(places_of(pair.bold), shared, return_indices=True)
        kept = np.isin(pair.row, rows)
        cross, terms = cross_spectrum(
            *comparable(pair.truth[kept][:, here], pair.predicted[kept][:, here], fold), fold
        )
        total = total + cross.astype(np.complex64)
        r[i] = np.where(cross.any(axis=0), cross.real.sum(axis=0), np.nan)
        spreads.append(pair.spread)
    scored = np.isfinite(r).all(axis=0)
    if not scored.any():
        raise InputError(
            ", ".join(names),
            "no voxel has a score in all of them",
            "leave out who has few voxels, by exclude",
        )
    return Group(
        r=r[:, scored],
        cross=total[:, scored] / len(names),
        terms=terms,
        places=shared[scored],
        spread=float(np.sqrt(np.mean(np.square(spreads)))),
    )


def film_test(group: Group, *, seed: int, n: int, at_once: int = 2000) -> NullTest:
    """Test the mean r over participants, the film as a random sample.

    The prediction's phases are turned at random, in the same way for all participants: what a wrong
    film has in common with all of them by chance, it has with a surrogate as often.

    Parameters
    ----------
    group : Group
    seed, n : int
        Of the surrogates.
    at_once : int
        Voxels held in memory together.
    """
    parts = range(0, group.cross.shape[1], at_once)
    spectra: Iterable = ((group.cross[:, k : k + at_once], group.terms) for k in parts)
    return surrogate_test(spectra, seed=seed, n=n, spread=group.spread)


def group_maps(
    group: Group, shape: tuple[int, int, int], *, seed: int, n: int
) -> dict[str, np.ndarray]:
    """Return what holds over participants where all of them have a score.

    Parameters
    ----------
    group : Group
    shape : tuple of int
        Of the volume.
    seed, n : int
        Of surrogates and flips.

    Returns
    -------
    dict
        Volumes by name: ``r`` (mean; 0 outside); ``q`` and ``pmax``, the film as a random sample
        (1 outside); ``t`` of Fisher's z (0 outside), ``q-participants`` and
        ``pmax-participants``, participants as a random sample (1 outside).
    """
    film = film_test(group, seed=seed, n=n)
    people = group_test(np.arctanh(np.clip(group.r, -0.999, 0.999)), seed=seed, n=n)
    maps = {}
    for name, voxels, outside in (
        ("r", film.r, 0),
        ("q", film.q, 1),
        ("pmax", film.p_max, 1),
        ("t", people.t, 0),
        ("q-participants", people.q, 1),
        ("pmax-participants", people.p_max, 1),
    ):
        volume = np.full(int(np.prod(shape)), outside, dtype=np.float32)
        volume[group.places] = voxels
        maps[name] = volume.reshape(shape)
    return maps
