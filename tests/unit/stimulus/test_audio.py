import numpy as np
import pytest
import soundfile
from planted_film import grey, write_film
from shipped import shipped

from stim2bold.runtime.errors import InputError
from stim2bold.stimulus.audio import examine, read_sound, write_wav
from stim2bold.stimulus.film import probe
from stim2bold.stimulus.film_streams import StreamSettings


def tone(frequency, seconds, rate=16000):
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)


def film_with(path, sounds, **options):
    write_film(path, [0, 0.5], [grey(20), grey(90)], sounds=sounds, end=1.0, **options)
    return path


def test_samples_come_back_at_their_times(tmp_path):
    sound = tone(440, 1.0)
    path = film_with(tmp_path / "a.mkv", [sound])
    got = read_sound(path, zero=0.0, duration=1.0, rate=16000)
    assert got.shape == (16000,)
    np.testing.assert_allclose(got[200:-200], sound[200:-200], atol=2e-4)


@pytest.mark.parametrize("native", [44100, 48000, 22050])
def test_a_click_stays_where_it_is_when_resampled(tmp_path, native):
    sound = np.zeros(native)
    sound[round(0.37 * native)] = 0.9
    path = film_with(tmp_path / "click.mkv", [sound], rate=native)
    got = read_sound(path, zero=0.0, duration=1.0, rate=16000)
    assert np.abs(got).argmax() / 16000 == pytest.approx(0.37, abs=1 / 16000)


def test_a_late_stream_begins_with_silence(tmp_path):
    path = film_with(tmp_path / "late.mkv", [tone(440, 0.5)], sound_starts=[0.3])
    _, film = probe(path, shipped(StreamSettings))
    assert film["audio"]["start"] == pytest.approx(0.3, abs=1e-3)
    got = read_sound(path, zero=film["zero"], duration=1.0, rate=16000)
    start = np.flatnonzero(np.abs(got) > 0.05)[0]
    assert start / 16000 == pytest.approx(0.3, abs=2e-3)
    assert np.abs(got[round(0.82 * 16000) :]).max() < 0.01


def test_what_lies_before_film_time_zero_is_cut(tmp_path):
    sound = np.zeros(16000)
    sound[8000] = 0.9
    path = film_with(tmp_path / "early.mkv", [sound])
    got = read_sound(path, zero=0.2, duration=0.5, rate=16000)
    assert len(got) == 8000
    assert np.abs(got).argmax() == pytest.approx(0.3 * 16000, abs=20)


def test_choice_of_stream(tmp_path):
    path = film_with(tmp_path / "two.mkv", [tone(300, 1.0), tone(2000, 1.0)])
    for stream, frequency in ((0, 300), (1, 2000)):
        got = read_sound(path, zero=0.0, duration=1.0, rate=16000, stream=stream)
        assert np.abs(np.fft.rfft(got)).argmax() == pytest.approx(frequency, abs=1)


def test_no_sound(tmp_path):
    path = film_with(tmp_path / "mute.mkv", [])
    with pytest.raises(InputError, match="has no audio stream"):
        read_sound(path, zero=0.0, duration=1.0, rate=16000)


def test_silence_and_clipping_are_seen():
    sound = tone(440, 1.0)
    sound[:4000] = 0
    sound[10000:10010] = 1.0
    sound[12000] = 1.0  # one sample alone is a peak, not clipping
    found = examine(sound, 16000)
    assert found.silent_fraction == pytest.approx(0.25, abs=0.03)
    assert found.clipped_samples == 10
    assert found.peak == 1.0
    assert examine(np.zeros(0, np.float32), 16000).silent_fraction == 1.0


def test_wav_reads_back_elsewhere(tmp_path):
    sound = tone(440, 0.25)
    write_wav(tmp_path / "a.wav", sound, 16000)
    got, rate = soundfile.read(tmp_path / "a.wav")
    assert rate == 16000
    assert soundfile.info(tmp_path / "a.wav").subtype == "PCM_16"
    np.testing.assert_allclose(got, sound, atol=1 / 32000)
