"""What is said at the TRs, from the annotations of words and of what lies in them."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from stim2bold.stimulus.feature_tables import volume_table
from stim2bold.stimulus.timing import Timing, weighted_coverage

log = logging.getLogger(__name__)

#: Tables of sound that are no speaker's words.
LINGUISTIC = (
    "words",
    "phonemes",
    "syllables",
    "sentences",
    "clauses",
    "questions",
    "verbs",
    "nouns",
    "adjectives",
)
#: Symbols of the IPA and of SAMPA for Dutch, by manner of articulation. A symbol of several letters
#: (a diphthong, an affricate) counts by its first.
PHONEME_CLASSES = {
    "front vowel": "iɪeɛyʏøœIEY29",
    "back vowel": "uoɔɑaAOU",
    "central vowel": "əɐɵ@3V8",
    "plosive": "pbtdkɡgcʔ",
    "fricative": "fvszʃʒxχɣhɦθðSZGH",
    "nasal": "mnŋɲNJ",
    "approximant": "lrjwʋɹʁRɫ",
}


@dataclass(frozen=True, kw_only=True)
class WordSettings:
    """How words become features.

    Parameters
    ----------
    language : str
        BCP 47 code for the frequency of words in `wordfreq`, such as nl.
    """

    language: str


def phoneme_class(symbol: str) -> str | None:
    """Return the class of a phoneme by its first letter, None for one that has none."""
    for name, letters in PHONEME_CLASSES.items():
        if symbol[:1] in letters and symbol:
            return name
    return None


def per_second(onsets: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return how many events a second begin in each TR, shape (n_rows,)."""
    counts, _ = np.histogram(onsets, edges)
    return counts / np.diff(edges)


def speakers_of(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the tables that hold one speaker's words each: at least half of them words.

    What is said at once, or by nobody in particular, stands in a speaker's table alone.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Tables of sound by name, ``words`` among them: item, onset, offset.
    """
    said = set(tables["words"]["onset"].round(3))
    return {
        name: table
        for name, table in tables.items()
        if name not in LINGUISTIC
        and "item" in table
        and len(table)
        and table["onset"].round(3).isin(said).mean() >= 0.5
    }


def speaker_changes(speakers: Mapping[str, pd.DataFrame]) -> np.ndarray:
    """Return the onsets of words at which another speaker takes over, in order."""
    turns = sorted(
        (float(onset), name) for name, table in speakers.items() for onset in table["onset"]
    )
    return np.array([now[0] for before, now in pairwise(turns) if before[1] != now[1]])


def positions(words: pd.DataFrame, sentences: pd.DataFrame) -> np.ndarray:
    """Return each word's place in its sentence, from 1; 0 where it lies in none."""
    place = np.zeros(len(words))
    middles = (words["onset"] + words["offset"]).to_numpy() / 2
    for start, end in zip(sentences["onset"], sentences["offset"], strict=True):
        within = np.flatnonzero((middles >= start) & (middles <= end))
        place[within] = np.arange(1, len(within) + 1)
    return place


def in_one_line(counts: Mapping[str, int]) -> str:
    """Return counts for an attribute of a file, such as ``dag:2 pap:1``."""
    return " ".join(f"{name}:{count}" for name, count in sorted(counts.items()))


def words_of(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the table of words in the order in which they begin: item, onset, offset."""
    return tables["words"].sort_values("onset", kind="stable", ignore_index=True)


def values_at_volumes(
    words: pd.DataFrame,
    values: np.ndarray,
    names: Sequence[str],
    *,
    timing: Timing,
    duration: float,
    attributes: Mapping[str, Any],
) -> xr.DataArray:
    """Bring what words have to the TRs.

    Parameters
    ----------
    words : DataFrame
        item, onset and offset (film time, s).
    values : ndarray of shape (n_words, n_features)
        What holds while a word lasts; NaN for words that have nothing, which are left out and
        counted.
    names : sequence of str
        Of the features.
    timing : Timing
        TR and onset of the film.
    duration : float
        Length of the film, seconds.
    attributes : mapping

    Returns
    -------
    DataArray of float32, dims (time, feature)
        Means over the TR, 0 where nothing is said. The attributes name the words left out.
    """
    edges = timing.edges(timing.n_rows(duration))
    known = np.isfinite(values).all(axis=1)
    left_out = Counter(map(str, words["item"][~known]))
    if left_out:
        log.warning(
            "%d of %d words have no features and are left out: %s",
            int((~known).sum()),
            len(words),
            ", ".join(f"'{word}' ({count})" for word, count in sorted(left_out.items())),
        )
    onsets, offsets = words["onset"].to_numpy()[known], words["offset"].to_numpy()[known]
    return volume_table(
        weighted_coverage(onsets, offsets, values[known], edges),
        names,
        timing=timing,
        duration=duration,
        attributes={
            **attributes,
            "words": len(words),
            "words_left_out": in_one_line(left_out),
        },
    )


def words_at_volumes(
    tables: Mapping[str, pd.DataFrame],
    frequency: Callable[[str], float],
    *,
    timing: Timing,
    duration: float,
) -> xr.DataArray:
    """Tabulate what is said at the TRs.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Tables of sound by name, with item, onset and offset (film time, s): ``words``, and of
        ``phonemes``, ``syllables``, ``sentences`` and the words of each speaker those there are.
    frequency : callable
        Frequency of a word on the Zipf scale (log10 of occurrences in 10 ** 9 words), 0 where it
        is not known.
    timing : Timing
        TR and onset of the film.
    duration : float
        Length of the film, seconds.

    Returns
    -------
    DataArray of float32, dims (time, feature)
        Counts a second of what begins in a TR; means over the TR of what holds while a word or a
        phoneme lasts. The attributes say who was taken for a speaker, and how many words have no
        known frequency.
    """
    edges = timing.edges(timing.n_rows(duration))
    words = words_of(tables)
    onsets, offsets = words["onset"].to_numpy(), words["offset"].to_numpy()
    items = [str(item) for item in words["item"]]
    first = ~pd.Series(items).duplicated().to_numpy(dtype=bool)
    zipf = np.array([frequency(item) for item in items])
    columns = {
        "rate": per_second(onsets, edges),
        "new word": per_second(onsets[first], edges),
    }
    held = {
        "speech": np.ones(len(items)),
        "letters": np.array([float(len(item)) for item in items]),
        "duration": offsets - onsets,
        "frequency": zipf,
    }
    if (sentences := tables.get("sentences")) is not None:
        columns["sentence onset"] = per_second(sentences["onset"].to_numpy(), edges)
        columns["sentence end"] = per_second(sentences["offset"].to_numpy(), edges)
        held["position in sentence"] = positions(words, sentences)
    columns |= {
        name: weighted_coverage(onsets, offsets, values, edges) for name, values in held.items()
    }
    if (syllables := tables.get("syllables")) is not None:
        columns["syllable rate"] = per_second(syllables["onset"].to_numpy(), edges)
    unknown: Counter[str] = Counter()
    if (phonemes := tables.get("phonemes")) is not None:
        columns["phoneme rate"] = per_second(phonemes["onset"].to_numpy(), edges)
        classes = np.array([phoneme_class(str(item)) or "" for item in phonemes["item"]])
        unknown.update(map(str, phonemes["item"][classes == ""]))
        for name in PHONEME_CLASSES:
            own = phonemes[classes == name]
            columns[name] = weighted_coverage(
                own["onset"].to_numpy(), own["offset"].to_numpy(), np.ones(len(own)), edges
            )
    speakers = speakers_of(tables)
    if len(speakers) > 1:
        columns["speaker change"] = per_second(speaker_changes(speakers), edges)
    return volume_table(
        np.stack(list(columns.values()), axis=1),
        [f"sound/words {name}" for name in columns],
        timing=timing,
        duration=duration,
        attributes={
            "units": "events a second, and means over the TR",
            "words": len(items),
            "words_without_frequency": int((zipf == 0).sum()),
            "phonemes_without_class": in_one_line(unknown),
            "speakers": " ".join(speakers),
        },
    )
