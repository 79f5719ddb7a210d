"""Small stills of a film on one sheet."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from PIL import Image

#: Pixels of a still's side, stills a row of the sheet, and the most stills there are.
SIDE, COLUMNS, MOST = 96, 12, 120
#: Seconds from still to still, at the least.
STEP = 2.0


def still_times(duration: float) -> np.ndarray:
    """Return the film times of the stills, seconds, evenly spread."""
    n = int(min(MOST, max(1, duration // STEP)))
    return (np.arange(n) + 0.5) * duration / n


def sheet_of(
    pictures: Iterable[np.ndarray], times: np.ndarray
) -> tuple[Image.Image, dict[str, Any]]:
    """Put stills on one sheet, row by row.

    Parameters
    ----------
    pictures : iterable of uint8 array, shape (SIDE, SIDE, 3)
        One for each time.
    times : ndarray of shape (n,)
        Film time, s.

    Returns
    -------
    sheet : Image
    about : dict
        ``times`` and ``columns``.
    """
    rows = -(-len(times) // COLUMNS)
    sheet = np.zeros((rows * SIDE, COLUMNS * SIDE, 3), np.uint8)
    for number, picture in enumerate(pictures):
        row, column = divmod(number, COLUMNS)
        sheet[row * SIDE : (row + 1) * SIDE, column * SIDE : (column + 1) * SIDE] = picture
    about = {"times": [round(float(time), 3) for time in times], "columns": COLUMNS}
    return Image.fromarray(sheet), about
