"""Frames of a film as they are displayed: size, shape of pixels, turned and mirrored."""

from pathlib import Path
from typing import Any

import numpy as np
from av.sidedata.sidedata import Type
from av.video.reformatter import Interpolation, VideoReformatter

from stim2bold.runtime.errors import InputError

# Sine of the angle up to which a display matrix counts as one of the eight orientations.
ASKEW = 0.02


def orientation(frame: Any, path: str | Path) -> np.ndarray:
    """Return how a frame is turned and mirrored for display.

    Parameters
    ----------
    frame : VideoFrame
        A decoded frame.
    path : str or Path
        The film.

    Returns
    -------
    ndarray of shape (2, 2), int
        M of the eight signed permutations: the pixel in column p and row q is displayed in the
        direction of column M[0, 0] p + M[1, 0] q and row M[0, 1] p + M[1, 1] q (libavutil's
        display.h). A scale that differs between the axes is in the pixels' aspect already.

    Raises
    ------
    InputError
        When the matrix turns by another angle than a multiple of 90 degrees, or shows nothing.
    """
    data = frame.side_data.get(Type.DISPLAYMATRIX)
    if data is None:
        return np.eye(2, dtype=int)
    matrix = np.frombuffer(bytes(data), np.int32).reshape(3, 3)[:2, :2].astype(float)
    largest = np.abs(matrix).max(axis=1, keepdims=True)
    directions = matrix / np.where(largest > 0, largest, 1)
    nearest = np.round(directions).astype(int)
    is_permutation = (np.abs(nearest).sum(axis=0) == 1).all() and (
        np.abs(nearest).sum(axis=1) == 1
    ).all()
    if not is_permutation or np.abs(directions - nearest).max() > ASKEW:
        raise InputError(
            path,
            (
                "its display matrix turns or shears the image by no multiple of 90 degrees "
                f"({', '.join(f'{value / 65536:g}' for value in matrix.ravel())})"
            ),
            (
                "write the film as it was displayed, for example by exporting it from the player "
                "or editor"
            ),
        )
    return nearest


def displayed(image: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Turn and mirror an image.

    Parameters
    ----------
    image : ndarray of shape (height, width, ...)
        As stored.
    turn : ndarray of shape (2, 2), int
        See `orientation`.

    Returns
    -------
    ndarray
        As displayed; a view.
    """
    if turn[0, 0] == 0:
        image = image.swapaxes(0, 1)
    # Columns and rows are displayed backwards where their direction is negative.
    along_columns, along_rows = turn.sum(axis=0)
    return image[:: int(along_rows), :: int(along_columns)]


def _fit(width: int, height: int, *, aspect: float, short_side: int) -> tuple[int, int]:
    """Size at which the shorter side of the image as displayed is `short_side` pixels."""
    shown = width * aspect
    scale = short_side / min(shown, height)
    return max(short_side, round(shown * scale)), max(short_side, round(height * scale))


def frame_image(
    frame: Any,
    *,
    turn: np.ndarray,
    short_side: int,
    crop: int,
    aspect: float,
    scaler: VideoReformatter,
) -> np.ndarray:
    """Scale a frame to `short_side` pixels and cut out its middle.

    Parameters
    ----------
    frame : VideoFrame
        A decoded frame.
    turn : ndarray of shape (2, 2), int
        See `orientation`.
    short_side : int
        Length of the shorter side after scaling (bilinear, filtered where it shrinks), in pixels.
    crop : int
        Side of the square that is cut from the middle.
    aspect : float
        Width of a pixel over its height.
    scaler : VideoReformatter
        The same for all frames of a film: it works out its filters once.

    Returns
    -------
    ndarray of shape (crop, crop, 3), uint8
        RGB.
    """
    width, height = _fit(frame.width, frame.height, aspect=aspect, short_side=short_side)
    image = scaler.reformat(
        frame, width=width, height=height, format="rgb24", interpolation=Interpolation.BILINEAR
    ).to_ndarray()
    image = displayed(image, turn)
    top = (image.shape[0] - crop) // 2
    left = (image.shape[1] - crop) // 2
    return np.ascontiguousarray(image[top : top + crop, left : left + crop])
