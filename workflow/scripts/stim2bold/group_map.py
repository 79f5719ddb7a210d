"""What holds for the participants as a sample: random effects of their maps, by sign flips."""

from dataclasses import dataclass
from itertools import product
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy.stats import false_discovery_control

from stim2bold.errors import InputError


@dataclass(frozen=True)
class GroupTest:
    """A one-sided test at each voxel that participants' values are centred above 0.

    Parameters
    ----------
    t, p, q, p_max : ndarray of shape (n_voxels,)
        Student's t; its p by flipping the signs of participants; the false-discovery rate; and p
        by the largest t of all voxels, which corrects for their number.
    n_flips : int
        Flips that were made, the observed signs among them: no p is below ``1 / n_flips``.
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

    Under the null a participant's values are as likely with the opposite sign; all voxels of a
    participant are flipped together, which keeps what is correlated between them (Nichols & Holmes,
    Human Brain Mapping 15:1, 2002).

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
    t, count = np.zeros(n_voxels), np.zeros(n_voxels)
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
        count[here] = (flipped >= flipped[0] - 1e-9).sum(axis=0)
        highest = np.maximum(highest, flipped.max(axis=1))
    p = count / len(signs)
    reached = np.searchsorted(np.sort(highest), t - 1e-9)
    return GroupTest(t, p, false_discovery_control(p), 1 - reached / len(signs), len(signs))


def read_maps(paths: list[Path]) -> tuple[np.ndarray, nib.Nifti1Image]:
    """Read participants' maps of one template space.

    Parameters
    ----------
    paths : list of Path
        0 where a participant has no voxel.

    Returns
    -------
    volumes : ndarray of shape (n_participants, x, y, z)
    first : Nifti1Image
        The first map, for its space.

    Raises
    ------
    InputError
        When the grids differ.
    """
    first = nib.load(paths[0])
    volumes = []
    for path in paths:
        image = nib.load(path)
        if image.shape != first.shape or not np.allclose(image.affine, first.affine, atol=1e-3):
            raise InputError(
                f"{path}: lies on another grid than {paths[0]}; set preprocessing.resolution to "
                "one voxel size in mm for all"
            )
        volumes.append(image.get_fdata(dtype=np.float32))
    return np.stack(volumes), first


def group_maps(volumes: np.ndarray, *, seed: int, n: int) -> tuple[dict[str, np.ndarray], int]:
    """Return what holds over participants where all of them have a voxel.

    Parameters
    ----------
    volumes : ndarray of shape (n_participants, x, y, z)
        Correlations; 0 where a participant has no voxel.
    seed, n : int
        As for `group_test`, which sees Fisher's z.

    Returns
    -------
    maps : dict
        ``r`` (mean; 0 outside), ``t`` (0 outside), ``q`` and ``pmax`` (1 outside), each (x, y, z).
    n_flips : int
    """
    shared = (volumes != 0).all(axis=0)
    values = volumes[:, shared]
    test = group_test(np.arctanh(np.clip(values, -0.999, 0.999)), seed=seed, n=n)
    maps = {}
    for name, voxels, outside in (
        ("r", values.mean(axis=0), 0),
        ("t", test.t, 0),
        ("q", test.q, 1),
        ("pmax", test.p_max, 1),
    ):
        maps[name] = np.full(shared.shape, outside, dtype=np.float32)
        maps[name][shared] = voxels
    return maps, test.n_flips
