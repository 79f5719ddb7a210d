"""Annotations of the simulated film, in the format of ds003688, taken from its script."""

import re

import pandas as pd

from stim2bold.simulation.film.faces import SPEAKERS
from stim2bold.simulation.film.filmmaking import Film, Shot
from stim2bold.simulation.film.scenes import SCENES
from stim2bold.simulation.film.settings import FRAME_RATE

_VOWELS = re.compile(r"(ij|[aeiouyAEIOUYV@893])")


def concepts_of(shot: Shot) -> tuple[str, ...]:
    """Return what can be seen in a shot.

    Parameters
    ----------
    shot : Shot
        Of a music or a speech block.

    Returns
    -------
    tuple of str
        Names of concepts; one of them, as in ds003688, has a space.
    """
    if shot.scene is not None:
        return ("music", *SCENES[shot.scene][1])
    seen = ["person", "face", "head", "hair", "eye", "mouth", "nose", "indoors", "room"]
    seen += [shot.speaker.name, *shot.speaker.concepts]
    if shot.close_up:
        seen.append("portrait")
    if abs(shot.smile) > 0.4:
        seen.append("facial expression")
    if shot.smile > 0.4:
        seen.append("smile")
    return tuple(seen)


def annotate_video(film: Film) -> dict[str, pd.DataFrame]:
    """Tabulate when each concept is seen.

    Parameters
    ----------
    film : Film
        The script.

    Returns
    -------
    dict
        Concept -> table with the columns onset and offset (seconds, on the 40 ms grid of the
        frames), shots that follow each other without a break joined.
    """
    intervals: dict[str, list[list[int]]] = {}
    for shot in film.shots:
        for concept in concepts_of(shot):
            seen = intervals.setdefault(concept, [])
            if seen and seen[-1][1] == shot.first:
                seen[-1][1] = shot.last
            else:
                seen.append([shot.first, shot.last])
    return {
        concept: pd.DataFrame(
            [(round(a / FRAME_RATE, 3), round(b / FRAME_RATE, 3)) for a, b in seen],
            columns=["onset", "offset"],
        )
        for concept, seen in sorted(intervals.items())
    }


def annotate_sound(film: Film) -> dict[str, pd.DataFrame]:
    """Tabulate what is said when.

    Parameters
    ----------
    film : Film
        The script.

    Returns
    -------
    dict
        words, sentences, phonemes, syllables, questions and the words of each speaker -> table with
        the columns item, onset and offset (seconds of film time, to the millisecond).
    """
    tables: dict[str, list[tuple[str, float, float]]] = {
        name: [] for name in ("words", "sentences", "phonemes", "syllables", "questions")
    }
    tables |= {speaker.name: [] for speaker in SPEAKERS}
    for utterance in film.utterances:
        words = [(word.item, word.onset, word.offset) for word in utterance.words]
        sentence = (utterance.text, words[0][1], words[-1][2])
        phonemes = [(sound.item, sound.onset, sound.offset) for sound in utterance.phonemes]
        tables["words"] += words
        tables[utterance.speaker.name] += words
        tables["phonemes"] += phonemes
        tables["syllables"] += _syllables(phonemes, words)
        tables["sentences"].append(sentence)
        if utterance.text.endswith("?"):
            tables["questions"].append(sentence)
    return {
        name: pd.DataFrame(
            [(item, round(onset, 3), round(offset, 3)) for item, onset, offset in rows],
            columns=["item", "onset", "offset"],
        )
        for name, rows in tables.items()
    }


def _syllables(phonemes: list[tuple], words: list[tuple]) -> list[tuple]:
    """Group the phonemes of each word about its vowels; a consonant before a vowel opens it."""
    syllables = []
    for _, onset, offset in words:
        inside = [p for p in phonemes if onset - 0.02 <= p[1] < offset - 0.005]
        groups: list[list[tuple]] = []
        for index, phoneme in enumerate(inside):
            vowel = bool(_VOWELS.search(phoneme[0]))
            opens = (
                not vowel
                and index + 1 < len(inside)
                and bool(_VOWELS.search(inside[index + 1][0]))
                and bool(groups)
                and any(_VOWELS.search(p[0]) for p in groups[-1])
            )
            if not groups or opens:
                groups.append([])
            groups[-1].append(phoneme)
        syllables += [("".join(p[0] for p in group), group[0][1], group[-1][2]) for group in groups]
    return syllables
