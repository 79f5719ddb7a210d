"""Figures by which a person judges whether preprocessing went right."""

from pathlib import Path

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt  # noqa: E402
import nibabel as nib  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

from stim2bold.io.files import replacing  # noqa: E402
from stim2bold.preprocessing.registration import sample  # noqa: E402
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


def slice_points(
    axis: int, position: float, box: np.ndarray, step: float
) -> tuple[np.ndarray, tuple[float, float, float, float]]:
    """Return the world points of a plane through a box.

    Parameters
    ----------
    axis : int
        World axis that the plane cuts: 0 sagittal, 1 coronal, 2 axial.
    position : float
        Where, mm.
    box : (2, 3) array
        Lower and upper corner, mm.
    step : float
        Distance of points, mm.

    Returns
    -------
    points : (3, rows, columns) array
        World points.
    extent : (left, right, bottom, top)
        For imshow, mm.
    """
    across, up = [other for other in range(3) if other != axis]
    x = np.arange(box[0, across], box[1, across] + step / 2, step)
    y = np.arange(box[0, up], box[1, up] + step / 2, step)
    points = np.empty((3, y.size, x.size))
    points[axis] = position
    points[across], points[up] = np.meshgrid(x, y)
    return points, (x[0] - step / 2, x[-1] + step / 2, y[0] - step / 2, y[-1] + step / 2)


def brain_box(mask: nib.Nifti1Image, margin: float = 12.0) -> np.ndarray:
    """Return the world box round a mask, with a margin in mm, shape (2, 3)."""
    voxels = np.argwhere(np.asarray(mask.dataobj) > 0)
    world = voxels @ mask.affine[:3, :3].T + mask.affine[:3, 3]
    return np.stack([world.min(axis=0) - margin, world.max(axis=0) + margin])


def mosaic(
    background: nib.Nifti1Image,
    mask: nib.Nifti1Image,
    *,
    contours: list[tuple[nib.Nifti1Image, float, str, str]],
    title: str,
    columns: int = 7,
    colours: str = "gray",
    limits: tuple[float, float] | None = None,
    bar: str | None = None,
) -> plt.Figure:
    """Draw axial, coronal and sagittal slices with contours of other images on them.

    Everything is drawn in world space: images of any grids fit one another.

    Parameters
    ----------
    background : Nifti1Image
        What is seen.
    mask : Nifti1Image
        The slices span it.
    contours : list of (image, level, colour, label)
        Lines drawn over every slice.
    title : str
        Above all.
    columns : int
        Slices a row.
    colours : str
        Colour map of the background.
    limits : (float, float), optional
        Of the colour map; the 1st and 99th percentile inside the mask by default.
    bar : str, optional
        Label of a colour bar; none by default.

    Returns
    -------
    Figure
        Left of the picture is the left of the head, and says so.
    """
    box = brain_box(mask)
    step = 1.0
    if limits is None:
        points, _ = slice_points(2, box[:, 2].mean(), box, 2.0)
        values = sample(background, points)[sample(mask, points) > 0.5]
        limits = (0.0, float(np.percentile(values, 99))) if values.size else (0.0, 1.0)
    heights = []
    for axis in (2, 1, 0):
        across, up = [other for other in range(3) if other != axis]
        size = box[1] - box[0]
        heights.append(size[up] / size[across])
    width = 1.7 * columns
    figure, axes = plt.subplots(
        3,
        columns,
        figsize=(width, 1.7 * sum(heights) + 0.7),
        gridspec_kw={"height_ratios": heights, "hspace": 0.02, "wspace": 0.02},
        facecolor="black",
    )
    shown = None
    for row, axis in enumerate((2, 1, 0)):
        low, high = box[:, axis]
        places = np.linspace(low, high, columns + 4)[2:-2]
        for column, place in enumerate(places):
            panel = axes[row, column]
            points, extent = slice_points(axis, place, box, step)
            shown = panel.imshow(
                sample(background, points),
                origin="lower",
                extent=extent,
                cmap=colours,
                vmin=limits[0],
                vmax=limits[1],
                interpolation="nearest",
            )
            for image, level, colour, _ in contours:
                plane = sample(image, points)
                if plane.min() < level < plane.max():
                    panel.contour(
                        plane,
                        levels=[level],
                        colors=[colour],
                        linewidths=0.8,
                        extent=extent,
                        origin="lower",
                    )
            panel.set_axis_off()
            panel.text(
                0.03,
                0.03,
                f"{'xyz'[axis]} = {place:.0f}",
                transform=panel.transAxes,
                color="white",
                fontsize=6,
            )
        if axis != 0:
            for x, side in ((0.03, "L"), (0.9, "R")):
                axes[row, 0].text(
                    x, 0.9, side, transform=axes[row, 0].transAxes, color="white", fontsize=8
                )
    figure.subplots_adjust(left=0.01, right=0.93 if bar else 0.99, bottom=0.02, top=0.9)
    figure.suptitle(title, color="white", fontsize=10, x=0.01, ha="left", y=0.985)
    for number, (_, _, colour, label) in enumerate(contours):
        figure.text(0.01 + 0.2 * number, 0.925, label, color=colour, fontsize=9)
    if bar:
        place = figure.add_axes((0.945, 0.15, 0.012, 0.7))
        scale = figure.colorbar(shown, cax=place)
        scale.set_label(bar, color="white", fontsize=8)
        scale.ax.tick_params(colors="white", labelsize=7)
    return figure


def tsnr(series: nib.Nifti1Image, mask: np.ndarray, *, first: int = 0) -> np.ndarray:
    """Return the temporal signal-to-noise ratio of each voxel after removing a straight line.

    Parameters
    ----------
    series : Nifti1Image
        Shape (x, y, z, n_volumes).
    mask : (x, y, z) bool array
        Voxels looked at; the rest is 0.
    first : int
        Volumes before this are left out.

    Returns
    -------
    (x, y, z) float32 array
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
    voxels : (n_voxels, n_volumes) array
        Series of the brain's voxels.
    kinds : (n_voxels,) int array
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
