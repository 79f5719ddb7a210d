"""How a simulated participant's images are made."""

from dataclasses import dataclass

from stim2bold.simulation.brain.noise import NoiseSettings


@dataclass(frozen=True)
class ImageSettings:
    """How a participant's images are made: the configuration's `simulation.images`.

    Parameters
    ----------
    t1w_voxel, bold_voxel : float
        Millimetres.
    ceiling : float
        Mean correlation of planted and measured signal in planted voxels.
    between_correlation : float
        Correlation of the signals of two participants at one place of MNI space.
    no_signal : bool
        Whether nothing is planted.
    motion_mm, motion_degrees : float
        Largest shift along and turn about an axis.
    jerks : int
        Sudden movements in a run.
    deformation_mm : float
        Longest displacement of the warp.
    noise_percent, ar1, drift_percent, physiology_percent : float
        See `NoiseSettings`.
    bias_percent : float
        Unevenness of the coils: standard deviation over the image.
    t1w_noise_percent : float
        Noise of the T1w image in per cent of white matter.
    head : str, optional
        T1w image of the head that the participant has instead of a drawn one; `t1w_voxel`,
        `deformation_mm` and `t1w_noise_percent` are then not used.
    """

    t1w_voxel: float
    bold_voxel: float
    ceiling: float
    between_correlation: float
    no_signal: bool
    motion_mm: float
    motion_degrees: float
    jerks: int
    deformation_mm: float
    noise_percent: float
    ar1: float
    drift_percent: float
    physiology_percent: float
    bias_percent: float
    t1w_noise_percent: float
    head: str | None = None

    @property
    def noise(self) -> NoiseSettings:
        """The part that concerns noise."""
        return NoiseSettings(
            noise_percent=self.noise_percent,
            ar1=self.ar1,
            drift_percent=self.drift_percent,
            physiology_percent=self.physiology_percent,
        )
