"""From preprocessed series to the voxels that models see: nuisance, drift, smoothing, masks."""

import glob
import logging
import tempfile
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
from scipy import ndimage

from stim2bold.io.tables import read_tsv
from stim2bold.preprocessing.confound_gaps import (
    RULE,
    confounds_of,
    filled,
    gap_words,
    gaps_after_first,
    too_many,
)
from stim2bold.preprocessing.registration import template
from stim2bold.preprocessing.resampling import box_means, sample, voxel_points
from stim2bold.runtime.errors import InputError

log = logging.getLogger(__name__)

FWHM = np.sqrt(8 * np.log(2))


@dataclass(frozen=True, kw_only=True)
class CleaningSettings:
    """What is removed from a series.

    Attributes
    ----------
    strategy : str
        Of `nilearn.interfaces.fmriprep.load_confounds_strategy`.
    motion : {'basic', 'derivatives', 'power2', 'full'}
        6, 12, 12 or 24 regressors of head motion, as nilearn names them. In minutes of film the
        response has few degrees of freedom, and 24 smooth regressors take much of it.
    high_pass : float
        Hz; drifts slower than this are removed.
    smoothing : float
        Full width at half maximum of a Gaussian, mm; 0 for none.
    mask : {'gm', 'brain'}
        Which voxels are kept.
    gm_threshold : float
        Voxels count as grey matter where the template's probability exceeds this.
    """

    strategy: str
    motion: str
    high_pass: float
    smoothing: float
    mask: str
    gm_threshold: float


@dataclass(frozen=True)
class Confounds:
    """The regressors of a run.

    Attributes
    ----------
    table : DataFrame
        One row a volume, without cosines: drift is removed by our own cut-off. All numbers, and
        no column is the same in all rows.
    kept : ndarray of shape (n_kept,), int
        Volumes that the fit may use.
    filled : dict of str to list of int
        Rows of each used column that held no number and were filled, see
        `stim2bold.preprocessing.confound_gaps.filled`; row 0 apart.
    left_out : list of str
        Columns of the strategy that are the same in all rows.
    """

    table: pd.DataFrame
    kept: np.ndarray
    filled: dict[str, list[int]]
    left_out: list[str]


def choose_confounds(series: str | Path, strategy: str, *, motion: str) -> Confounds:
    """Read a strategy's regressors from the folder of a preprocessed series.

    Parameters
    ----------
    series : str or Path
        Named as fMRIPrep names it, with its confounds beside it.
    strategy : str
        ``simple``, ``scrubbing``, ``compcor`` or ``ica_aroma``.
    motion : str
        ``basic``, ``derivatives``, ``power2`` or ``full``; ``ica_aroma`` takes none.

    Raises
    ------
    InputError
        When the strategy's columns are not there, or one of them has too many gaps.
    """
    # Half a second with scikit-learn, which those that only gather cleaned runs need not wait for.
    from nilearn.interfaces.fmriprep import load_confounds_strategy

    options = {} if strategy == "ica_aroma" else {"motion": motion}
    series = Path(series)
    run = series.name.split("_space-")[0]
    try:
        with tempfile.TemporaryDirectory() as folder:
            # Through links: nilearn looks for 'tsv' and entities in the whole path.
            gaps: dict[str, np.ndarray] = {}
            for path in (series, *series.parent.glob(f"{glob.escape(run)}_desc-confounds_*")):
                if path.suffix == ".tsv":
                    table = read_tsv(path)
                    # No strategy names a column with capitals, and nilearn refuses the whole table
                    # for one that a user has added.
                    known = [name for name in table.columns if name == name.lower()]
                    whole = confounds_of(table, known)
                    gaps, source = gaps | gaps_after_first(whole), path
                    mended = filled(whole)
                    mended.to_csv(Path(folder) / path.name, sep="\t", na_rep="n/a", index=False)
                else:
                    (Path(folder) / path.name).symlink_to(path.absolute())
            confounds, kept = load_confounds_strategy(
                str(Path(folder) / series.name), denoise_strategy=strategy, **options
            )
    except (ValueError, KeyError, FileNotFoundError) as error:
        raise InputError(
            series,
            f"strategy {strategy} cannot be used: {error}",
            "choose another preprocessing.strategy or add the missing columns",
        ) from error
    confounds = confounds.drop(columns=[n for n in confounds if n.startswith("cosine")])
    kept = np.arange(len(confounds)) if kept is None else np.asarray(kept)
    used = {name: rows for name, rows in gaps.items() if name in confounds}
    for name, rows in used.items():
        if too_many(rows, len(confounds)):
            raise InputError(
                source,
                f"{gap_words(name, rows)}: too many to fill",
                "choose another preprocessing.cleaning.strategy or motion, or run fMRIPrep again",
            )
        log.warning("%s: %s: filled %s", source, gap_words(name, rows), RULE)
    # Over the volumes that the fit uses; centred columns may differ by their rounding.
    varies = np.ptp(confounds.to_numpy(dtype=float)[kept], axis=0) > 1e-12
    constant = [name for name, there in zip(confounds, varies, strict=True) if not there]
    if constant:
        log.warning("%s: left out, for they do not vary: %s", series, ", ".join(constant))
    return Confounds(
        table=confounds.drop(columns=constant),
        kept=kept,
        filled={name: rows.tolist() for name, rows in used.items()},
        left_out=constant,
    )


def smooth_inside(data: np.ndarray, mask: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """Smooth one volume inside a mask, so that nothing from outside of it leaks in."""
    weight = ndimage.gaussian_filter(mask.astype(np.float32), sigma, mode="constant")
    blurred = ndimage.gaussian_filter(
        np.where(mask, data, 0).astype(np.float32), sigma, mode="constant"
    )
    return np.where(mask, blurred / np.maximum(weight, 1e-6), 0)


def analysis_mask(brain: nib.Nifti1Image, settings: CleaningSettings) -> np.ndarray:
    """Return the voxels that are kept: the brain, or the template's grey matter in it.

    Parameters
    ----------
    brain : Nifti1Image
        Brain mask in template space.
    settings : CleaningSettings
        Which mask.

    Returns
    -------
    ndarray of shape (x, y, z), bool
        The template's grey matter, not the participant's: voxels must mean the same in everyone.
    """
    inside = np.asarray(brain.dataobj) > 0.5
    if settings.mask == "brain":
        return inside
    # The mean over the voxel, not the probability at its centre.
    grey = box_means(template("GM", 1), np.linalg.norm(brain.affine[:3, :3], axis=0))
    return inside & (sample(grey, voxel_points(brain)) > settings.gm_threshold)


def clean_series(
    series: nib.Nifti1Image,
    mask: np.ndarray,
    confounds: pd.DataFrame,
    *,
    kept: np.ndarray,
    TR: float,
    settings: CleaningSettings,
) -> np.ndarray:
    """Remove nuisance and drift in one regression; the result is percent signal change.

    Parameters
    ----------
    series : Nifti1Image
        Shape (x, y, z, n_volumes).
    mask : ndarray of shape (x, y, z), bool
        Voxels that are kept: those of `stim2bold.preprocessing.signal_voxels.with_signal`.
    confounds : DataFrame
        One row a volume.
    kept : ndarray of shape (n_kept,), int
        Volumes that the fit may use. The others are filled in between their neighbours, so that
        row k of the result is volume k.
    TR : float
        Seconds.
    settings : CleaningSettings
        Cut-off and smoothing.

    Returns
    -------
    ndarray of shape (n_volumes, n_voxels), float32
        Percent of each voxel's mean.
    """
    from nilearn.signal import clean

    n_volumes = series.shape[3]
    voxels = np.empty((n_volumes, int(mask.sum())), dtype=np.float32)
    sigma = settings.smoothing / FWHM / np.linalg.norm(series.affine[:3, :3], axis=0)
    for k in range(n_volumes):
        volume = np.asarray(series.dataobj[..., k], dtype=np.float32)
        if settings.smoothing > 0:
            volume = smooth_inside(volume, mask, sigma)
        voxels[k] = volume[mask]
    means = voxels[kept].mean(axis=0, dtype=np.float64)
    cleaned = clean(
        voxels,
        confounds=confounds.to_numpy(dtype=float),
        sample_mask=kept,
        detrend=True,
        standardize=None,
        standardize_confounds=True,
        filter="cosine",
        high_pass=settings.high_pass,
        t_r=TR,
        ensure_finite=False,
    )
    cleaned = cleaned * (100 / means)
    if len(kept) < n_volumes:
        log.info("%d volumes filled in from their neighbours", n_volumes - len(kept))
        filled = np.empty((n_volumes, cleaned.shape[1]), dtype=np.float32)
        position = np.interp(np.arange(n_volumes), kept, np.arange(len(kept)))
        before = np.floor(position).astype(int)
        after = np.minimum(before + 1, len(kept) - 1)
        share = (position - before)[:, None]
        filled[:] = (1 - share) * cleaned[before] + share * cleaned[after]
        cleaned = filled
    return cleaned.astype(np.float32)
