"""One channel of many: ITU-R BS.775, and the channels that are asked for."""

from fractions import Fraction

import av
import numpy as np
import pytest
from shipped import shipped

from stim2bold.runtime.errors import InputError
from stim2bold.stimulus.audio import read_sound
from stim2bold.stimulus.channels import mono_weights
from stim2bold.stimulus.film import probe
from stim2bold.stimulus.film_streams import StreamSettings

RATE = 16000


def write_channels(path, layout, levels):
    """Write a second of a tone of its own in every channel, at given amplitudes."""
    times = np.arange(RATE) / RATE
    tones = [level * np.sin(2 * np.pi * 200 * (n + 1) * times) for n, level in enumerate(levels)]
    samples = np.round(np.stack(tones).T * 32767).astype(np.int16)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=5)
        video.width = video.height = 64
        video.pix_fmt = "yuv420p"
        audio = container.add_stream("pcm_s16le", rate=RATE, layout=layout)
        for k in range(5):
            picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            picture.pts, picture.time_base = k, Fraction(1, 5)
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = RATE, 0, Fraction(1, RATE)
        container.mux(audio.encode(frame))
        container.mux(audio.encode(None))
    return path


def heard(path, n, **choice):
    """Return the amplitude of each channel's tone in what is read."""
    sound = read_sound(path, zero=0.0, duration=1.0, rate=RATE, **choice)
    spectrum = np.abs(np.fft.rfft(sound)) * 2 / RATE
    return spectrum[200 * (1 + np.arange(n))]


#: Weights by the table of BS.775: the mean of L + 0.7071 C + 0.7071 Ls and its right neighbour.
LAYOUTS = {
    "mono": [1.0],
    "stereo": [0.5, 0.5],
    "5.0": [0.5, 0.5, 0.7071, 0.35355, 0.35355],
    "5.1": [0.5, 0.5, 0.7071, 0.0, 0.35355, 0.35355],
    "7.1": [0.5, 0.5, 0.7071, 0.0, *[0.35355] * 4],
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_standard_downmix(tmp_path, layout):
    weights = LAYOUTS[layout]
    path = write_channels(tmp_path / "film.mkv", layout, [0.1] * len(weights))
    np.testing.assert_allclose(heard(path, len(weights)), 0.1 * np.array(weights), atol=1e-3)


@pytest.mark.parametrize(
    ("names", "weights"),
    [
        (["FL", "FR", "LFE"], [0.5, 0.5, 0]),
        (["FL", "FR", "BL", "BR"], [0.5, 0.5, 0.35355, 0.35355]),
        (["FL", "FR", "FC", "BC"], [0.5, 0.5, 0.7071, 0.5]),
        (["FL", "FR", "FC", "LFE", "SL", "SR"], [0.5, 0.5, 0.7071, 0, 0.35355, 0.35355]),
    ],
)
def test_other_layouts(names, weights):
    np.testing.assert_allclose(mono_weights(names, None, path="film"), weights, atol=1e-4)


def test_channels_by_name_and_number(tmp_path):
    path = write_channels(tmp_path / "film.mkv", "5.1", [0.1] * 6)
    for choice in (["FC"], [2]):
        np.testing.assert_allclose(heard(path, 6, channels=choice), [0, 0, 0.1, 0, 0, 0], atol=1e-3)
    np.testing.assert_allclose(
        heard(path, 6, channels=["FL", "LFE"]), [0.05, 0, 0, 0.05, 0, 0], atol=1e-3
    )
    with pytest.raises(InputError, match="no channel TFL; set streams.channels to some of FL, FR"):
        probe(path, shipped(StreamSettings, channels=["TFL"]))


def test_channels_of_unknown_place_are_refused_with_a_choice_that_works():
    with pytest.raises(InputError, match=r"4 channels .*set streams.channels .*\[0\]"):
        mono_weights(["NONE"] * 4, None, path="film")
    assert mono_weights(["NONE"] * 4, [0], path="film").tolist() == [1, 0, 0, 0]


def test_sound_in_a_file_of_its_own_begins_with_the_film(tmp_path):
    film = write_channels(tmp_path / "film.mkv", "mono", [0.1])
    click = np.zeros(RATE, np.int16)
    click[4000] = 30000
    with av.open(str(tmp_path / "sound.wav"), "w") as container:
        audio = container.add_stream("pcm_s16le", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(click[np.newaxis], format="s16", layout="mono")
        frame.sample_rate = RATE
        container.mux(audio.encode(frame))
        container.mux(audio.encode(None))
    _, clock = probe(film, shipped(StreamSettings), sound_file=tmp_path / "sound.wav")
    assert clock["audio"]["start"] == 0 and clock["audio"]["samples"] == RATE
    sound = read_sound(tmp_path / "sound.wav", zero=clock["audio"]["zero"], duration=1.0, rate=RATE)
    assert np.abs(sound).argmax() == 4000
