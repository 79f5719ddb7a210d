"""Measured claims about sound: Griffin-Lim beside that of librosa, and real speech through it."""

import time
from collections.abc import Callable
from pathlib import Path

import librosa
import numpy as np
import standard_film
from claims import row
from shipped import shipped

from stim2bold.sound.griffin_lim import InversionSettings, griffin_lim, invert
from stim2bold.sound.scores import UNITS, aligned, delay_of, spectral_scores, speech_scores
from stim2bold.stimulus.audio import read_sound
from stim2bold.stimulus.film import probe
from stim2bold.stimulus.film_streams import StreamSettings
from stim2bold.stimulus.spectrogram import SpectrogramSettings, log_mel, mel_filters

PROJECT = Path(__file__).resolve().parents[1]
REAL = PROJECT.parent / "shared" / "real"
SETTINGS = shipped(SpectrogramSettings)
SIZES = {"n_fft": SETTINGS.n_fft, "hop_length": SETTINGS.hop}
ITERATIONS = 60
SEEDS = (0, 1, 2)
# Of true spectrograms: what copy synthesis is worth, not what reading lips is. A linear spectrogram
# loses nothing but phases, so its sound is near the original's; a mel spectrogram keeps words and
# formants (docs/methods.md, Sound). A little below what was measured first.
GOALS = {
    "linear": {
        "pesq_wb": 4.0,
        "pesq_nb": 4.0,
        "stoi": 0.97,
        "estoi": 0.94,
        "mcd": 2.0,
        "mel_r": 0.99,
        "convergence": 0.1,
    },
    "mel": {
        "pesq_wb": 2.8,
        "pesq_nb": 3.5,
        "stoi": 0.91,
        "estoi": 0.80,
        "mcd": 3.7,
        "mel_r": 0.98,
        "convergence": 0.5,
    },
}
LOWER = ("mcd", "convergence")
# Of a film of 13 blocks of 30 s, music and speech in turn: the middle of each.
SECONDS = 10.0
MIDDLES = {"music": range(0, 13, 2), "speech": range(1, 13, 2)}


def stretch(path: Path, start: float = 0.0, seconds: float = 60.0) -> np.ndarray:
    """Read a stretch of a film's sound."""
    _, clock = probe(path, shipped(StreamSettings))
    stop = min(clock["duration"], start + seconds)
    sound = read_sound(path, zero=clock["zero"], duration=stop, rate=SETTINGS.rate)
    return sound[round(start * SETTINGS.rate) :]


def middles(path: Path, kind: str) -> list[np.ndarray]:
    """Read the middles of a film's blocks of music, or of speech."""
    sound = stretch(path, seconds=np.inf)
    starts = [round((30.0 * block + 10.0) * SETTINGS.rate) for block in MIDDLES[kind]]
    return [sound[start : start + round(SECONDS * SETTINGS.rate)] for start in starts]


def speech() -> dict[str, np.ndarray]:
    """Return several seconds of speech: two real talkers, a real and the simulated film."""
    sounds = {path.stem: stretch(path) for path in sorted(REAL.glob("GRID_*.mpg"))}
    if (REAL / "film.mp4").exists():
        sounds["film"] = stretch(REAL / "film.mp4", 40.0, SECONDS)
    sounds["simulated"] = stretch(standard_film.film(), 40.0, SECONDS)
    return sounds


def magnitudes(sound: np.ndarray) -> np.ndarray:
    """Return librosa's magnitudes, (n_bins, n_frames)."""
    return np.abs(librosa.stft(sound, **SIZES, pad_mode="constant"))


def convergence(sound: np.ndarray, wanted: np.ndarray, bank: np.ndarray | None = None) -> float:
    """Return the distance of a sound's magnitudes from those wanted, over the norm of these."""
    found = magnitudes(sound)[:, : wanted.shape[1]]
    if bank is not None:
        found = bank @ found
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))


def timed(work: Callable[[], np.ndarray]) -> tuple[np.ndarray, float]:
    """Return what some work gives, and the processor time that it took."""
    started = time.process_time()
    return work(), time.process_time() - started


def griffin_lim_librosa() -> list[dict]:
    """Invert linear and mel spectrograms as librosa does: from its phases, as many iterations."""
    started = time.monotonic()
    bank = mel_filters(SETTINGS)
    further = {"linear": [], "mel": []}
    faster = {"linear": [], "mel": []}
    for sound in speech().values():
        linear = magnitudes(sound)
        mel = bank @ linear
        log_of_mel = np.log(np.maximum(mel, SETTINGS.floor)).T
        for seed in SEEDS:
            phases = 2 * np.pi * np.random.RandomState(seed).random_sample(linear.shape)
            common = {"n_iter": ITERATIONS, "random_state": seed, "pad_mode": "constant"}
            inversion = shipped(InversionSettings, iterations=ITERATIONS, seed=seed)

            def theirs(spectrum, common=common):
                return librosa.griffinlim(spectrum, **SIZES, **common)

            def ours(spectrum, phases=phases):
                return griffin_lim(
                    spectrum.T,
                    n_fft=SETTINGS.n_fft,
                    hop=SETTINGS.hop,
                    iterations=ITERATIONS,
                    phases=phases.T,
                )

            def theirs_of_mel(spectrum, theirs=theirs):
                found = librosa.feature.inverse.mel_to_stft(
                    spectrum,
                    sr=SETTINGS.rate,
                    n_fft=SETTINGS.n_fft,
                    power=1.0,
                    fmin=SETTINGS.fmin,
                    fmax=SETTINGS.fmax,
                )
                return theirs(found)

            def ours_of_mel(_, inversion=inversion, log_of_mel=log_of_mel):
                return invert(log_of_mel, SETTINGS, inversion)

            for kind, wanted, one, two in (
                ("linear", linear, ours, theirs),
                ("mel", mel, ours_of_mel, theirs_of_mel),
            ):
                over = bank if kind == "mel" else None
                (mine, seconds), (other, longer) = (
                    timed(lambda work=work, wanted=wanted: work(wanted)) for work in (one, two)
                )
                further[kind].append(
                    convergence(mine, wanted, over) / convergence(other, wanted, over)
                )
                faster[kind].append(longer / seconds)
    options = {"seconds": time.monotonic() - started}
    distance = "spectral convergence over librosa's, {} iterations"
    return [
        row(
            "griffin_lim_linear",
            further["linear"],
            # From the same phases the same path is taken: what differs is rounding.
            unit=distance.format(ITERATIONS) + " from the same phases",
            goal=1.001,
            better="lower",
            **options,
        ),
        row(
            "griffin_lim_mel",
            further["mel"],
            unit=distance.format(ITERATIONS) + ", of the mel spectrum",
            goal=1.0,
            better="lower",
            **options,
        ),
        *(
            row(
                f"griffin_lim_speed_{kind}",
                faster[kind],
                unit="times librosa's processor time",
                goal=1.0,
                better="higher",
                statistic=np.median,
                **options,
            )
            for kind in ("linear", "mel")
        ),
    ]


def rebuilt(sound: np.ndarray, kind: str, *, drone: bool = False) -> np.ndarray:
    """Return a sound that went through its own true spectrogram, or through that one's mean."""
    spectrum = log_mel(sound, SETTINGS) if kind == "mel" else magnitudes(sound)
    if drone:
        spectrum = np.broadcast_to(spectrum.mean(axis=0), spectrum.shape).copy()
    if kind == "mel":
        return invert(spectrum, SETTINGS, shipped(InversionSettings))
    return griffin_lim(spectrum.T, n_fft=SETTINGS.n_fft, hop=SETTINGS.hop)


def scored(sound: np.ndarray, again: np.ndarray, *, speech: bool) -> dict[str, float]:
    """Return all scores of a sound beside its original, the delay taken out."""
    original = sound[: len(again)]
    pair = aligned(original, again, delay_of(original, again, SETTINGS))
    scores = spectral_scores(*pair, SETTINGS)
    return scores | (speech_scores(*pair, SETTINGS) if speech else {})


def griffin_lim_real() -> list[dict]:
    """Score real speech and music, rebuilt from their own true spectrograms."""
    started = time.monotonic()
    film = REAL / "film.mp4"
    sounds = {
        "grid": [stretch(path) for path in sorted(REAL.glob("GRID_*.mpg"))],
        "speech": middles(film, "speech") if film.exists() else [],
        "music": middles(film, "music") if film.exists() else [],
    }
    rows = []
    for place, parts in sounds.items():
        for kind in ("linear", "mel"):
            found: dict[str, list[float]] = {}
            for sound in parts:
                scores = scored(sound, rebuilt(sound, kind), speech=place != "music")
                for measure, value in scores.items():
                    found.setdefault(measure, []).append(value)
            # Who knows the mean spectrum and nothing else says a drone.
            drone = (
                scored(parts[0], rebuilt(parts[0], kind, drone=True), speech=place != "music")
                if parts
                else {}
            )
            rows += [
                row(
                    f"griffin_lim_real_{place}_{kind}_{measure}",
                    values,
                    unit=f"{UNITS[measure]}, copy synthesis of the true {kind} spectrogram",
                    goal=GOALS[kind][measure],
                    trivial=drone[measure],
                    better="lower" if measure in LOWER else "higher",
                    seconds=time.monotonic() - started,
                )
                for measure, values in found.items()
            ]
    return rows


CLAIMS: dict[str, Callable[[], list[dict]]] = {
    "griffin_lim_librosa": griffin_lim_librosa,
    "griffin_lim_real": griffin_lim_real,
}
