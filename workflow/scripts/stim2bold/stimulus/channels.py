"""One channel of a film's many: the standard downmix, or the channels that are asked for."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from stim2bold.runtime.errors import InputError

#: What a loudspeaker counts in one channel, by the names of FFmpeg: the mean of the left and the
#: right of the stereo downmix of ITU-R BS.775-4 (table 2, 2/0: L + 0.7071 C + 0.7071 Ls): a voice
#: in the centre is as loud as in a stereo film, where it comes from left and right. Low-frequency
#: effects are in no downmix; what stands above the listener counts as what stands below it.
FRONT, CENTRE, SURROUND = 0.5, 0.5**0.5, 0.5**1.5
WEIGHTS = {
    **dict.fromkeys(("FL", "FR", "FLC", "FRC", "WL", "WR", "DL", "DR", "TFL", "TFR"), FRONT),
    **dict.fromkeys(("FC", "TFC", "TC"), CENTRE),
    **dict.fromkeys(("SL", "SR", "BL", "BR", "TBL", "TBR", "TSL", "TSR"), SURROUND),
    # One surround channel is played by the loudspeakers of both sides, at half power each.
    **dict.fromkeys(("BC", "TBC"), 0.5),
    **dict.fromkeys(("LFE", "LFE2"), 0.0),
}
#: Where channels stand that the file does not name: the order of WAVE, where their number leaves
#: no doubt (three may be 3.0 or 2.1, four quadraphonic or with one at the back).
UNNAMED = {
    1: ("FC",),
    2: ("FL", "FR"),
    5: ("FL", "FR", "FC", "BL", "BR"),
    6: ("FL", "FR", "FC", "LFE", "BL", "BR"),
    8: ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"),
}


def channel_names(layout: Any) -> tuple[str, ...]:
    """Return where each channel of a layout stands, as FFmpeg names it (FL, FR, FC, LFE, ...).

    Parameters
    ----------
    layout : AudioLayout
        Of a stream or frame.
    """
    names = tuple(channel.name for channel in layout.channels)
    return UNNAMED.get(len(names), names) if set(names) == {"NONE"} else names


def mono_weights(
    names: Sequence[str], chosen: Sequence[str | int] | None, *, path: object
) -> np.ndarray:
    """Return the weights by which channels are added up to one.

    Parameters
    ----------
    names : sequence of str
        As `channel_names` gives them.
    chosen : sequence of str or int, optional
        Channels that are the sound, by name or by number from 0: their mean is taken. None: all,
        by the standard downmix.
    path : object
        The film.

    Returns
    -------
    ndarray of shape (n_channels,), float32
        0.5 and 0.5 for stereo.

    Raises
    ------
    InputError
        When a channel that is asked for is not there, or without a choice one has no known place.
    """
    told = ", ".join(names)
    weights = np.zeros(len(names), np.float32)
    if chosen is not None:
        for channel in chosen:
            index = names.index(channel) if channel in names else channel
            if not isinstance(index, int) or not 0 <= index < len(names):
                raise InputError(
                    path,
                    f"has no channel {channel}",
                    (
                        f"set streams.channels to some of {told} (or of 0-{len(names) - 1}), or "
                        "to null for all"
                    ),
                )
            weights[index] = 1.0
        weights /= weights.sum()
    elif len(names) == 1:
        weights[:] = 1.0
    else:
        unknown = [name for name in names if name not in WEIGHTS]
        weights[:] = [WEIGHTS.get(name, 0.0) for name in names]
        if unknown or not weights.any():
            raise InputError(
                path,
                (
                    f"its sound has {len(names)} channels ({told}), and the standard downmix does "
                    "not say what those count"
                ),
                (
                    "set streams.channels to those that are the sound, such as [0] (of "
                    f"0-{len(names) - 1})"
                ),
            )
    return weights
