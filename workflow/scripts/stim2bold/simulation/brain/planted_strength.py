"""How strong the planted signal must be for the ceiling that is asked for."""

import numpy as np
import pandas as pd
from scipy.ndimage import map_coordinates
from scipy.optimize import brentq

from stim2bold.simulation.brain.deformation import (
    apply_affine,
)
from stim2bold.simulation.brain.planted_regions import KIND_NUMBERS
from stim2bold.simulation.brain.planted_signal import AFFINE
from stim2bold.simulation.film.planted_dimensions import high_passed

N_CALIBRATION = 600


def planted_voxels(
    regions: np.ndarray, kinds: np.ndarray, weights: dict[str, np.ndarray]
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the planted voxels of the MNI grid and their weights, each of length one."""
    index = np.argwhere(regions > 0)
    names = {number: kind for kind, number in KIND_NUMBERS.items()}
    labels = np.array([names[value] for value in regions[tuple(index.T)]], dtype=object)
    table = np.zeros((len(index), len(kinds)), dtype=np.float32)
    for kind, fields in weights.items():
        mine = np.flatnonzero(labels == kind)
        table[np.ix_(mine, np.flatnonzero(kinds == kind))] = fields[:, *index[mine].T].T
    voxels = pd.DataFrame(index, columns=list("ijk"))
    voxels[list("xyz")] = apply_affine(AFFINE, index.astype(float))
    return voxels.assign(kind=labels, ceiling=np.nan), table


def find_strength(
    series: np.ndarray,
    response: np.ndarray,
    near: np.ndarray,
    moves: np.ndarray,
    affine: np.ndarray,
    places: np.ndarray,
    truth: np.ndarray,
    *,
    ceiling: float,
    TR: float,
) -> tuple[float, np.ndarray]:
    """Find the strength of signal that gives the wanted mean correlation.

    Parameters
    ----------
    series : ndarray of shape (n_volumes, nx, ny, nz)
        Measured without signal.
    response, near
        What the signal adds to it at strength 1, see `scanning.scan`.
    moves : ndarray of shape (n_volumes, 4, 4)
        The true motion.
    affine : ndarray of shape (4, 4)
        Of the BOLD grid.
    places : ndarray of shape (n, 3)
        Where in BOLD scanner space, during volume 0, planted voxels of MNI space lie.
    truth : ndarray of shape (n_volumes, n)
        Their planted signal.
    ceiling : float
        The wanted correlation.
    TR : float
        Seconds between volumes.

    Returns
    -------
    strength : float
        Relative to the brightness of the voxel.
    correlations : ndarray of shape (n,)
        Of planted and measured signal at that strength, both high-passed; their mean is `ceiling`.

    Raises
    ------
    ValueError
        When no strength up to 50 % gives that correlation.
    """
    to_index = np.linalg.inv(affine)
    background, added = (np.empty((len(moves), len(places))) for _ in range(2))
    volume = np.zeros(series.shape[1:], dtype=np.float32)
    for number, move in enumerate(moves):
        at = apply_affine(to_index @ move, places).T
        background[number] = map_coordinates(series[number], at, order=3)
        volume.reshape(-1)[near] = response[number]
        added[number] = map_coordinates(volume, at, order=3)
    background, added, truth = (
        high_passed(part.astype(np.float64), TR=TR) for part in (background, added, truth)
    )
    truth = truth / np.linalg.norm(truth, axis=0)

    def correlations(strength: float) -> np.ndarray:
        measured = background + strength * added
        return (measured * truth).sum(axis=0) / np.linalg.norm(measured, axis=0)

    strongest = 0.5
    if correlations(strongest).mean() < ceiling:
        raise ValueError(
            f"ceiling: {ceiling} cannot be reached even with a signal of {strongest:.0%}; "
            "take a lower ceiling, less motion or a longer film"
        )
    strength = brentq(lambda g: correlations(g).mean() - ceiling, 0.0, strongest, xtol=1e-7)
    return float(strength), correlations(strength)
