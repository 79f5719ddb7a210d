"""What a spectrogram is: rates, windows and bands. Light to import, so that the check can, too."""

from dataclasses import dataclass

from stim2bold.runtime.errors import SettingError


@dataclass(frozen=True, kw_only=True)
class SpectrogramSettings:
    """Parameters of the spectrogram.

    Parameters
    ----------
    rate : int
        Samples per second the sound is resampled to.
    n_fft : int
        Window length (Hann) and FFT size, samples.
    hop : int
        Samples from frame to frame: 256 at 16 kHz are 16 ms, 38 of which are 0.608 s.
    n_mels : int
        Mel bands (Slaney's scale, each of unit area).
    fmin, fmax : float
        Lowest and highest frequency of the mel bands, Hz.
    floor : float
        Magnitude below which all is the same; the logarithm starts here.
    """

    rate: int
    n_fft: int
    hop: int
    n_mels: int
    fmin: float
    fmax: float
    floor: float

    def __post_init__(self) -> None:
        if not 0 <= self.fmin < self.fmax <= self.rate / 2:
            half = self.rate / 2
            raise SettingError(
                "spectrogram",
                (
                    f"fmin {self.fmin:g} Hz and fmax {self.fmax:g} Hz must lie between 0 and half "
                    f"of rate ({half:g} Hz), fmin below fmax"
                ),
                (
                    f"set spectrogram.fmax to {half:g} or less and spectrogram.fmin below it, or "
                    "raise spectrogram.rate"
                ),
            )
        if not 0 < self.hop <= self.n_fft:
            raise SettingError(
                "spectrogram",
                (
                    f"hop {self.hop} is not between 1 and n_fft {self.n_fft}, and sound would be "
                    "left out"
                ),
                f"set spectrogram.hop to {self.n_fft} or less",
            )
        if self.floor <= 0:
            raise SettingError(
                "spectrogram",
                f"floor {self.floor} is not positive",
                "set spectrogram.floor to 0.0001",
            )

    @property
    def step(self) -> float:
        """Seconds from frame to frame."""
        return self.hop / self.rate
