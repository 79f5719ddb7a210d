"""Figures by which a person judges whether preprocessing went right."""

from pathlib import Path

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt  # noqa: E402
import nibabel as nib  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

from stim2bold.io.files import replacing  # noqa: E402
from stim2bold.preprocessing.scan_clock import row_middles  # noqa: E402

# Okabe & Ito's colours, told apart by colour-blind readers.
ORANGE, SKY, GREEN, YELLOW, BLUE, RED = (
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#F0E442",
    "#0072B2",
    "#D55E00",
)


def save_figure(figure: plt.Figure, path: str | Path) -> None:
    """Write a figure and close it; the same data give the same bytes."""
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=110, metadata={"Software": None})
    plt.close(figure)


def tsnr(series: nib.Nifti1Image, mask: np.ndarray, *, first: int = 0) -> np.ndarray:
    """Return the temporal signal-to-noise ratio of each voxel after removing a straight line.

    Parameters
    ----------
    series : Nifti1Image
        Shape (x, y, z, n_volumes).
    mask : ndarray of shape (x, y, z), bool
        Voxels looked at; the rest is 0.
    first : int
        Volumes before this are left out.

    Returns
    -------
    ndarray of shape (x, y, z), float32
        Mean divided by standard deviation.
    """
    voxels = np.asarray(series.dataobj, dtype=np.float32)[mask][:, first:]
    mean = voxels.mean(axis=1, dtype=np.float64)
    time = np.linspace(-1, 1, voxels.shape[1])
    time /= np.linalg.norm(time)
    residual = voxels - mean[:, None].astype(np.float32)
    residual -= np.outer(residual @ time, time).astype(np.float32)
    spread = residual.std(axis=1, dtype=np.float64)
    ratio = np.zeros(mask.shape, dtype=np.float32)
    ratio[mask] = np.where(spread > 0, mean / np.maximum(spread, 1e-9), 0)
    return ratio


def carpet_figure(
    voxels: np.ndarray, kinds: np.ndarray, confounds: pd.DataFrame, *, TR: float, title: str
) -> plt.Figure:
    """Draw every voxel's series as a row of grey, below the signs of motion (Power 2017).

    Parameters
    ----------
    voxels : ndarray of shape (n_voxels, n_volumes)
        Series of the brain's voxels.
    kinds : ndarray of shape (n_voxels,), int
        Tissue of each: 1 GM, 2 WM, 3 CSF.
    confounds : DataFrame
        With framewise_displacement, dvars, std_dvars and global_signal.
    TR : float
        Seconds.
    title : str
        Above all.
    """
    order = np.concatenate([np.flatnonzero(kinds == kind) for kind in (1, 2, 3)])
    # More rows than pixels would only be averaged by the renderer, unevenly.
    order = order[:: max(1, len(order) // 1200)]
    rows = voxels[order].astype(np.float32)
    time = np.linspace(-1, 1, rows.shape[1], dtype=np.float32)
    rows = rows - rows.mean(axis=1, keepdims=True)
    rows -= np.outer(rows @ time / (time @ time), time)
    rows /= np.maximum(rows.std(axis=1, keepdims=True), 1e-6)
    seconds = row_middles(np.arange(rows.shape[1]), TR=TR, film_onset=0.0)
    figure, axes = plt.subplots(
        4,
        1,
        figsize=(11, 7.5),
        sharex=True,
        gridspec_kw={"height_ratios": [1, 1, 1, 5], "hspace": 0.12},
    )
    for panel, (name, label, colour) in zip(
        axes,
        (
            ("framewise_displacement", "FD (mm)", RED),
            ("std_dvars", "DVARS (std.)", BLUE),
            ("global_signal", "global signal", GREEN),
        ),
        strict=False,
    ):
        values = confounds[name].to_numpy(dtype=float)
        panel.plot(seconds, values, color=colour, linewidth=0.9)
        panel.set_ylabel(label, fontsize=8)
        panel.text(
            0.995,
            1.0,
            f"mean {np.nanmean(values):.3g}, max {np.nanmax(values):.3g}",
            transform=panel.transAxes,
            ha="right",
            va="top",
            fontsize=7,
        )
        panel.margins(x=0)
        panel.tick_params(labelsize=7)
        panel.spines[["top", "right"]].set_visible(False)
    carpet = axes[3]
    carpet.imshow(
        rows,
        aspect="auto",
        cmap="gray",
        vmin=-2,
        vmax=2,
        extent=(0, rows.shape[1] * TR, len(rows), 0),
        interpolation="nearest",
    )
    start = 0
    for kind, name, colour in ((1, "GM", BLUE), (2, "WM", ORANGE), (3, "CSF", GREEN)):
        stop = start + int((kinds[order] == kind).sum())
        carpet.plot([0, 0], [start, stop], color=colour, linewidth=6, clip_on=False)
        if stop > start:
            carpet.text(
                -0.012,
                1 - (start + stop) / 2 / len(rows),
                name,
                transform=carpet.transAxes,
                rotation=90,
                ha="right",
                va="center",
                color=colour,
                fontsize=8,
            )
        start = stop
    carpet.set_yticks([])
    carpet.set_xlabel("time (s)", fontsize=8)
    carpet.tick_params(labelsize=7)
    figure.suptitle(title, fontsize=10, x=0.06, ha="left")
    figure.subplots_adjust(left=0.06, right=0.985, top=0.94, bottom=0.06)
    return figure


def motion_figure(confounds: pd.DataFrame, *, TR: float, outlier: float, title: str) -> plt.Figure:
    """Draw the six parameters of head motion and FD.

    Parameters
    ----------
    confounds : DataFrame
        With the columns of fMRIPrep; rotations in radians.
    TR : float
        Seconds.
    outlier : float
        FD beyond which a volume is an outlier, mm.
    title : str
        Above all.
    """
    seconds = row_middles(np.arange(len(confounds)), TR=TR, film_onset=0.0)
    figure, axes = plt.subplots(3, 1, figsize=(11, 6), sharex=True)
    for panel, prefix, factor, label in (
        (axes[0], "trans", 1.0, "shift (mm)"),
        (axes[1], "rot", 180 / np.pi, "turn (degrees)"),
    ):
        names = ("x", "y", "z")
        for axis, colour in zip(names, (RED, GREEN, BLUE), strict=True):
            panel.plot(
                seconds, factor * confounds[f"{prefix}_{axis}"], color=colour, lw=1, label=axis
            )
        panel.axhline(0, color="0.8", linewidth=0.6, zorder=0)
        panel.set_ylabel(label, fontsize=8)
        panel.legend(loc="upper left", ncols=3, fontsize=7, frameon=False)
    displacement = confounds["framewise_displacement"].to_numpy(dtype=float)
    axes[2].plot(seconds, displacement, color="0.2", linewidth=1)
    axes[2].axhline(outlier, color=RED, linewidth=0.8, linestyle="--")
    axes[2].set_ylabel("FD (mm)", fontsize=8)
    axes[2].set_xlabel("time (s)", fontsize=8)
    axes[2].text(
        0.995,
        0.9,
        f"mean {np.nanmean(displacement):.3f} mm, "
        f"{int((np.nan_to_num(displacement) > outlier).sum())} volumes beyond {outlier:g} mm",
        transform=axes[2].transAxes,
        ha="right",
        va="top",
        fontsize=7,
    )
    for panel in axes:
        panel.margins(x=0)
        panel.tick_params(labelsize=7)
        panel.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title, fontsize=10, x=0.06, ha="left")
    figure.subplots_adjust(left=0.06, right=0.985, top=0.93, bottom=0.08, hspace=0.12)
    return figure
