import sys

import librosa
import numpy as np
import pandas as pd
import pytest
from pystoi import stoi
from shipped import shipped

from stim2bold.simulation.film.speech import RATE, Voice, say
from stim2bold.sound.scores import (
    aligned,
    delay_of,
    identified,
    mel_cepstral_distortion,
    pesq_is_installed,
    score_ladder,
    spectral_scores,
    speech_scores,
)
from stim2bold.stimulus.spectrogram import SpectrogramSettings

SETTINGS = shipped(SpectrogramSettings)
needs_pesq = pytest.mark.skipif(
    not pesq_is_installed(), reason="the package pesq is not installed (make pesq)"
)


@pytest.fixture(scope="module")
def spoken():
    """A sentence at 16 kHz, by the synthesiser of the simulation."""
    voice = Voice(name="nl", pitch=50, words_per_minute=150)
    sound = say("De kleine hond loopt langzaam naar het grote huis aan zee.", voice).samples
    return librosa.resample(sound, orig_sr=RATE, target_sr=16000).astype(np.float64)


@pytest.fixture(scope="module")
def noisy(spoken):
    noise = np.random.default_rng(0).standard_normal(len(spoken))
    return spoken + 0.3 * spoken.std() * noise


def test_scores_are_the_same_to_the_last_digit_whatever_was_drawn_before(spoken):
    # Where next to nothing is left of the speech, the last digit is a matter of chance.
    drowned = spoken + 3 * spoken.std() * np.random.default_rng(0).standard_normal(len(spoken))
    found = set()
    for seed in range(5):
        np.random.seed(seed)
        found.add(tuple(speech_scores(spoken, drowned, SETTINGS).items()))
    assert len(found) == 1


@pytest.mark.parametrize("late", [-700, 0, 45, 1500])
def test_a_planted_delay_is_found_and_taken_out(spoken, late):
    moved = np.roll(np.pad(spoken, 2000), late)
    reference = np.pad(spoken, 2000)
    # To the nearest millisecond.
    assert abs(delay_of(reference, moved, SETTINGS) - late) <= 8
    a, b = aligned(reference, moved, late)
    np.testing.assert_allclose(a, b)


def test_phases_of_its_own_are_no_delay():
    # Held tones, as in music, whose waves agree at a delay of any of their periods.
    t = np.arange(3 * 16000) / 16000
    rng = np.random.default_rng(0)
    notes = [220, 277.2, 329.6, 440, 554.4]
    envelopes = [np.exp(-4 * ((t - start) % 1.5)) for start in rng.random(5)]

    def chord(phases):
        return sum(
            e * np.sin(2 * np.pi * f * t + p)
            for f, e, p in zip(notes, envelopes, phases, strict=True)
        )

    reference = chord(np.zeros(5))
    for _ in range(5):
        found = delay_of(reference, chord(rng.uniform(0, 2 * np.pi, 5)), SETTINGS)
        assert abs(found) <= 32


@needs_pesq
def test_pesq_is_the_reference_implementations(spoken, noisy):
    from pesq import pesq

    scores = speech_scores(spoken, noisy, SETTINGS)
    assert scores["pesq_wb"] == pytest.approx(pesq(16000, spoken, noisy, "wb"), abs=1e-5)
    assert scores["pesq_nb"] == pytest.approx(pesq(16000, spoken, noisy, "nb"), abs=1e-5)
    assert speech_scores(spoken, spoken, SETTINGS)["pesq_wb"] > 4.6


@needs_pesq
def test_silence_has_no_pesq_but_everything_else(spoken):
    scores = speech_scores(np.zeros(len(spoken)), spoken, SETTINGS)
    assert np.isnan(scores["pesq_wb"]) and np.isfinite(scores["mcd"])


def test_without_its_package_pesq_is_left_out_and_said(spoken, noisy, monkeypatch, caplog):
    # As importlib finds a package that is not installed.
    monkeypatch.setitem(sys.modules, "pesq", None)
    segments = pd.DataFrame({"segment": ["one", "two"], "trial_type": ["music", "speech"]})
    ladder = {name: {"original": spoken, "griffinlim": noisy} for name in ("one", "two")}
    options = {"original": "original", "settings": SETTINGS}
    table = score_ladder(ladder, segments, speech=["speech"], **options)
    assert {"stoi", "estoi", "mcd"} <= set(table["measure"])
    assert not table["measure"].str.startswith("pesq").any()
    assert caplog.text.count("PESQ is left out: the package pesq is not installed") == 1
    caplog.clear()
    score_ladder(ladder, segments, speech=[], **options)
    assert "PESQ" not in caplog.text


def test_speech_scores_are_those_of_their_packages(spoken, noisy):
    scores = speech_scores(spoken, noisy, SETTINGS)
    assert scores["stoi"] == pytest.approx(stoi(spoken, noisy, 16000), abs=1e-6)
    expected = stoi(spoken, noisy, 16000, extended=True)
    assert scores["estoi"] == pytest.approx(expected, abs=1e-6)
    assert 0 < scores["estoi"] < scores["stoi"] < 1


def test_a_perfect_copy_scores_best(spoken):
    scores = speech_scores(spoken, spoken, SETTINGS) | spectral_scores(spoken, spoken, SETTINGS)
    assert scores["stoi"] == pytest.approx(1)
    assert scores["mcd"] == 0 and scores["mel_r"] == pytest.approx(1)
    assert scores["convergence"] == 0


def test_worse_sounds_score_worse(spoken, noisy):
    worse = noisy + (noisy - spoken) * 3
    for name, better_is_higher in (("stoi", True), ("mcd", False)):
        one, two = (speech_scores(spoken, x, SETTINGS)[name] for x in (noisy, worse))
        assert (one > two) == better_is_higher, name
    one, two = (spectral_scores(spoken, x, SETTINGS) for x in (noisy, worse))
    assert one["mel_r"] > two["mel_r"] and one["convergence"] < two["convergence"]


def test_cepstra_are_librosas_and_loudness_does_not_count(spoken, noisy):
    def cepstra(x):
        mel = librosa.feature.melspectrogram(
            y=x, sr=16000, n_fft=1024, hop_length=256, power=1.0, n_mels=80, fmin=55, fmax=7600,
            pad_mode="constant",
        )  # fmt: skip
        return librosa.feature.mfcc(S=np.log(np.maximum(mel, 1e-4)), n_mfcc=14)[1:]

    distance = np.sqrt(2 * ((cepstra(spoken) - cepstra(noisy)) ** 2).sum(axis=0)).mean()
    expected = 10 / np.log(10) * distance
    found = mel_cepstral_distortion(spoken, noisy, SETTINGS)
    assert found == pytest.approx(expected, rel=1e-3)
    loud = mel_cepstral_distortion(10 * spoken, 5 * spoken, SETTINGS)
    assert loud < 0.05 * found


def test_a_ladder_is_scored_by_kind_of_block(spoken, noisy):
    ladder = {
        name: {"original": spoken, "griffinlim": np.roll(noisy, 30)} for name in ("one", "two")
    }
    segments = pd.DataFrame({"segment": ["one", "two"], "trial_type": ["music", "speech"]})
    table = score_ladder(
        ladder, segments, original="original", speech=["speech"], settings=SETTINGS
    )
    assert set(table["rung"]) == {"griffinlim"}
    measures = table.groupby("segment")["measure"].apply(set)
    assert measures["one"] == {"delay", "mel_r", "convergence"}
    assert measures["two"] >= {"stoi", "estoi", "mcd"}
    assert ({"pesq_wb", "pesq_nb"} <= measures["two"]) == pesq_is_installed()
    values = table.set_index(["segment", "measure"])["value"]
    assert values["two", "delay"] == pytest.approx(30 / 16000, abs=0.0006)
    assert values["two", "stoi"] > 0.8


def test_segments_are_identified_by_their_spectra(spoken):
    # Five stretches of one sentence, of unequal lengths.
    parts = [spoken[i * 8000 : i * 8000 + 8000 + 100 * i] for i in range(5)]
    noise = np.random.default_rng(0).standard_normal((5, 8400)) * spoken.std()
    near = [part + 0.3 * noise[i, : len(part)] for i, part in enumerate(parts)]
    clear = identified(parts, parts, SETTINGS)
    assert clear.value == 1.0 and clear.p < 0.05 and clear.interval[0] < 0.5 < clear.interval[1]
    assert identified(parts, near, SETTINGS).value > 0.9
    turned = identified(parts, near[1:] + near[:1], SETTINGS)
    assert turned.value < 0.5 < turned.p
    # The same sound for all, and silence, tell nothing.
    for sounds in ([parts[0]] * 5, [np.zeros(8000)] * 5):
        alike = identified(parts, sounds, SETTINGS)
        assert np.isnan([alike.value, alike.p]).all()


def test_identification_is_told_for_each_kind_of_block(spoken, noisy):
    half = len(spoken) // 2
    halves = {"one": slice(0, half), "two": slice(half, 2 * half)}
    ladder = {
        name: {"original": spoken[part], "griffinlim": noisy[part]} for name, part in halves.items()
    }
    ladder["three"] = ladder["one"]
    segments = pd.DataFrame(
        {"segment": ["one", "two", "three"], "trial_type": ["music", "music", "speech"]}
    )
    table = score_ladder(ladder, segments, original="original", speech=[], settings=SETTINGS)
    own = table[table["segment"] == "all"]
    assert set(own["trial_type"]) == {"music"}
    value = own.set_index("measure")["value"]
    assert value["identification"] == 1.0 and value["p_identification"] > 0.3
