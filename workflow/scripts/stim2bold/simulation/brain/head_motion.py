"""How a participant moves in the scanner: slow drift, breathing and sudden jerks, all known.

Convention, of `matrices` and of the truth files: the rigid map of volume t takes a point of the
head from where it was during volume 0 to where it is during volume t, in millimetres of the BOLD
scanner space (RAS+), turning about the origin of that space:
    p_t = Rz(rot_z) Ry(rot_y) Rx(rot_x) p_0 + (trans_x, trans_y, trans_z).
"""

import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter1d

from stim2bold.simulation.brain.deformation import rigid

COLUMNS = ("trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z")
"""Millimetres and radians."""


def draw_motion(
    n_volumes: int,
    *,
    TR: float,
    largest_mm: float,
    largest_degrees: float,
    n_jerks: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Draw the motion of a run.

    Parameters
    ----------
    n_volumes : int
        Volumes.
    TR : float
        Seconds between them.
    largest_mm, largest_degrees : float
        Largest shift along, and largest turn about, any axis.
    n_jerks : int
        Sudden movements; the head then comes back in part over some seconds.
    rng : numpy Generator
        Source of chance.

    Returns
    -------
    DataFrame, (n_volumes, 6)
        Columns `COLUMNS`; volume 0 is at rest.
    """
    walk = np.cumsum(rng.standard_normal((n_volumes, 6)), axis=0)
    slow = gaussian_filter1d(walk, max(1.0, 8 / TR), axis=0, mode="nearest")
    slow -= slow[0]
    slow /= np.abs(slow).max(axis=0).clip(1e-12)
    time = np.arange(n_volumes) * TR
    moved = 0.6 * slow * rng.uniform(0.3, 1.0, 6)
    for _ in range(n_jerks):
        onset = rng.uniform(0.05, 0.95) * n_volumes * TR
        since = np.maximum(time - onset, 0)
        kick = (time >= onset)[:, None] * rng.normal(0, 0.5, 6)
        stays = rng.uniform(0.1, 0.6)
        moved += kick * (stays + (1 - stays) * np.exp(-since / rng.uniform(0.8, 4.0)))[:, None]
    # Breathing moves the head a little, mostly along the body and in pitch.
    breath = np.sin(2 * np.pi * 0.27 * time + rng.uniform(0, 2 * np.pi))
    moved += 0.02 * breath[:, None] * np.array([0.2, 0.5, 1.0, 1.0, 0.2, 0.2])
    moved -= moved[0]
    for part, largest in (
        (slice(0, 3), largest_mm),
        (slice(3, 6), np.radians(largest_degrees)),
    ):
        moved[:, part] *= largest / np.abs(moved[:, part]).max().clip(1e-12)
    return pd.DataFrame(moved, columns=list(COLUMNS))


def matrices(motion: pd.DataFrame) -> np.ndarray:
    """Return the rigid map of every volume.

    Parameters
    ----------
    motion : DataFrame, (n_volumes, 6)
        Columns `COLUMNS`.

    Returns
    -------
    ndarray of shape (n_volumes, 4, 4)
        From a point during volume 0 to the same point during volume t.
    """
    return np.stack([rigid(row[:3], row[3:]) for row in motion[list(COLUMNS)].to_numpy()])
