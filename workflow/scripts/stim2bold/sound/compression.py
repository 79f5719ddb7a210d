"""The listening ladder for the report: sounds that are small enough to mail, and their pictures."""

from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

from stim2bold.io.files import read_table, write_json
from stim2bold.stimulus.spectrogram import SpectrogramSettings, log_mel

#: Dark to bright through purple and orange (anchors of matplotlib's inferno): evenly spaced in
#: lightness, and told apart by colour-blind readers.
COLOURS = (
    (0, 0, 4),
    (31, 12, 72),
    (85, 15, 109),
    (136, 34, 106),
    (186, 54, 85),
    (227, 89, 51),
    (249, 140, 10),
    (249, 201, 50),
    (252, 255, 164),
)


def palette() -> list[int]:
    """Return `COLOURS`, interpolated to 256 entries, as Pillow wants a palette."""
    places = np.linspace(0, len(COLOURS) - 1, 256)
    channels = [np.interp(places, range(len(COLOURS)), part) for part in zip(*COLOURS, strict=True)]
    return np.rint(np.column_stack(channels)).astype(int).ravel().tolist()


def spectrogram_picture(mel: np.ndarray, limits: tuple[float, float]) -> Image.Image:
    """Draw a spectrogram, low frequencies at the bottom.

    Parameters
    ----------
    mel : ndarray of shape (n_frames, n_mels)
        Logarithmic.
    limits : (float, float)
        Values of the first and the last colour.
    """
    low, high = limits
    steps = np.clip((mel.T[::-1] - low) / max(high - low, 1e-9), 0, 1) * 255
    picture = Image.fromarray(np.rint(steps).astype(np.uint8))
    picture.putpalette(palette())
    return picture


def compress_ladder(
    folder: Path, target: Path, *, settings: SpectrogramSettings, quality: float = 0.8
) -> None:
    """Write each sound as MP3 at a constant rate, its spectrogram, and what there is.

    Parameters
    ----------
    folder : Path
        ``.../DIRECTION/UNIT`` with segments.tsv, rungs.tsv and SEGMENT_RUNG.wav; the first rung
        is the original.
    target : Path
        An existing folder; gets SEGMENT_RUNG.mp3, SEGMENT_RUNG.webp and segments.json.
    settings : SpectrogramSettings
        Of the pictures. All rungs of a segment share the colours of its original.
    quality : float
        Compression from 0 (least) to 1 (most): 0.8 is 40 kbit/s at 16 kHz.
    """
    ladder = read_table(folder / "rungs.tsv")
    segments = []
    for segment in read_table(folder / "segments.tsv").itertuples():
        limits = None
        # A model that does not cover a segment has no rung there.
        rungs = [
            row
            for row in ladder.to_dict("records")
            if (folder / f"{segment.segment}_{row['rung']}.wav").exists()
        ]
        for row in rungs:
            stem = f"{segment.segment}_{row['rung']}"
            sound, rate = soundfile.read(folder / f"{stem}.wav")
            soundfile.write(
                target / f"{stem}.mp3",
                sound,
                rate,
                format="MP3",
                bitrate_mode="CONSTANT",
                compression_level=quality,
            )
            mel = log_mel(sound, settings)
            limits = limits or tuple(np.percentile(mel, (5, 99.5)))
            spectrogram_picture(mel, limits).convert("RGB").save(
                target / f"{stem}.webp", quality=70
            )
        segments.append(
            {
                "segment": segment.segment,
                "trial_type": segment.trial_type,
                "onset": segment.onset,
                "duration": segment.duration,
                "rungs": rungs,
            }
        )
    write_json(target / "segments.json", segments)
