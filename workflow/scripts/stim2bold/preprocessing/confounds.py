"""Nuisance regressors under the names that fMRIPrep gives them.

Definitions are those of fMRIPrep 25 (its "Confounds" page): what differs is that tissue signals are
taken from the series in template space, the only one that is resampled.
"""

import logging
from dataclasses import dataclass

import nibabel as nib
import numpy as np
import pandas as pd
from nipype.algorithms.confounds import compute_noise_components
from scipy import linalg, ndimage

from stim2bold.preprocessing.head_motion import rigid_parameters

log = logging.getLogger(__name__)

MOTION = ("trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z")


@dataclass(frozen=True, kw_only=True)
class ConfoundSettings:
    """Constants of the regressors, with fMRIPrep's defaults.

    Attributes
    ----------
    head_radius : float
        Millimetres; turns rotations into FD.
    outlier_fd, outlier_dvars : float
        A volume beyond either is a motion outlier (mm; standardised DVARS).
    compcor_variance : float
        Components are kept until they explain this share.
    temporal_share : float
        tCompCor takes this share of the brain's voxels, the most variable ones.
    cosine_period : float
        Seconds; drifts slower than this are described by cosines.
    """

    head_radius: float
    outlier_fd: float
    outlier_dvars: float
    compcor_variance: float
    temporal_share: float = 0.02
    cosine_period: float


def framewise_displacement(parameters: np.ndarray, head_radius: float) -> np.ndarray:
    """Return the displacement from volume to volume (Power et al. 2012).

    Parameters
    ----------
    parameters : ndarray of shape (n_volumes, 6)
        Translations (mm), rotations (radians).
    head_radius : float
        Millimetres.

    Returns
    -------
    ndarray of shape (n_volumes,)
        Millimetres; NaN for the first volume.
    """
    moved = np.abs(np.diff(parameters, axis=0))
    return np.concatenate([[np.nan], moved[:, :3].sum(1) + head_radius * moved[:, 3:].sum(1)])


def dvars(voxels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the root mean square change from volume to volume, and its standardised form.

    Parameters
    ----------
    voxels : ndarray of shape (n_voxels, n_volumes)
        Series of the brain's voxels. Those that do not vary are left out.

    Returns
    -------
    plain, standardised : ndarray of shape (n_volumes,)
        Scaled to a median of 1000; divided by what independent noise would give (Nichols 2013).
        NaN for the first volume.
    """
    voxels = np.asarray(voxels, dtype=np.float32)
    voxels = voxels / np.median(voxels) * np.float32(1000)
    # "lower", as FSL does.
    high, low = np.percentile(voxels, [75, 25], axis=1, method="lower")
    spread = (high - low) / 1.349
    voxels, spread = voxels[spread > 0], spread[spread > 0]
    centred = voxels - voxels.mean(axis=1, keepdims=True)
    # Yule-Walker estimate of the lag-1 coefficient.
    variance = np.einsum("vt,vt->v", centred, centred, dtype=np.float64)
    lagged = np.einsum("vt,vt->v", centred[:, 1:], centred[:, :-1], dtype=np.float64)
    expected = (np.sqrt(2 * (1 - lagged / variance)) * spread).mean()
    change = np.diff(voxels, axis=1)
    plain = np.sqrt(np.einsum("vt,vt->t", change, change, dtype=np.float64) / len(change))
    return np.concatenate([[np.nan], plain]), np.concatenate([[np.nan], plain / expected])


def expansions(name: str, series: np.ndarray) -> dict[str, np.ndarray]:
    """Return a regressor, its derivative and the squares of both, as fMRIPrep names them."""
    derivative = np.concatenate([[np.nan], np.diff(series)])
    return {
        name: series,
        f"{name}_derivative1": derivative,
        f"{name}_power2": series**2,
        f"{name}_derivative1_power2": derivative**2,
    }


def spikes(prefix: str, volumes: np.ndarray, n_volumes: int) -> dict[str, np.ndarray]:
    """Return one regressor for each volume: 1 there, 0 elsewhere."""
    width = max(2, len(str(len(volumes) - 1)))
    columns = {}
    for number, volume in enumerate(volumes):
        column = np.zeros(n_volumes)
        column[volume] = 1
        columns[f"{prefix}{number:0{width}d}"] = column
    return columns


def noise_masks(
    tissues: dict[str, np.ndarray], brain: np.ndarray, *, fewest: int = 20
) -> dict[str, np.ndarray]:
    """Return where aCompCor looks for noise: fluid and white matter well away from grey matter.

    Parameters
    ----------
    tissues : dict of str to ndarray of shape (x, y, z)
        Probabilities of GM, WM and CSF on the grid of the series.
    brain : ndarray of shape (x, y, z), bool
        Brain mask.
    fewest : int
        Voxels that a mask must have; the threshold is lowered until it does.

    Returns
    -------
    dict of str to (x, y, z) bool array
        CSF, WM and combined. A mask may stay empty where a brain has none of its tissue.
    """
    near_grey = ndimage.binary_dilation(tissues["GM"] > 0.5) & brain
    masks = {}
    for name in ("CSF", "WM"):
        for threshold, forbidden in (
            (0.99, near_grey),
            (0.95, near_grey),
            (0.9, near_grey),
            (0.9, tissues["GM"] > 0.05),
            (0.7, tissues["GM"] > 0.25),
        ):
            masks[name] = (tissues[name] > threshold) & brain & ~forbidden
            if masks[name].sum() >= fewest:
                break
        log.info("%s for aCompCor: %d voxels above %g", name, masks[name].sum(), threshold)
    masks["combined"] = masks["CSF"] | masks["WM"]
    return masks


def most_variable(voxels: np.ndarray, share: float) -> np.ndarray:
    """Return which rows of (n_voxels, n_volumes) vary most, after removing a straight line."""
    time = np.linspace(-1, 1, voxels.shape[1])
    line = np.stack([np.ones_like(time), time], axis=1)
    basis = linalg.orth(line).astype(np.float32)
    spread = (voxels - (voxels @ basis) @ basis.T).std(axis=1)
    return spread > np.quantile(spread, 1 - share)


def components(
    series: np.ndarray,
    masks: dict[str, np.ndarray],
    *,
    prefixes: dict[str, str],
    method: str,
    TR: float,
    settings: ConfoundSettings,
) -> tuple[dict[str, np.ndarray], dict[str, dict], np.ndarray]:
    """Return the main components of the series inside each mask (Behzadi et al. 2007).

    Parameters
    ----------
    series : ndarray of shape (x, y, z, n_volumes)
        From the steady state on.
    masks : dict of str to (x, y, z) bool array
        Empty ones are passed over.
    prefixes : dict of str to str
        What the columns of each mask are called, before the number.
    method : str
        ``aCompCor`` or ``tCompCor``.
    TR : float
        Seconds.
    settings : ConfoundSettings
        Share of variance, period of the cosines.

    Returns
    -------
    columns : dict of str to ndarray of shape (n_volumes,)
        The kept components.
    metadata : dict of str to dict
        For each, what fMRIPrep's JSON says.
    cosines : ndarray of shape (n_volumes, n_cosines)
        The drifts that were removed first.
    """
    columns, metadata, cosines = {}, {}, np.empty((series.shape[3], 0))
    for name, mask in masks.items():
        if mask.sum() < 3:
            log.warning("%s: no voxels in mask %s, so no components of it", method, name)
            continue
        found, cosines, said = compute_noise_components(
            series,
            [nib.Nifti1Image(mask.astype(np.uint8), np.eye(4))],
            components_criterion=settings.compcor_variance,
            filter_type="cosine",
            period_cut=settings.cosine_period,
            repetition_time=TR,
            mask_names=[name],
        )
        for number in range(found.shape[1]):
            column = f"{prefixes[name]}_{number:02d}"
            columns[column] = found[:, number]
            metadata[column] = {
                "Method": method,
                "Mask": name,
                "Retained": True,
                "SingularValue": float(said["singular_value"][number]),
                "VarianceExplained": float(said["variance_explained"][number]),
                "CumulativeVarianceExplained": float(said["cumulative_variance_explained"][number]),
            }
            if method == "tCompCor":
                del metadata[column]["Mask"]
    return columns, metadata, np.asarray(cosines).reshape(series.shape[3], -1)


def padded(series: np.ndarray, n_before: int) -> np.ndarray:
    """Put zeros before a regressor, for the volumes before the steady state."""
    return np.concatenate([np.zeros(n_before), series])


def make_confounds(
    series: nib.Nifti1Image,
    brain: np.ndarray,
    tissues: dict[str, np.ndarray],
    *,
    motion: np.ndarray,
    centre: np.ndarray,
    non_steady: int,
    TR: float,
    settings: ConfoundSettings,
) -> tuple[pd.DataFrame, dict[str, dict]]:
    """Make every nuisance regressor of a run.

    Parameters
    ----------
    series : Nifti1Image
        Resampled, shape (x, y, z, n_volumes).
    brain : ndarray of shape (x, y, z), bool
        Brain mask.
    tissues : dict of str to ndarray of shape (x, y, z)
        Probabilities of GM, WM and CSF on the same grid.
    motion : ndarray of shape (n_volumes, 4, 4)
        Points of the reference to points of each volume.
    centre : ndarray of shape (3,)
        World point about which rotations are given.
    non_steady : int
        Volumes at the start before the steady state.
    TR : float
        Seconds.
    settings : ConfoundSettings
        Constants.

    Returns
    -------
    table : DataFrame
        One row a volume, one column a regressor.
    metadata : dict of str to dict
        What the JSON sidecar says of columns.
    """
    data = np.asarray(series.dataobj, dtype=np.float32)
    n_volumes = data.shape[3]
    parameters = rigid_parameters(motion, centre)
    voxels = data[brain]
    means = {
        "global_signal": brain,
        # fMRIPrep: from the same eroded masks as aCompCor.
        "csf": (masks := noise_masks(tissues, brain))["CSF"],
        "white_matter": masks["WM"],
    }
    columns: dict[str, np.ndarray] = {}
    for name, mask in means.items():
        if not mask.any():
            log.warning("%s: its mask is empty, so the column is zero", name)
        signal = data[mask].mean(axis=0, dtype=np.float64) if mask.any() else np.zeros(n_volumes)
        columns |= expansions(name, signal)
    displacement = framewise_displacement(parameters, settings.head_radius)
    plain, standardised = dvars(voxels)
    columns |= {
        "std_dvars": standardised,
        "dvars": plain,
        "framewise_displacement": displacement,
    }
    for number, name in enumerate(MOTION):
        columns |= expansions(name, parameters[:, number])
    outliers = np.flatnonzero(
        (np.nan_to_num(displacement) > settings.outlier_fd)
        | (np.nan_to_num(standardised) > settings.outlier_dvars)
    )
    outliers = outliers[outliers >= non_steady]

    steady = data[..., non_steady:]
    eroded = ndimage.binary_erosion(brain, iterations=1)
    variable = np.zeros_like(brain)
    variable[eroded] = most_variable(data[eroded][:, non_steady:], settings.temporal_share)
    anatomical, said, cosines = components(
        steady,
        masks,
        # fMRIPrep's since version 21.
        prefixes={"CSF": "c_comp_cor", "WM": "w_comp_cor", "combined": "a_comp_cor"},
        method="aCompCor",
        TR=TR,
        settings=settings,
    )
    temporal, said_temporal, _ = components(
        steady,
        {"temporal": variable},
        prefixes={"temporal": "t_comp_cor"},
        method="tCompCor",
        TR=TR,
        settings=settings,
    )
    drifts = {f"cosine{k:02d}": column for k, column in enumerate(cosines.T)}
    for extra in (temporal, anatomical, drifts):
        columns |= {name: padded(column, non_steady) for name, column in extra.items()}
    columns |= spikes("non_steady_state_outlier", np.arange(non_steady), n_volumes)
    columns |= spikes("motion_outlier", outliers, n_volumes)
    said = {"global_signal": {"Method": "Mean"}, "csf": {"Method": "Mean"}} | said
    said["white_matter"] = {"Method": "Mean"}
    return pd.DataFrame(columns), said | said_temporal
