"""What the simulated film contains, moment by moment, and the responses it would evoke.

Computed from the frames as they were drawn, the sound as it was mixed and the words as they were
said, at their exact times.
"""

import numpy as np
import xarray as xr

from stim2bold.simulation.film.features import (
    comprehend_words,
    frame_at,
    frames_covered,
    hear,
    plant,
)
from stim2bold.simulation.film.filmmaking import Film, mouth_movement

# Columns of `comprehend` that follow from the words alone.
_FROM_WORDS = [0, 1, 3, 4, 6, 7, 10]


def comprehend(film: Film) -> np.ndarray:
    """Return what there is to understand at every frame.

    Parameters
    ----------
    film : Film
        What is said when.

    Returns
    -------
    ndarray of shape (n_frames, 12)
        Starts of words, fraction covered by words, starts of sentences, length in seconds and in
        letters of the word, phonemes started, words of four letters and fewer, words never said
        before, place in the sentence, questions, words in the last 2 s, change of speaker.
    """
    n_frames = film.settings.n_frames
    rows = np.zeros((n_frames, 12))
    said = [
        (word.item, word.onset, word.offset)
        for utterance in film.utterances
        for word in utterance.words
    ]
    rows[:, _FROM_WORDS] = comprehend_words(said, n_frames)
    speaker = None
    for utterance in film.utterances:
        words = utterance.words
        start = frame_at(words[0].onset, n_frames)
        rows[start, 2] += 1
        rows[start, 11] += utterance.speaker is not speaker
        speaker = utterance.speaker
        if utterance.text.endswith("?"):
            rows[:, 9] += frames_covered(words[0].onset, words[-1].offset, n_frames)
        for place, word in enumerate(words):
            rows[:, 8] += frames_covered(word.onset, word.offset, n_frames) * (place + 1)
        for phoneme in utterance.phonemes:
            rows[frame_at(phoneme.onset, n_frames), 5] += 1
    return rows


def describe(film: Film, seen: np.ndarray, sound: np.ndarray) -> xr.Dataset:
    """Gather the truth about the film that the simulation draws.

    Parameters
    ----------
    film : Film
        Its script.
    seen : ndarray of shape (n_frames, n_features)
        From `Watcher.features`.
    sound : ndarray of shape (n_samples,)
        Its sound track.

    Returns
    -------
    Dataset
        See `plant`; with ``opening`` (frame): of the mouth; ``shot`` (frame): number of the shot.
    """
    features = {"visual": seen, "auditory": hear(sound), "language": comprehend(film)}
    truth = plant(features, film.settings, source="simulated film")
    shots = np.concatenate(
        [np.full(shot.last - shot.first, number) for number, shot in enumerate(film.shots)]
    )
    truth["opening"] = (("frame",), mouth_movement(film)[0].astype(np.float32))
    truth["shot"] = (("frame",), shots.astype(np.int32))
    return truth
