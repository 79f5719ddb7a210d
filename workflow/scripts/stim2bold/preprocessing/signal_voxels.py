"""Which voxels of a brain mask hold a signal.

A mask can be larger than what was scanned (a slab, a cut cerebellum), and a series can hold values
that are no numbers. Voxels without a signal are no voxels of the participant, whoever preprocessed
the series: none of their values goes into anything that follows.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stim2bold.runtime.errors import InputError

#: Of the voxels that have a signal: when more are spoilt by single volumes, those volumes are.
LARGEST_SHARE = 0.5
#: Of them: when more have a mean of zero or below, the series was centred, and percent of the mean
#: do not exist.
LARGEST_CENTRED = 0.1


@dataclass(frozen=True)
class LeftOut:
    """How many voxels of a mask are left out, and why.

    Attributes
    ----------
    constant : int
        One value throughout, or no number at all: not scanned.
    not_numbers : int
        NaN or infinite in some volumes.
    not_covered : int
        Exactly 0 in some volumes and never below: out of the field of view there.
    not_positive : int
        Of a mean of zero or below, which has no percent.
    """

    constant: int
    not_numbers: int
    not_covered: int
    not_positive: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.constant + self.not_numbers + self.not_covered + self.not_positive


def with_signal(
    data: np.ndarray, mask: np.ndarray, *, name: str | Path
) -> tuple[np.ndarray, LeftOut]:
    """Return the voxels of a mask that hold a signal in every volume.

    Parameters
    ----------
    data : ndarray of shape (x, y, z, n_volumes), float
        Series.
    mask : ndarray of shape (x, y, z), bool
        Voxels that are asked for.
    name : str or Path
        What messages call the series.

    Returns
    -------
    kept : ndarray of shape (x, y, z), bool
    left_out : LeftOut
        Each voxel counts once, under the first reason that holds.

    Raises
    ------
    InputError
        When no voxel is left, when single volumes spoil more than half of them, or when more than
        a tenth have no positive mean.
    """
    n_voxels = int(mask.sum())
    low, high = np.full(n_voxels, np.inf), np.full(n_voxels, -np.inf)
    total = np.zeros(n_voxels)
    gaps, zeros = np.zeros(n_voxels, dtype=int), np.zeros(n_voxels, dtype=int)
    # Volume by volume: no second series in memory.
    for k in range(data.shape[3]):
        values = data[..., k][mask].astype(np.float64)
        finite = np.isfinite(values)
        np.minimum(low, values, out=low, where=finite)
        np.maximum(high, values, out=high, where=finite)
        total += np.where(finite, values, 0)
        gaps += ~finite
        zeros += values == 0
    constant = ~(high > low)
    not_numbers = ~constant & (gaps > 0)
    not_covered = ~constant & ~not_numbers & (zeros > 0) & (low >= 0)
    living = int((~constant).sum())
    if living == 0:
        raise InputError(
            name,
            f"none of the {n_voxels} voxels of the mask changes over time",
            "give the series and the mask of one run",
        )
    spoilt = not_numbers | not_covered
    if spoilt.sum() > LARGEST_SHARE * living:
        raise spoilt_volume(data, mask, ~constant, name=name)
    not_positive = ~constant & ~spoilt & (total <= 0)
    if not_positive.sum() > LARGEST_CENTRED * living:
        raise InputError(
            name,
            (
                f"{int(not_positive.sum())} of {living} voxels have a mean of 0 or below, so that "
                "percent of it do not exist"
            ),
            "give a series that was not centred or denoised",
        )
    kept = np.zeros(mask.shape, dtype=bool)
    kept[mask] = ~(constant | spoilt | not_positive)
    counts = (int(part.sum()) for part in (constant, not_numbers, not_covered, not_positive))
    return kept, LeftOut(*counts)


def spoilt_volume(data: np.ndarray, mask: np.ndarray, living: np.ndarray, *, name) -> InputError:
    """Return the refusal that names the volume which spoils most of the voxels with a signal."""
    bad = []
    for k in range(data.shape[3]):
        values = data[..., k][mask][living]
        bad.append(int((~np.isfinite(values) | (values == 0)).sum()))
    worst = int(np.argmax(bad))
    return InputError(
        name,
        f"volume {worst} holds no signal in {bad[worst]} of {int(living.sum())} voxels "
        f"({sum(n > 0 for n in bad)} volumes have such voxels): NaN, infinite or 0",
        "make the series again, or leave the participant out by exclude",
    )
