"""Music made by rule: chords, a melody and percussion whose tempo and timbre change by the passage.

A passage is a few seconds in one key, tempo, register and timbre, so that a minute of music spans
many independent dimensions of sound.
"""

from dataclasses import dataclass

import numpy as np

# Steps of a scale in semitones, and chord progressions as degrees of it.
_SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "pentatonic": (0, 2, 4, 7, 9, 12, 14),
}
_PROGRESSIONS = ((0, 3, 4, 0), (0, 5, 3, 4), (1, 4, 0, 0), (5, 3, 0, 4))
# Relative strength of the harmonics, and how fast a note decays in seconds.
_TIMBRES = {
    "flute": ((1.0, 0.15, 0.05), 1.5),
    "organ": ((1.0, 0.7, 0.5, 0.5, 0.3, 0.3, 0.2, 0.2), 4.0),
    "strings": (tuple(1 / n for n in range(1, 13)), 2.0),
    "clarinet": (tuple((n % 2) / n for n in range(1, 14)), 1.2),
    "plucked": (tuple(1 / n**1.3 for n in range(1, 10)), 0.25),
    "bell": ((1.0, 0.0, 0.6, 0.0, 0.0, 0.4, 0.0, 0.0, 0.3), 0.7),
}


@dataclass(frozen=True)
class Passage:
    """A few seconds of music of one kind.

    Parameters
    ----------
    onset, offset : float
        Seconds of film time.
    tempo : float
        Beats a minute.
    timbre : str
        One of the six instruments.
    scale : str
        major, minor or pentatonic.
    key : int
        MIDI number of the tonic of the melody.
    percussion : bool
        Whether drums play along.
    loudness : float
        Peak amplitude, 0 to 1.
    seed : int
        Of the melody.
    """

    onset: float
    offset: float
    tempo: float
    timbre: str
    scale: str
    key: int
    percussion: bool
    loudness: float
    seed: int


def draw_passages(onset: float, offset: float, rng: np.random.Generator) -> tuple[Passage, ...]:
    """Fill an interval with passages of 2.5 to 5 seconds.

    Parameters
    ----------
    onset, offset : float
        Seconds of film time.
    rng : numpy Generator
        Source of chance.

    Returns
    -------
    tuple of Passage
        In order and without a gap.
    """
    passages = []
    start = onset
    timbre = None
    while start < offset:
        end = start + rng.uniform(2.5, 5.0)
        if offset - end < 1.5:
            end = offset
        timbre = str(rng.choice([name for name in _TIMBRES if name != timbre]))
        passages.append(
            Passage(
                onset=start,
                offset=end,
                tempo=float(rng.uniform(66, 180)),
                timbre=timbre,
                scale=str(rng.choice(list(_SCALES))),
                key=int(rng.integers(45, 82)),
                percussion=bool(rng.random() < 0.6),
                loudness=float(rng.uniform(0.25, 0.8)),
                seed=int(rng.integers(2**31)),
            )
        )
        start = end
    return tuple(passages)


def play(passage: Passage, *, rate: int) -> np.ndarray:
    """Synthesise a passage.

    Parameters
    ----------
    passage : Passage
        What to play.
    rate : int
        Samples a second.

    Returns
    -------
    ndarray of shape (n_samples,), float32
        As long as the passage to the nearest sample, with 20 ms ramps at both ends.
    """
    rng = np.random.default_rng(passage.seed)
    n_samples = round(passage.offset * rate) - round(passage.onset * rate)
    sound = np.zeros(n_samples)
    beat = 60 / passage.tempo
    n_beats = int(np.ceil(n_samples / rate / beat))
    scale = _SCALES[passage.scale]
    progression = _PROGRESSIONS[rng.integers(len(_PROGRESSIONS))]
    degree = int(rng.integers(7))
    for number in range(n_beats):
        root = progression[(number // 2) % 4]
        if number % 2 == 0:
            for step in (0, 2, 4):
                pitch = passage.key - 12 + _pitch(scale, root + step)
                _add(
                    sound, _note(passage.timbre, pitch, 2 * beat, rate) * 0.25, number * beat, rate
                )
        # A melody of one or two notes a beat that walks about the scale.
        halves = 2 if rng.random() < 0.5 else 1
        for half in range(halves):
            degree = int(np.clip(degree + rng.integers(-2, 3), -3, 10))
            note = _note(passage.timbre, passage.key + _pitch(scale, degree), beat / halves, rate)
            _add(sound, note * 0.6, (number + half / 2) * beat, rate)
        if passage.percussion:
            _add(
                sound, _drum(rng, "low" if number % 2 == 0 else "noise", rate), number * beat, rate
            )
            _add(sound, 0.4 * _drum(rng, "high", rate), (number + 0.5) * beat, rate)
    sound *= passage.loudness / np.abs(sound).max()
    n_ramp = min(round(0.02 * rate), n_samples // 2)
    ramp = np.sin(np.linspace(0, np.pi / 2, n_ramp)) ** 2
    sound[:n_ramp] *= ramp
    sound[n_samples - n_ramp :] *= ramp[::-1]
    return sound.astype(np.float32)


def _pitch(scale: tuple[int, ...], degree: int) -> int:
    octave, step = divmod(degree, 7)
    return 12 * octave + scale[step]


def _note(timbre: str, pitch: int, seconds: float, rate: int) -> np.ndarray:
    harmonics, decay = _TIMBRES[timbre]
    frequency = 440 * 2 ** ((pitch - 69) / 12)
    time = np.arange(round(seconds * rate)) / rate
    wave = sum(
        strength * np.sin(2 * np.pi * frequency * (number + 1) * time)
        for number, strength in enumerate(harmonics)
        if strength and frequency * (number + 1) < 0.45 * rate
    )
    attack = 0.004 if timbre in ("plucked", "bell") else 0.03
    envelope = np.minimum(time / attack, 1) * np.exp(-time / decay)
    envelope *= np.clip((seconds - time) / 0.02, 0, 1)
    return wave * envelope / sum(harmonics)


def _drum(rng: np.random.Generator, kind: str, rate: int) -> np.ndarray:
    time = np.arange(round(0.18 * rate)) / rate
    noise = rng.standard_normal(len(time))
    if kind == "low":
        # The pitch of a bass drum falls from 120 to 50 Hz.
        return (
            0.8
            * np.sin(2 * np.pi * (50 * time - 70 * 0.03 * np.exp(-time / 0.03)))
            * np.exp(-time / 0.06)
        )
    if kind == "noise":
        return 0.3 * noise * np.exp(-time / 0.04)
    return 0.3 * np.diff(noise, prepend=0) * np.exp(-time / 0.012)


def _add(sound: np.ndarray, part: np.ndarray, onset: float, rate: int) -> None:
    start = round(onset * rate)
    n_samples = max(0, min(len(part), len(sound) - start))
    sound[start : start + n_samples] += part[:n_samples]
