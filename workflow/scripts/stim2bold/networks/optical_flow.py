"""Optical flow between successive frames, as I3D's second stream takes it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True, kw_only=True)
class FlowSettings:
    """How optical flow is computed (TV-L1, Zach, Pock & Bischof 2007, of OpenCV).

    Parameters
    ----------
    side : int
        Pixels a side at which flow is computed. It is then scaled to the size of the frames: a
        quarter of the work at half the side.
    warps : int
        Warpings per scale.
    scales : int
        Scales of the pyramid.
    iterations : int
        Outer iterations per warping.
    limit : float
        Displacement per frame, in pixels of the frame, that becomes 1; more is clipped.
    """

    side: int
    warps: int
    scales: int
    iterations: int
    limit: float

    def __post_init__(self) -> None:
        if min(self.side, self.warps, self.scales, self.iterations) < 1 or self.limit <= 0:
            raise ValueError("side, warps, scales, iterations and limit must be positive")


def flow_between(frames: Iterable[np.ndarray], settings: FlowSettings) -> Iterator[np.ndarray]:
    """Compute the flow from each frame to the next.

    Parameters
    ----------
    frames : iterable of ndarray of uint8, each of shape (height, width, 3)
        The film at a constant rate.
    settings : FlowSettings
        See there.

    Yields
    ------
    ndarray of shape (height, width, 2), float32
        Displacement to the right and downwards in [-1, 1], one fewer than frames. Flow i lies
        between frame i and frame i + 1.
    """
    engine = cv2.optflow.createOptFlow_DualTVL1()
    engine.setWarpingsNumber(settings.warps)
    engine.setScalesNumber(settings.scales)
    engine.setOuterIterations(settings.iterations)
    previous = None
    for frame in frames:
        size = frame.shape[1], frame.shape[0]
        grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        small = cv2.resize(grey, (settings.side, settings.side), interpolation=cv2.INTER_AREA)
        if previous is not None:
            if np.array_equal(small, previous):
                flow = np.zeros((settings.side, settings.side, 2), np.float32)
            else:
                flow = engine.calc(previous, small, None)
            flow = cv2.resize(flow, size, interpolation=cv2.INTER_LINEAR)
            flow *= np.array(size, np.float32) / settings.side / settings.limit
            yield np.clip(flow, -1, 1)
        previous = small
