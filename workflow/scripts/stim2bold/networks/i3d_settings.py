"""How features are taken from I3D. Light to import, so that the check of the settings can, too."""

from dataclasses import dataclass

from stim2bold.runtime.errors import SettingError

# Three stages halve the number of frames; for multiples of 8 'SAME' padding never changes phase.
FRAME_MULTIPLE = 8


@dataclass(frozen=True, kw_only=True)
class I3DSettings:
    """How features are taken from I3D.

    Parameters
    ----------
    weights : str, optional
        The user's weights file (read by fetch_i3d_weights).
    mode : {'dense', 'windowed'}
        'dense': once over the film as a stream. 'windowed': every window by itself, the textbook
        way, for comparison.
    endpoint : str
        Stage whose output is taken.
    grid : int
        The output's rows and columns are averaged to grid x grid places; 1 averages over all.
    rate : float
        Frames per second the network sees.
    short_side, crop : int
        Size of the frames, see `stim2bold.stimulus.film_frames.frame_image`.
    window : int
        Frames per window, a multiple of 8 ('windowed').
    step : float
        Seconds from window to window ('windowed').
    group : int
        Frames at a time ('dense'): bounds the memory, changes nothing else.
    precision : {'float32', 'bfloat16'}
        Of weights and activations.
    device : {'auto', 'cpu', 'cuda'}
        Where the network runs.
    """

    weights: str | None
    mode: str
    endpoint: str
    grid: int
    rate: float
    short_side: int
    crop: int
    window: int
    step: float
    group: int
    precision: str
    device: str

    def __post_init__(self) -> None:
        if self.mode not in ("dense", "windowed"):
            raise SettingError("i3d", f"there is no mode {self.mode!r}", "set dense or windowed")
        if self.precision not in ("float32", "bfloat16"):
            raise SettingError(
                "i3d", f"there is no precision {self.precision!r}", "set float32 or bfloat16"
            )
        if self.window % FRAME_MULTIPLE or self.window <= 0:
            raise SettingError(
                "i3d",
                f"window {self.window} is not a multiple of {FRAME_MULTIPLE}",
                f"set i3d.window to {max(1, round(self.window / FRAME_MULTIPLE)) * FRAME_MULTIPLE}",
            )
        if min(self.grid, self.group) < 1 or min(self.rate, self.step) <= 0:
            raise SettingError(
                "i3d",
                f"grid {self.grid}, group {self.group}, rate {self.rate:g} or step {self.step:g} "
                "is too small",
                "set grid and group to 1 at the least, rate and step to more than 0",
            )
        if self.crop > self.short_side:
            raise SettingError(
                "i3d",
                f"crop {self.crop} is larger than short_side {self.short_side}",
                f"set i3d.crop to {self.short_side} or less, or raise i3d.short_side",
            )
