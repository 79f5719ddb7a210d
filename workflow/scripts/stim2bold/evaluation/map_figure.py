"""Pictures of statistical maps on the template."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import nibabel as nib
import numpy as np
from nilearn import plotting

from stim2bold.io.files import replacing

#: World z of the slices in mm: from the temporal poles over auditory cortex to parietal cortex.
SLICES = (-16, -4, 4, 12, 20, 32, 46)


def symmetric_limit(images: list[nib.Nifti1Image]) -> float:
    """Return one colour limit for several maps: the 99.5th percentile of their absolute values.

    Parameters
    ----------
    images : list of Nifti1Image
        Maps; zeros and NaN lie outside the mask and do not count.

    Returns
    -------
    float
        At least 0.05, so that pure noise does not look like a result.
    """
    values = np.concatenate([np.asarray(image.dataobj).ravel() for image in images])
    values = np.abs(values[np.isfinite(values) & (values != 0)])
    return max(0.05, float(np.percentile(values, 99.5))) if values.size else 0.05


def draw_rows(images: list[nib.Nifti1Image], names: list[str], *, path: str | Path) -> None:
    """Draw maps below one another, in axial slices of the template, on one colour scale.

    Parameters
    ----------
    images : list of Nifti1Image
        Maps in template space.
    names : list of str
        What stands at the left of each row.
    path : str or Path
        The picture to write; its suffix says the format.
    """
    limit = symmetric_limit(images)
    figure, axes = plt.subplots(
        len(images), 1, figsize=(14, 2.6 * len(images)), squeeze=False, facecolor="white"
    )
    for image, name, axis in zip(images, names, axes[:, 0], strict=True):
        clean = nib.Nifti1Image(
            np.nan_to_num(np.asarray(image.dataobj, dtype=np.float32)), image.affine
        )
        plotting.plot_stat_map(
            clean,
            axes=axis,
            figure=figure,
            display_mode="z",
            cut_coords=SLICES,
            vmax=limit,
            cmap="RdBu_r",
            black_bg=False,
            title=name,
            colorbar=True,
            cbar_tick_format="%.2f",
        )
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=90)
    plt.close(figure)
