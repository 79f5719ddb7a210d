"""How long the simulated film is, and its rates."""

from dataclasses import dataclass

FRAME_RATE = 25
"""Frames a second."""
SOUND_RATE = 44100
"""Samples a second."""


@dataclass(frozen=True)
class FilmSettings:
    """How long the film is.

    Parameters
    ----------
    seed : int
        Of everything in it.
    n_blocks : int
        Blocks of music and speech, music first.
    block_seconds : float
        Length of each; a whole number of frames.
    TR : float
        Seconds between the volumes at which the truth is given.

    Raises
    ------
    ValueError
        When a block is not a whole number of frames.
    """

    seed: int
    n_blocks: int
    block_seconds: float
    TR: float

    def __post_init__(self) -> None:
        frames = self.block_seconds * FRAME_RATE
        if abs(frames - round(frames)) > 1e-6:
            raise ValueError(
                f"block_seconds: {self.block_seconds} s are not a whole number of frames at "
                f"{FRAME_RATE} a second; take a multiple of {1 / FRAME_RATE} s"
            )

    @property
    def n_frames(self) -> int:
        """Frames in the film."""
        return self.n_blocks * round(self.block_seconds * FRAME_RATE)

    @property
    def n_volumes(self) -> int:
        """Volumes that end before the film does."""
        return int(self.n_frames / FRAME_RATE / self.TR + 1e-9)
