"""Small films whose every frame and sample is known."""

from fractions import Fraction

import av
import numpy as np

TICKS = 1000


def grey(level, size=64):
    return np.full((size, size, 3), level, np.uint8)


def write_film(path, times, pictures, *, sounds=(), rate=16000, sound_starts=None, end=None):
    """Write pictures shown from given times (seconds, to 1 ms), and mono sounds beside them."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25, options={"crf": "10", "bf": "0"})
        video.width, video.height = pictures[0].shape[1], pictures[0].shape[0]
        video.pix_fmt = "yuv420p"
        video.codec_context.time_base = Fraction(1, TICKS)
        audios = []
        for _ in sounds:
            # Lossless in Matroska: what goes in comes out.
            audios.append(container.add_stream("pcm_s16le", rate=rate, layout="mono"))
        for index, (time, picture) in enumerate(zip(times, pictures, strict=True)):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = round(time * TICKS)
            frame.time_base = Fraction(1, TICKS)
            following = times[index + 1] if index + 1 < len(times) else end
            if following is not None:
                frame.duration = round((following - time) * TICKS)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        for number, (stream, sound) in enumerate(zip(audios, sounds, strict=True)):
            samples = np.round(np.clip(sound, -1, 1) * 32767).astype(np.int16)
            start = 0 if sound_starts is None else round(sound_starts[number] * rate)
            for first in range(0, len(samples), 1024):
                frame = av.AudioFrame.from_ndarray(
                    samples[np.newaxis, first : first + 1024], format="s16", layout="mono"
                )
                frame.sample_rate = rate
                frame.pts = start + first
                frame.time_base = Fraction(1, rate)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
