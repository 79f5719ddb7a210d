"""Slices of an image with contours of others on them."""

import matplotlib.pyplot as plt  # noqa: E402
import nibabel as nib  # noqa: E402
import numpy as np  # noqa: E402

from stim2bold.preprocessing.resampling import sample  # noqa: E402


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
    box : ndarray of shape (2, 3)
        Lower and upper corner, mm.
    step : float
        Distance of points, mm.

    Returns
    -------
    points : ndarray of shape (3, rows, columns)
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


def _draw_contours(
    panel: plt.Axes,
    contours: list[tuple[nib.Nifti1Image, float, str, str]],
    points: np.ndarray,
    extent: tuple[float, float, float, float],
) -> None:
    """Draw the lines of `mosaic` where they cross a plane; points and extent of `slice_points`."""
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
        for panel, place in zip(axes[row], places, strict=True):
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
            _draw_contours(panel, contours, points, extent)
            panel.set_axis_off()
            said = f"{'xyz'[axis]} = {place:.0f}"
            panel.text(0.03, 0.03, said, transform=panel.transAxes, color="white", fontsize=6)
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
