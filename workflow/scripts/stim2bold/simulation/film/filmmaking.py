"""The script of the simulated film: blocks, shots, who says what when, and the whole sound track.

Music and speech alternate, music first, as in the film of ds003688. All chance comes from one seed.
"""

from dataclasses import dataclass

import numpy as np
from scipy.signal import resample_poly

from stim2bold.simulation.film import speech
from stim2bold.simulation.film.faces import SPEAKERS, Speaker
from stim2bold.simulation.film.music import Passage, draw_passages, play
from stim2bold.simulation.film.scenes import SCENES
from stim2bold.simulation.film.sentences import SENTENCES
from stim2bold.simulation.film.settings import FRAME_RATE, SOUND_RATE, FilmSettings

# How far the mouth opens at a phoneme, relative to the loudness of the sound, and how round the
# lips are: closed at p, b, m; wide at a; round at o, u (eSpeak's mnemonics, by first letter).
_OPENING = {"p": 0.0, "b": 0.0, "m": 0.0, "f": 0.25, "v": 0.25, "w": 0.3, "u": 0.5, "y": 0.45,
            "i": 0.55, "I": 0.6, "s": 0.35, "z": 0.35, "t": 0.4, "d": 0.4, "n": 0.4}  # fmt: skip
_ROUNDING = {"o": 0.8, "O": 0.7, "u": 1.0, "y": 0.9, "Y": 0.7, "w": 0.7, "@": 0.2}


@dataclass(frozen=True)
class Utterance:
    """A sentence of the film.

    Parameters
    ----------
    text : str
        What is said.
    speaker : Speaker
        By whom.
    onset : float
        Film time of its first sample in seconds, on a sample of the sound track.
    speech : Speech
        The sound and its words; their times count from `onset`.
    """

    text: str
    speaker: Speaker
    onset: float
    speech: speech.Speech

    @property
    def offset(self) -> float:
        """Film time of its end in seconds."""
        return self.onset + self.speech.duration

    @property
    def words(self) -> list[speech.Item]:
        """Words in film time."""
        return [_shifted(item, self.onset) for item in self.speech.words]

    @property
    def phonemes(self) -> list[speech.Item]:
        """Phonemes in film time."""
        return [_shifted(item, self.onset) for item in self.speech.phonemes]


@dataclass(frozen=True)
class Shot:
    """A piece of film without a cut.

    Parameters
    ----------
    first, last : int
        Its first frame, and the one after its last.
    seed : int
        Of its details.
    scene : str or None
        One of `scenery.SCENES` in a music block.
    speaker : Speaker or None
        Who is seen in a speech block.
    pace, beat : float
        Of the music (1 and 0.5 in speech).
    smile : float
        -1 to 1.
    close_up : bool
        Whether the face fills the frame.
    """

    first: int
    last: int
    seed: int
    scene: str | None
    speaker: Speaker | None
    pace: float
    beat: float
    smile: float
    close_up: bool


@dataclass(frozen=True)
class Film:
    """All that is shown and heard, and when.

    Parameters
    ----------
    settings : FilmSettings
        Its length.
    shots : tuple of Shot
        In order, without a gap.
    utterances : tuple of Utterance
        In order.
    passages : tuple of Passage
        In order.
    """

    settings: FilmSettings
    shots: tuple[Shot, ...]
    utterances: tuple[Utterance, ...]
    passages: tuple[Passage, ...]

    @property
    def blocks(self) -> list[tuple[str, float, float]]:
        """Kind, onset and offset of each block in seconds."""
        length = self.settings.block_seconds
        return [
            ("speech" if number % 2 else "music", number * length, (number + 1) * length)
            for number in range(self.settings.n_blocks)
        ]


def _shifted(item: speech.Item, onset: float) -> speech.Item:
    return speech.Item(item.item, item.onset + onset, item.offset + onset)


def write_script(settings: FilmSettings) -> Film:
    """Decide all that happens in the film.

    Parameters
    ----------
    settings : FilmSettings
        Length and seed.

    Returns
    -------
    Film
        The same for the same settings.
    """
    rng = np.random.default_rng([settings.seed, 1000, 1])
    film = Film(settings, (), (), ())
    shots: list[Shot] = []
    utterances: list[Utterance] = []
    passages: list[Passage] = []
    texts: list[str] = []
    scenes: list[str] = []
    for kind, onset, offset in film.blocks:
        if kind == "music":
            played = draw_passages(onset, offset, rng)
            passages += played
            shots += _music_shots(onset, offset, played, scenes, rng)
        else:
            said = _talk(onset, offset, texts, rng)
            utterances += said
            shots += _speech_shots(onset, offset, said, rng)
    return Film(settings, tuple(shots), tuple(utterances), tuple(passages))


def _deal(deck: list[str], cards, rng: np.random.Generator) -> str:
    """Take the next card of a shuffled deck, shuffled anew when it is used up."""
    if not deck:
        deck += [str(card) for card in rng.permutation(list(cards))]
    return deck.pop()


def _talk(
    onset: float, offset: float, texts: list[str], rng: np.random.Generator
) -> list[Utterance]:
    utterances = []
    now = onset + rng.uniform(0.1, 0.4)
    number = int(rng.integers(len(SPEAKERS)))
    refused = 0
    while refused < 2 * len(SENTENCES):
        text = _deal(texts, SENTENCES, rng)
        said = speech.say(text, SPEAKERS[number].voice)
        start = round(now * SOUND_RATE) / SOUND_RATE
        if start + said.duration > offset - 0.05:
            refused += 1
            # Near the end of a block only a short sentence fits; those that do not, come later.
            texts.insert(0, text)
            continue
        utterances.append(Utterance(text, SPEAKERS[number], start, said))
        now = start + said.duration + rng.uniform(0.2, 0.7)
        if rng.random() < 0.65:
            number = (number + int(rng.integers(1, len(SPEAKERS)))) % len(SPEAKERS)
    return utterances


def _music_shots(
    onset: float,
    offset: float,
    passages: tuple[Passage, ...],
    scenes: list[str],
    rng: np.random.Generator,
) -> list[Shot]:
    shots = []
    first, end = round(onset * FRAME_RATE), round(offset * FRAME_RATE)
    while first < end:
        last = first + int(rng.integers(2 * FRAME_RATE, 5 * FRAME_RATE))
        if end - last < FRAME_RATE:
            last = end
        middle = (first + last) / 2 / FRAME_RATE
        music = next(passage for passage in passages if middle < passage.offset)
        shots.append(
            Shot(
                first=first,
                last=last,
                seed=int(rng.integers(2**31)),
                scene=_deal(scenes, SCENES, rng),
                speaker=None,
                pace=music.tempo / 115,
                beat=60 / music.tempo,
                smile=0.0,
                close_up=False,
            )
        )
        first = last
    return shots


def _speech_shots(
    onset: float, offset: float, utterances: list[Utterance], rng: np.random.Generator
) -> list[Shot]:
    # The camera turns to a speaker a moment before they start, and sometimes cuts in between.
    first, end = round(onset * FRAME_RATE), round(offset * FRAME_RATE)
    turns = [first]
    speakers = [utterances[0].speaker if utterances else SPEAKERS[0]]
    for before, after in zip(utterances[:-1], utterances[1:], strict=True):
        turns.append(round((before.offset + after.onset) / 2 * FRAME_RATE))
        speakers.append(after.speaker)
    turns.append(end)
    shots = []
    for start, stop, speaker in zip(turns[:-1], turns[1:], speakers, strict=True):
        shots.append(
            Shot(
                first=start,
                last=stop,
                seed=int(rng.integers(2**31)),
                scene=None,
                speaker=speaker,
                pace=1.0,
                beat=0.5,
                smile=float(rng.uniform(-0.6, 1.0)),
                close_up=bool(rng.random() < 0.45),
            )
        )
    return shots


def mix_sound(film: Film) -> np.ndarray:
    """Make the sound track.

    Parameters
    ----------
    film : Film
        What is heard when.

    Returns
    -------
    ndarray of shape (n_samples,), float32
        In [-1, 1] at `SOUND_RATE`, exactly as long as the film. Rooms and instruments are not
        silent: noise 60 dB below full scale lies under everything.
    """
    n_samples = film.settings.n_frames * SOUND_RATE // FRAME_RATE
    rng = np.random.default_rng([film.settings.seed, 1000, 2])
    sound = (1e-3 * rng.standard_normal(n_samples)).astype(np.float32)
    for passage in film.passages:
        part = play(passage, rate=SOUND_RATE)
        start = round(passage.onset * SOUND_RATE)
        sound[start : start + len(part)] += part
    for utterance in film.utterances:
        part = said_at_sound_rate(utterance)
        start = round(utterance.onset * SOUND_RATE)
        sound[start : start + len(part)] += part
    return np.clip(sound, -1, 1)


def said_at_sound_rate(utterance: Utterance) -> np.ndarray:
    """Return the sound of an utterance alone at `SOUND_RATE`, at the loudness of the film.

    Parameters
    ----------
    utterance : Utterance
        What is said.

    Returns
    -------
    ndarray of shape (n_samples,), float32
        Its samples.
    """
    # All speakers are about as loud as each other.
    samples = utterance.speech.samples
    loudness = np.sqrt(np.mean(samples**2))
    up = SOUND_RATE // speech.RATE
    return np.clip(resample_poly(samples * (0.11 / loudness), up, 1), -1, 1).astype(np.float32)


def mouth_movement(film: Film) -> tuple[np.ndarray, np.ndarray]:
    """Return how far the mouth is open and how round it is, at every frame.

    The opening is the loudness of the speech during the frame (root mean square over its 40 ms,
    to the power 0.6), times what the phoneme at its middle allows.

    Parameters
    ----------
    film : Film
        What is said when.

    Returns
    -------
    opening, rounding : ndarray of shape (n_frames,)
        0 to 1; 0 where nobody speaks.
    """
    n_frames = film.settings.n_frames
    per_frame = SOUND_RATE // FRAME_RATE
    opening, rounding = np.zeros(n_frames), np.zeros(n_frames)
    for utterance in film.utterances:
        part = said_at_sound_rate(utterance)
        start = round(utterance.onset * SOUND_RATE)
        first = start // per_frame
        n_touched = -(-(start + len(part)) // per_frame) - first
        padded = np.zeros(n_touched * per_frame)
        padded[start - first * per_frame :][: len(part)] = part
        loudness = np.sqrt(np.mean(padded.reshape(n_touched, per_frame) ** 2, axis=1))
        allowed, round_lips = np.full(n_touched, 0.8), np.zeros(n_touched)
        middles = (first + np.arange(n_touched) + 0.5) / FRAME_RATE
        for phoneme in utterance.phonemes:
            inside = (middles >= phoneme.onset) & (middles < phoneme.offset)
            sign = phoneme.item[:1]
            allowed[inside] = _OPENING.get(sign, 1.0 if sign in "aAeEoO@9" else 0.6)
            round_lips[inside] = _ROUNDING.get(sign, 0.0)
        frames = slice(first, first + n_touched)
        opening[frames] = np.clip((loudness / 0.25) ** 0.6, 0, 1) * allowed
        rounding[frames] = round_lips
    return opening, rounding
