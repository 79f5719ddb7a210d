"""What was planted above what was found, slice by slice."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import nibabel as nib
import numpy as np
from matplotlib.colors import ListedColormap
from nilearn import plotting

from stim2bold.evaluation.map_figure import SLICES, symmetric_limit
from stim2bold.io.files import replacing
from stim2bold.simulation.brain.planted_regions import KIND_NUMBERS

#: Of the kinds of region, distinct without colour vision.
COLOURS = {"visual": "#0072b2", "auditory": "#d55e00", "language": "#009e73"}
#: r from which it is drawn.
SHOWN = 0.05


def draw_recovery(
    planted: nib.Nifti1Image,
    maps: dict[str, nib.Nifti1Image],
    *,
    path: str | Path,
) -> None:
    """Draw the planted regions, and below them each map.

    Parameters
    ----------
    planted : Nifti1Image
        Kinds of region, from `stim2bold.simulation.brain.recovery.kinds_of_group`.
    maps : dict
        r by the name of the map.
    path : str or Path
        The picture to write.
    """
    figure, axes = plt.subplots(
        len(maps) + 1, 1, figsize=(14, 2.4 * (len(maps) + 1)), squeeze=False, facecolor="white"
    )
    labels = np.clip(np.asarray(planted.dataobj), 0, None).astype(np.int16)
    plotting.plot_roi(
        nib.Nifti1Image(labels, planted.affine),
        axes=axes[0, 0],
        figure=figure,
        display_mode="z",
        cut_coords=SLICES,
        cmap=ListedColormap([COLOURS[kind] for kind in KIND_NUMBERS]),
        vmin=1,
        vmax=len(KIND_NUMBERS),
        alpha=0.9,
        black_bg=False,
        colorbar=False,
        title="planted: " + ", ".join(KIND_NUMBERS),
    )
    limit = symmetric_limit(list(maps.values()))
    for (name, image), axis in zip(maps.items(), axes[1:, 0], strict=True):
        plotting.plot_stat_map(
            image,
            axes=axis,
            figure=figure,
            display_mode="z",
            cut_coords=SLICES,
            vmax=limit,
            threshold=SHOWN,
            cmap="RdBu_r",
            black_bg=False,
            title=f"found: r, {name}",
            cbar_tick_format="%.2f",
        )
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=90, bbox_inches="tight")
    plt.close(figure)
