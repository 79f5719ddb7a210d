"""Dutch speech with true word and phoneme times, by eSpeak NG.

eSpeak NG is a formant synthesiser: the same text, voice and settings give the same samples, and its
events say at which sample each word and phoneme starts. The library and its voices come with the
package `espeakng_loader`; it is called through `ctypes`, for no maintained binding hands out the
events.
"""

import ctypes
import functools
import tempfile
from dataclasses import dataclass
from pathlib import Path

import espeakng_loader
import numpy as np

RATE = 22050
"""Samples a second that eSpeak NG makes."""

# Names and numbers are those of eSpeak NG's speak_lib.h.
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_INITIALIZE_PHONEME_EVENTS = 1
_CHARS_UTF8 = 1
_POSITION_CHARACTER = 1
_EVENT_WORD, _EVENT_PHONEME = 1, 7
_PARAMETER_RATE, _PARAMETER_PITCH, _PARAMETER_RANGE = 1, 3, 4


class _Identity(ctypes.Union):
    _fields_ = [
        ("number", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("string", ctypes.c_char * 8),
    ]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Identity),
    ]


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


@dataclass(frozen=True)
class Voice:
    """How a speaker sounds.

    Parameters
    ----------
    name : str
        A voice of eSpeak NG, such as ``nl+f2``.
    pitch : int
        0 to 99.
    words_per_minute : int
        Rate of speech.
    """

    name: str
    pitch: int
    words_per_minute: int


@dataclass(frozen=True)
class Item:
    """A word or a phoneme: what, and from when to when in seconds."""

    item: str
    onset: float
    offset: float


@dataclass(frozen=True)
class Speech:
    """A spoken text.

    Parameters
    ----------
    samples : ndarray of shape (n_samples,), float32
        The sound in [-1, 1] at `RATE`.
    words, phonemes : tuple of Item
        Times count from the first sample. Phonemes carry eSpeak's own mnemonics.
    """

    samples: np.ndarray
    words: tuple[Item, ...]
    phonemes: tuple[Item, ...]

    @property
    def duration(self) -> float:
        """Seconds of sound."""
        return len(self.samples) / RATE


class _Synthesiser:
    """The library, which keeps one state a process."""

    def __init__(self) -> None:
        self.library = ctypes.CDLL(espeakng_loader.get_library_path())
        # eSpeak NG keeps 160 characters of the path to its data, and an environment may lie deeper;
        # the link is there as long as the library reads voices.
        self.folder = tempfile.TemporaryDirectory()
        data = Path(self.folder.name) / "espeak-ng-data"
        data.symlink_to(espeakng_loader.get_data_path(), target_is_directory=True)
        rate = self.library.espeak_Initialize(
            _AUDIO_OUTPUT_SYNCHRONOUS, 0, str(data).encode(), _INITIALIZE_PHONEME_EVENTS
        )
        if rate != RATE:
            raise RuntimeError(f"eSpeak NG started with a sampling rate of {rate}, not {RATE}")
        self.chunks: list[np.ndarray] = []
        self.events: list[tuple[int, int, int, int, str]] = []
        # Kept as an attribute: the library holds only its address.
        self.callback = _Callback(self._receive)
        self.library.espeak_SetSynthCallback(self.callback)

    def _receive(self, samples, n_samples, events) -> int:
        index = 0
        while events[index].type:
            event = events[index]
            name = event.id.string.decode() if event.type == _EVENT_PHONEME else ""
            self.events.append((event.type, event.text_position, event.length, event.sample, name))
            index += 1
        if n_samples:
            self.chunks.append(np.ctypeslib.as_array(samples, (n_samples,)).copy())
        return 0

    def say(self, text: str, voice: Voice) -> tuple[np.ndarray, list]:
        self.chunks, self.events = [], []
        # Otherwise the breath of some voices is drawn by the time of day.
        status = self.library.espeak_ng_SetRandSeed(ctypes.c_long(1))
        encoded = text.encode() + b"\0"
        status |= self.library.espeak_SetVoiceByName(voice.name.encode())
        for parameter, value in (
            (_PARAMETER_RATE, voice.words_per_minute),
            (_PARAMETER_PITCH, voice.pitch),
            (_PARAMETER_RANGE, 60),
        ):
            status |= self.library.espeak_SetParameter(parameter, value, 0)
        status |= self.library.espeak_Synth(
            encoded, len(encoded), 0, _POSITION_CHARACTER, 0, _CHARS_UTF8, None, None
        )
        status |= self.library.espeak_Synchronize()
        if status:
            raise RuntimeError(f"eSpeak NG could not say {text!r} with the voice {voice.name}")
        return np.concatenate(self.chunks), self.events


@functools.cache
def _synthesiser() -> _Synthesiser:
    return _Synthesiser()


def say(text: str, voice: Voice) -> Speech:
    """Speak a text.

    Parameters
    ----------
    text : str
        One sentence.
    voice : Voice
        Who speaks.

    Returns
    -------
    Speech
        The sound, without the pause after the sentence, and its words and phonemes.

    Raises
    ------
    RuntimeError
        When eSpeak NG refuses the text or the voice.
    """
    samples, events = _synthesiser().say(text, voice)
    # Pauses are phonemes whose mnemonic begins with an underscore; "_|" has no length.
    sounds = [
        (name.strip("'%,"), sample) for kind, _, _, sample, name in events
        if kind == _EVENT_PHONEME and name != "_|"
    ]  # fmt: skip
    ends = [sample for _, sample in sounds[1:]] + [len(samples)]
    pauses = [sample for name, sample in sounds if name.startswith("_")]
    phonemes = tuple(
        Item(name, onset / RATE, offset / RATE)
        for (name, onset), offset in zip(sounds, ends, strict=True)
        if not name.startswith("_") and offset > onset
    )
    starts = [event for event in events if event[0] == _EVENT_WORD]
    words = []
    for index, (_, position, length, onset, _) in enumerate(starts):
        following = starts[index + 1][3] if index + 1 < len(starts) else len(samples)
        offset = min([following, *(pause for pause in pauses if pause > onset)])
        # Positions count from one.
        item = text[position - 1 : position - 1 + length].strip(".,!?;:'\"").lower()
        words.append(Item(item, onset / RATE, offset / RATE))
    end = round(max(phonemes[-1].offset, words[-1].offset) * RATE)
    return Speech(samples[:end].astype(np.float32) / 32768, tuple(words), phonemes)
