"""Words at the TRs: counted, weighted and named as a slow count does it."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from stim2bold.stimulus.annotations import annotation_files, read_events
from stim2bold.stimulus.timing import Timing
from stim2bold.stimulus.words import (
    phoneme_class,
    positions,
    speaker_changes,
    speakers_of,
    values_at_volumes,
    weighted_coverage,
    words_at_volumes,
    words_of,
)

TIMING = Timing(TR=0.608, film_onset=1.0)


def table(*rows):
    return pd.DataFrame(rows, columns=["item", "onset", "offset"])


@pytest.fixture
def tables():
    words = [("dag", 0.5, 0.9), ("pap", 0.9, 1.5), ("dag", 3.0, 3.3), ("pippi", 3.3, 4.0)]
    return {
        "words": table(*words),
        "sentences": table(("Dag pap.", 0.5, 1.5), ("Dag, Pippi!", 3.0, 4.0)),
        "phonemes": table(("d", 0.5, 0.6), ("ɑ", 0.6, 0.8), ("χ", 0.8, 0.9), ("?", 3.0, 3.1)),
        "pa": table(*words[:2]),
        "kind": table(*words[2:]),
        "verbs": table(words[1]),
    }


def tabulated(tables, **options):
    settings = {"timing": TIMING, "duration": 6.0} | options
    return words_at_volumes(tables, {"dag": 6.0, "pap": 4.5}.get, **settings)


def column(found, name):
    return found.sel(feature=f"sound/words {name}").values


def slow_mean(rows, edges):
    """The mean over each TR, by adding up milliseconds."""
    times = np.arange(0, 8, 0.001) + 0.0005
    value = sum(weight * ((times >= on) & (times < off)) for on, off, weight in rows)
    return np.array([value[(times >= a) & (times < b)].sum() * 0.001 / (b - a) for a, b in edges])


def test_columns_are_what_a_slow_count_gives(tables):
    found = words_at_volumes(
        tables, lambda word: {"dag": 6.0, "pap": 4.5}.get(word, 0.0), timing=TIMING, duration=6.0
    )
    edges = TIMING.edges(len(found))
    pairs = list(zip(edges[:-1], edges[1:], strict=True))
    words = tables["words"]
    counted = [sum(a <= onset < b for onset in words["onset"]) for a, b in pairs]
    np.testing.assert_allclose(column(found, "rate") * 0.608, counted, atol=1e-5)
    new = [sum(a <= onset < b for onset in (0.5, 0.9, 3.3)) for a, b in pairs]
    np.testing.assert_allclose(column(found, "new word") * 0.608, new, atol=1e-5)
    for name, weights in (
        ("speech", [1, 1, 1, 1]),
        ("letters", [3, 3, 3, 5]),
        ("frequency", [6.0, 4.5, 6.0, 0.0]),
        ("position in sentence", [1, 2, 1, 2]),
    ):
        rows = list(zip(words["onset"], words["offset"], weights, strict=True))
        np.testing.assert_allclose(column(found, name), slow_mean(rows, pairs), atol=4e-3)
    plosives = slow_mean([(0.5, 0.6, 1)], pairs)
    np.testing.assert_allclose(column(found, "plosive"), plosives, atol=4e-3)
    change = [float(a <= 3.0 < b) for a, b in pairs]
    np.testing.assert_allclose(column(found, "speaker change") * 0.608, change, atol=1e-5)
    assert found.attrs["words_without_frequency"] == 1
    assert found.attrs["phonemes_without_class"] == "?:1"
    assert found.attrs["speakers"] == "pa kind"


def test_without_the_other_tables_words_are_enough(tables):
    found = words_at_volumes(
        {"words": tables["words"]}, lambda word: 1.0, timing=TIMING, duration=6.0
    )
    assert list(found.feature.values) == [
        f"sound/words {name}"
        for name in ("rate", "new word", "speech", "letters", "duration", "frequency")
    ]


def test_a_word_within_one_tr_counts_by_the_part_it_fills():
    got = weighted_coverage(np.array([0.2]), np.array([0.5]), np.array([4.0]), np.array([0, 1, 2]))
    np.testing.assert_allclose(got, [1.2, 0.0])


def test_speakers_are_tables_of_words_and_no_parts_of_speech(tables):
    assert list(speakers_of(tables)) == ["pa", "kind"]
    np.testing.assert_array_equal(speaker_changes(speakers_of(tables)), [3.0])
    np.testing.assert_array_equal(positions(tables["words"], tables["sentences"]), [1, 2, 1, 2])


def test_phonemes_have_the_class_of_their_first_letter():
    assert phoneme_class("ɛi") == "front vowel" and phoneme_class("ɑu") == "back vowel"
    assert phoneme_class("ŋ") == "nasal" and phoneme_class("") is None


def test_the_words_of_ds003688(real_input):
    folder = real_input("ds003688") / "bids" / "stimuli" / "annotations"
    tables = {
        path.stem.removeprefix("sound_annotation_"): read_events(path, "sound")
        for path in annotation_files(folder, "sound")
    }
    found: xr.DataArray = words_at_volumes(
        tables, lambda word: 1.0, timing=Timing(TR=0.608), duration=390.2
    )
    # Counted by wc -l, less the header.
    assert found.attrs["words"] == 446
    assert round(float(column(found, "rate").sum() * 0.608)) == 446
    assert round(float(column(found, "phoneme rate").sum() * 0.608)) == 1456
    assert found.attrs["speakers"] == "annika dad konrad mom pippi tommi"
    assert found.attrs["phonemes_without_class"] == ""
    # "pippi", the first word, is said from 30.736 to 31.106 s: volumes 50 and 51.
    letters = column(found, "letters")
    assert letters[:50].max() == 0
    np.testing.assert_allclose(letters[50], 5 * (31.008 - 30.736) / 0.608, rtol=1e-4)


def test_what_words_have_is_carried_to_their_own_times(tables, caplog):
    """Words in the order of their onsets; one without a value is left out, and named."""
    given = words_of({"words": tables["words"].iloc[[2, 0, 3, 1]]})
    assert given["item"].tolist() == ["dag", "pap", "dag", "pippi"]
    values = np.array([[1.0, -2.0], [np.nan, np.nan], [3.0, 0.5], [4.0, 4.0]])
    found = values_at_volumes(
        given, values, ["a", "b"], timing=TIMING, duration=6.0, attributes={"units": "1"}
    )
    edges = TIMING.edges(len(found))
    pairs = list(zip(edges[:-1], edges[1:], strict=True))
    for number, name in enumerate("ab"):
        rows = [
            (on, off, value)
            for on, off, value in zip(
                given["onset"], given["offset"], values[:, number], strict=True
            )
            if np.isfinite(value)
        ]
        np.testing.assert_allclose(found.sel(feature=name), slow_mean(rows, pairs), atol=0.01)
    assert found.attrs["words"] == 4 and found.attrs["words_left_out"] == "pap:1"
    assert "1 of 4 words have no features and are left out: 'pap' (1)" in caplog.text
