"""Numbers by which the quality of a run is judged, and what they warn of."""

from dataclasses import dataclass
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd


@dataclass(frozen=True, kw_only=True)
class QualitySettings:
    """Bounds beyond which a run is flagged.

    Parameters
    ----------
    mean_fd : float
        Mean framewise displacement, mm.
    outliers : float
        Share of the volumes that are motion outliers.
    dice : float
        Overlap of the run's brain with the template's, at the least.
    """

    mean_fd: float
    outliers: float
    dice: float


#: What is told of each run: words and unit.
MEASURES = {
    "volumes": "volumes",
    "mean_fd": "mean FD (mm)",
    "max_fd": "largest FD (mm)",
    "outliers": "outliers (share)",
    "mean_dvars": "mean DVARS",
    "tsnr": "median tSNR",
    "dice": "Dice with the template",
    "tissue_r": "R with its tissues",
}

#: Courses of a run, and their columns among the confounds.
COURSES = {"fd": "framewise_displacement", "std_dvars": "std_dvars"}


def measure(
    series: nib.Nifti1Image,
    mask: np.ndarray,
    confounds: pd.DataFrame,
    ratio: np.ndarray,
    *,
    template: np.ndarray,
    tissues: dict[str, np.ndarray],
) -> dict[str, float | None]:
    """Measure the quality of a run in template space.

    Parameters
    ----------
    series : Nifti1Image
        Shape (x, y, z, n_volumes).
    mask : ndarray of shape (x, y, z), bool
        The run's brain.
    confounds : DataFrame
        framewise_displacement, std_dvars and columns motion_outlier*; derivatives may lack them.
    ratio : ndarray of shape (x, y, z)
        tSNR.
    template : ndarray of shape (x, y, z), bool
        The template's brain on the same grid.
    tissues : dict of str to ndarray of shape (x, y, z)
        The template's tissue probabilities there.

    Returns
    -------
    dict
        One number for each of `MEASURES`, None where the confounds do not tell. ``tissue_r`` is
        the multiple correlation of the mean volume with the template's tissues, which falls where
        the two do not lie on one another.
    """
    fd, dvars = (numbers_of(confounds, name) for name in COURSES.values())
    outliers = confounds.filter(like="motion_outlier").to_numpy(dtype=float)
    mean = np.asarray(series.dataobj, dtype=np.float32).mean(axis=-1)[mask]
    design = np.column_stack([np.ones(mean.size), *(part[mask] for part in tissues.values())])
    fit = design @ np.linalg.lstsq(design, mean, rcond=None)[0]
    return {
        "volumes": len(confounds),
        "mean_fd": float(fd.mean()) if fd.size else None,
        "max_fd": float(fd.max()) if fd.size else None,
        "outliers": float(outliers.any(axis=1).mean()) if outliers.size else 0.0,
        "mean_dvars": float(dvars.mean()) if dvars.size else None,
        "tsnr": float(np.median(ratio[mask])),
        "dice": float(2 * (mask & template).sum() / (mask.sum() + template.sum())),
        "tissue_r": float(fit.std() / mean.std()) if mean.std() > 0 else 0.0,
    }


def numbers_of(confounds: pd.DataFrame, column: str) -> np.ndarray:
    """Return the finite numbers of a column; none where it is not there."""
    values = confounds.get(column, pd.Series(dtype=float)).to_numpy(dtype=float)
    return values[np.isfinite(values)]


def series_of(confounds: pd.DataFrame) -> dict[str, list[float | None]]:
    """Return framewise displacement and DVARS of each volume, None where there is none."""
    table = confounds.reindex(columns=list(COURSES.values()))
    return {
        name: [
            round(float(value), 4) if np.isfinite(value) else None
            for value in table[column].to_numpy(dtype=float)
        ]
        for name, column in COURSES.items()
    }


def thresholds(settings: QualitySettings) -> dict[str, float]:
    """Return the bound of each measure that has one."""
    return {
        "mean_fd": settings.mean_fd,
        "outliers": settings.outliers,
        "dice": settings.dice,
    }


def flags(measured: dict[str, Any], settings: QualitySettings) -> list[str]:
    """Say in words which bounds a run is beyond.

    Parameters
    ----------
    measured : dict
        As `measure` returns it.
    settings : QualitySettings
    """
    return [
        words
        for beyond, words in (
            (
                (measured["mean_fd"] or 0) > settings.mean_fd,
                f"mean FD above {settings.mean_fd:g} mm",
            ),
            (
                measured["outliers"] > settings.outliers,
                f"above {settings.outliers:.0%} outliers",
            ),
            (
                measured["dice"] < settings.dice,
                f"off the template or cut (Dice below {settings.dice:g})",
            ),
        )
        if beyond
    ]
