"""Shapes with smooth edges at fractions of a pixel, on RGB images."""

import cv2
import numpy as np

# OpenCV's fixed-point coordinates: 4 bits are sixteenths of a pixel.
_BITS = 4
_ONE = 1 << _BITS

Colour = tuple[float, float, float]


def polygon(frame: np.ndarray, points: np.ndarray, colour: Colour) -> None:
    """Fill a polygon.

    Parameters
    ----------
    frame : ndarray of shape (height, width, 3), uint8
        Drawn on in place.
    points : array_like, (n, 2)
        Corners as x, y in pixels.
    colour : tuple of float
        Red, green, blue, 0 to 255.
    """
    corners = np.round(np.asarray(points, dtype=float) * _ONE).astype(np.int32)
    cv2.fillPoly(frame, [corners], colour, cv2.LINE_AA, _BITS)


def ellipse(
    frame: np.ndarray,
    centre: tuple[float, float],
    radii: tuple[float, float],
    colour: Colour,
    *,
    angle: float = 0.0,
    thickness: int = -1,
    arc: tuple[float, float] = (0.0, 360.0),
) -> None:
    """Fill an ellipse, or draw its outline where a thickness is given.

    Parameters
    ----------
    frame : ndarray of shape (height, width, 3), uint8
        Drawn on in place.
    centre, radii : tuple of float
        x, y in pixels.
    colour : tuple of float
        Red, green, blue, 0 to 255.
    angle : float
        Degrees, clockwise.
    thickness : int
        Pixels; negative fills.
    arc : tuple of float
        First and last degree, clockwise from the right.
    """
    cv2.ellipse(
        frame,
        tuple(round(value * _ONE) for value in centre),
        tuple(max(0, round(value * _ONE)) for value in radii),
        angle,
        *arc,
        colour,
        thickness,
        cv2.LINE_AA,
        _BITS,
    )


def line(
    frame: np.ndarray,
    start: tuple[float, float],
    end: tuple[float, float],
    colour: Colour,
    thickness: int = 1,
) -> None:
    """Draw a line.

    Parameters
    ----------
    frame : ndarray of shape (height, width, 3), uint8
        Drawn on in place.
    start, end : tuple of float
        x, y in pixels.
    colour : tuple of float
        Red, green, blue, 0 to 255.
    thickness : int
        Pixels.
    """
    ends = [tuple(round(value * _ONE) for value in point) for point in (start, end)]
    cv2.line(frame, *ends, colour, thickness, cv2.LINE_AA, _BITS)


def gradient(height: int, width: int, top: Colour, bottom: Colour) -> np.ndarray:
    """Return an image that fades from one colour to another.

    Parameters
    ----------
    height, width : int
        Pixels.
    top, bottom : tuple of float
        Red, green, blue, 0 to 255.

    Returns
    -------
    ndarray of shape (height, width, 3), uint8
        The image.
    """
    fraction = np.linspace(0, 1, height)[:, None, None]
    colours = np.asarray(top) * (1 - fraction) + np.asarray(bottom) * fraction
    # OpenCV draws only on C-contiguous frames.
    return np.broadcast_to(np.round(colours), (height, width, 3)).astype(np.uint8, order="C")


def colour_of(hue: float, saturation: float, value: float) -> Colour:
    """Return red, green, blue (0 to 255) of a hue (any real, one turn a unit), 0-1, 0-1.

    Parameters
    ----------
    hue, saturation, value : float
        As in HSV; the hue wraps round.

    Returns
    -------
    tuple of float
        The colour.
    """
    offsets = np.array([5.0, 3.0, 1.0])
    k = (offsets + (hue % 1.0) * 6) % 6
    channels = value - value * saturation * np.clip(np.minimum(k, 4 - k), 0, 1)
    return tuple(float(channel) for channel in np.round(255 * channels))
