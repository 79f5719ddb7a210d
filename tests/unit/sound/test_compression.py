import numpy as np
import pandas as pd
import pytest
import soundfile
from PIL import Image
from shipped import shipped

from stim2bold.io.files import read_json, write_table
from stim2bold.report.player import player, rung_scores, words_within
from stim2bold.sound import compression
from stim2bold.stimulus.spectrogram import SpectrogramSettings

RATE = 16000


@pytest.fixture
def ladder(tmp_path):
    """One segment whose rungs are tones of 300, 600, 900 and 1200 Hz."""
    folder = tmp_path / "sounds"
    folder.mkdir()
    time = np.arange(3 * RATE) / RATE
    for k, rung in enumerate(("original", "griffinlim", "ridge", "vae")):
        tone = 0.1 * np.sin(2 * np.pi * 300 * (k + 1) * time)
        soundfile.write(folder / f"segment-00-music_{rung}.wav", tone, RATE, subtype="PCM_16")
    order = ["original", "griffinlim", "vae", "gone", "ridge"]
    rungs = pd.DataFrame({"rung": order, "what": [f"the {rung}" for rung in order]})
    write_table(folder / "rungs.tsv", rungs)
    segments = pd.DataFrame({"segment": ["segment-00-music"], "trial_type": ["music"]})
    write_table(folder / "segments.tsv", segments.assign(onset=1.0, duration=3.0))
    target = tmp_path / "small"
    target.mkdir()
    compression.compress_ladder(folder, target, settings=shipped(SpectrogramSettings))
    return target


@pytest.mark.parametrize("rung, hertz", [("original", 300), ("griffinlim", 600), ("vae", 1200)])
def test_compressed_sounds_are_small_and_sound_the_same(ladder, rung, hertz):
    path = ladder / f"segment-00-music_{rung}.mp3"
    assert path.stat().st_size < 20_000, "a fifth of the WAV file"
    sound, rate = soundfile.read(path)
    assert rate == RATE and abs(len(sound) / rate - 3) < 0.15
    middle = sound[RATE : 2 * RATE]
    assert np.abs(np.fft.rfft(middle)).argmax() == pytest.approx(hertz, abs=2)
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.1 / np.sqrt(2), rel=0.05)


def test_low_frequencies_are_at_the_bottom_of_the_picture(ladder):
    rows = []
    for rung in ("original", "vae"):
        with Image.open(ladder / f"segment-00-music_{rung}.webp") as picture:
            light = np.asarray(picture.convert("L"), dtype=float)
        assert light.shape[0] == shipped(SpectrogramSettings).n_mels
        rows.append(light.mean(axis=1).argmax())
    assert rows[0] > rows[1] > 0, "300 Hz below 1200 Hz"


def test_the_player_is_told_words_scores_and_addresses(ladder):
    scores = pd.DataFrame(
        [
            ("segment-00-music", "vae", "mel_r", 0.4),
            ("segment-00-music", "vae", "delay", 0.0),
            # Of several segments: for the table of rungs, not for a player.
            ("all", "vae", "identification", 0.6),
        ],
        columns=["segment", "rung", "measure", "value"],
    )
    words = pd.DataFrame({"item": ["nee", "ja", "later"]})
    words = words.assign(onset=[0.0, 1.5, 9.0], offset=[0.9, 2.0, 9.5])
    view = player(ladder, scores, words, address="assets/x")
    (segment,) = view["segments"]
    assert view["measures"] == ["mel correlation"]
    assert segment["words"] == [{"word": "ja", "start": 0.5, "end": 1.0}]
    by_name = {rung["name"]: rung for rung in segment["rungs"]}
    assert list(by_name) == ["original", "griffinlim", "vae", "ridge"]
    assert by_name["vae"]["label"] == "the vae"
    assert by_name["vae"]["scores"] == [0.4] and by_name["original"]["scores"] == [None]
    for rung in segment["rungs"]:
        for key in ("sound", "picture"):
            assert (ladder / rung[key].removeprefix("assets/x/")).is_file()
    assert read_json(ladder / "segments.json")[0]["trial_type"] == "music"


def test_words_at_the_rim_are_cut():
    words = pd.DataFrame({"item": ["a", "b"], "onset": [0.5, 4.8], "offset": [1.5, 6.0]})
    assert words_within(words, 1.0, 4.0) == [
        {"word": "a", "start": 0.0, "end": 0.5},
        {"word": "b", "start": 3.8, "end": 4.0},
    ]
    assert words_within(None, 1.0, 4.0) == []


def test_sounds_are_scored_from_the_best_that_can_be_had_down():
    table = pd.DataFrame(
        [
            (rung, measure, value)
            for rung, shift in (("vae", 0.0), ("griffinlim", 0.3))
            for measure, values in (("stoi", [0.4, 0.6]), ("mel_r", [0.1, 0.3]))
            for value in np.add(values, shift)
        ],
        columns=["rung", "measure", "value"],
    )
    rungs = {"original": "the film", "griffinlim": "inverted", "vae": "predicted"}
    first, second = rung_scores(table, rungs)
    assert first["rung"] == "inverted" and first["values"][0] == pytest.approx(0.8)
    assert second["rung"] == "predicted" and second["values"][0] == pytest.approx(0.5)
    assert second["values"][1] is None and second["values"][3] == pytest.approx(0.2)
