"""Vectors of words from a text file, one word a line, as fastText and word2vec write them."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from stim2bold.runtime.errors import InputError


def read_vectors(path: str | Path | None, words: Sequence[str]) -> dict[str, np.ndarray]:
    """Read the vectors of some words.

    Parameters
    ----------
    path : str, Path or None
        UTF-8: a word and its numbers a line, blanks between. A first line may say how many words
        and numbers there are.
    words : sequence of str
        What is looked for, as it is written or in small letters.

    Returns
    -------
    dict of str to ndarray of shape (n_dimensions,), float32
        Of the words that are in the file.

    Raises
    ------
    InputError
        When there is none, it is not one of vectors, or holds none of the words.
    """
    if path is None:
        raise InputError(
            "word_vectors",
            "there is no file of vectors",
            "set backbones.word_vectors.weights to a text file of vectors, such as cc.nl.300.vec "
            "of fastText",
        )
    wanted = {form for word in words for form in (word, word.lower())}
    found: dict[str, np.ndarray] = {}
    size = None
    try:
        with Path(path).open(encoding="utf-8", newline="\n") as file:
            for number, line in enumerate(file, 1):
                text = line.rstrip("\r\n ")
                if number == 1 and re.fullmatch(r"\d+ \d+", text):
                    size = int(text.split(" ")[1])
                    continue
                size = text.count(" ") if size is None else size
                # From the end: some files have words with blanks in them.
                word, *fields = text.rsplit(" ", max(size, 1))
                if len(fields) != size or size < 2:
                    raise InputError(
                        path,
                        f"line {number} has {len(fields)} numbers, {size} expected",
                        "give a text file of vectors, one word a line",
                    )
                if word in wanted and word not in found:
                    found[word] = np.array(fields, dtype=np.float32)
                    if not np.isfinite(found[word]).all():
                        raise ValueError(f"line {number} has a number that is not finite")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise InputError(path, f"is no text file of vectors ({error})", "give another") from error
    if not found:
        raise InputError(
            path, "holds none of the film's words", "give vectors of the film's language"
        )
    return found


def vectors_of(words: Sequence[str], vectors: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return each word's vector, (n_words, n_dimensions), NaN where there is none.

    A word that is not there as it is written is looked for in small letters.
    """
    size = len(next(iter(vectors.values())))
    missing = np.full(size, np.nan, dtype=np.float32)
    return np.stack([vectors.get(word, vectors.get(word.lower(), missing)) for word in words])
