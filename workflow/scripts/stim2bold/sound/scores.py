"""How like the original a sound is: quality and intelligibility of speech, spectra of anything."""

import importlib.util
import logging
from dataclasses import replace

import numpy as np
import pandas as pd
import soxr
from pystoi import stoi
from scipy import fft

from stim2bold.evaluation.identification import Identified, permuted
from stim2bold.stimulus.spectrogram import SpectrogramSettings, log_mel, magnitudes

log = logging.getLogger(__name__)

#: Samples per second at which PESQ is defined.
PESQ_RATE = 16000
#: Seconds by which a sound may be late or early.
LONGEST_DELAY = 0.1
N_CEPSTRA = 13

UNITS = {
    "pesq_wb": "MOS-LQO",
    "pesq_nb": "MOS-LQO",
    "stoi": "0 to 1",
    "estoi": "0 to 1",
    "mcd": "dB",
    "mel_r": "correlation",
    "convergence": "ratio",
    "delay": "s",
    "identification": "share of pairs",
    "p_identification": "probability",
    "identification_chance": "share of pairs",
    "identification_chance_low": "share of pairs",
    "identification_chance_high": "share of pairs",
}


def delay_of(reference: np.ndarray, sound: np.ndarray, settings: SpectrogramSettings) -> int:
    """Return by how many samples a sound comes after its reference, to a millisecond.

    By the cross-correlation of the log-mel spectra, millisecond by millisecond. Not of the waves:
    a sound made from magnitudes has phases of its own, so that waves agree best at a moment that
    has nothing to do with the delay (as far off as 50 ms in music).

    Parameters
    ----------
    reference, sound : ndarray of shape (n_samples,)
    settings : SpectrogramSettings
        Of the sounds; delays beyond `LONGEST_DELAY` are not considered.
    """
    step = max(1, round(0.001 * settings.rate))
    fine = replace(settings, hop=step, n_fft=settings.n_fft // 4, n_mels=20)
    first, second = (log_mel(x, fine).astype(float) for x in (reference, sound))
    first, second = first - first.mean(axis=0), second - second.mean(axis=0)
    length = fft.next_fast_len(2 * len(first), real=True)
    spectra = [fft.rfft(x, length, axis=0) for x in (first, second)]
    product = fft.irfft((np.conj(spectra[0]) * spectra[1]).sum(axis=1), length)
    longest = min(round(LONGEST_DELAY * settings.rate / step), len(first) - 1)
    lags = np.arange(-longest, longest + 1)
    # Of delays that do as well, as in silence, the smallest.
    order = np.argsort(np.abs(lags), kind="stable")
    return int(lags[order][product[lags[order]].argmax()]) * step


def aligned(reference: np.ndarray, sound: np.ndarray, delay: int) -> tuple[np.ndarray, np.ndarray]:
    """Cut two sounds of equal length to what they share once a delay is taken out."""
    if delay >= 0:
        return reference[: len(reference) - delay], sound[delay:]
    return reference[-delay:], sound[:delay]


def mel_cepstral_distortion(
    reference: np.ndarray, sound: np.ndarray, settings: SpectrogramSettings
) -> float:
    """Return the mel-cepstral distortion in dB, without the level (Kubichek 1993).

    10 / ln 10 times the mean over frames of sqrt(2 sum of squared differences) of the first 13
    cepstra of the log-mel spectrum.
    """
    cepstra = [
        fft.dct(log_mel(x, settings), type=2, norm="ortho", axis=1)[:, 1 : N_CEPSTRA + 1]
        for x in (reference, sound)
    ]
    distance = np.sqrt(2 * ((cepstra[0] - cepstra[1]) ** 2).sum(axis=1))
    return float(10 / np.log(10) * distance.mean())


def spectral_scores(
    reference: np.ndarray, sound: np.ndarray, settings: SpectrogramSettings
) -> dict[str, float]:
    """Compare the spectra of any two sounds.

    Returns
    -------
    dict
        ``mel_r``: correlation of the log-mel spectrograms after each band's mean is taken out;
        ``convergence``: norm of the difference of the magnitudes over that of the reference (0 is
        perfect; Sturmel & Daudet 2011).
    """
    a, b = (log_mel(x, settings) for x in (reference, sound))
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    norm = np.linalg.norm(a) * np.linalg.norm(b)
    first, second = (np.concatenate(list(magnitudes(x, settings))) for x in (reference, sound))
    return {
        "mel_r": float((a * b).sum() / norm) if norm > 0 else float("nan"),
        "convergence": float(np.linalg.norm(first - second) / np.linalg.norm(first)),
    }


def pesq_is_installed() -> bool:
    """Return whether the package pesq is installed; it has no wheel, so it must be compiled."""
    return importlib.util.find_spec("pesq") is not None


def pesq_scores(reference: np.ndarray, sound: np.ndarray) -> dict[str, float]:
    """Measure the perceived quality of speech by the reference implementation.

    Parameters
    ----------
    reference, sound : ndarray of shape (n_samples,)
        At `PESQ_RATE`.

    Returns
    -------
    dict
        ``pesq_wb``, ``pesq_nb`` (ITU-T P.862.2 and P.862; NaN where no speech is found).
    """
    from pesq import NoUtterancesError, pesq

    scores = {}
    for mode in ("wb", "nb"):
        try:
            scores[f"pesq_{mode}"] = float(pesq(PESQ_RATE, reference, sound, mode))
        except NoUtterancesError:
            log.warning("PESQ finds no speech in the original or in the sound")
            scores[f"pesq_{mode}"] = float("nan")
    return scores


def speech_scores(
    reference: np.ndarray, sound: np.ndarray, settings: SpectrogramSettings
) -> dict[str, float]:
    """Measure the quality and intelligibility of speech.

    Returns
    -------
    dict
        `pesq_scores` where the package pesq is installed, ``stoi`` (Taal et al. 2011), ``estoi``
        (Jensen & Taal 2016) and ``mcd``.
    """
    pair = [
        soxr.resample(np.asarray(x, float), settings.rate, PESQ_RATE) for x in (reference, sound)
    ]
    scores = pesq_scores(*pair) if pesq_is_installed() else {}
    scores["stoi"] = float(stoi(*pair, PESQ_RATE))
    # pystoi adds noise of 1e-16, lest it divide by zero, from NumPy's global generator: the last
    # digits would differ from run to run.
    np.random.seed(0)
    scores["estoi"] = float(stoi(*pair, PESQ_RATE, extended=True))
    scores["mcd"] = mel_cepstral_distortion(reference, sound, settings)
    return scores


def identified(
    originals: list[np.ndarray], sounds: list[np.ndarray], settings: SpectrogramSettings
) -> Identified:
    """Return the share of pairs of segments whose sounds are nearer to their own originals.

    Parameters
    ----------
    originals, sounds : list of ndarray
        Of the same segments, at least two; cut to the shortest.

    Returns
    -------
    Identified
        By the correlation of the log-mel spectrograms after each band's mean is taken out of each
        sound; chance by exchanging which sound belongs to which original. No score where the sounds
        are all alike, or do not vary.
    """
    length = min(map(len, [*originals, *sounds]))
    flat = []
    for part in (sounds, originals):
        mel = np.stack([log_mel(x[:length], settings) for x in part]).astype(np.float64)
        # What a sound is like on average is near to what was fitted, and that runs against what
        # was left out: only what changes within a segment can tell.
        flat.append((mel - mel.mean(axis=1, keepdims=True)).reshape(len(mel), -1))
    norm = [np.linalg.norm(part, axis=1, keepdims=True) for part in flat]
    one, two = (part / np.where(n > 0, n, 1) for part, n in zip(flat, norm, strict=True))
    # Rounding must not tell sounds apart that are alike.
    likeness = (one @ two.T).round(9)
    return permuted(likeness if np.ptp(likeness, axis=0).any() else np.zeros_like(likeness), seed=0)


def score_ladder(
    ladder: dict[str, dict[str, np.ndarray]],
    segments: pd.DataFrame,
    *,
    original: str,
    speech: list[str],
    settings: SpectrogramSettings,
) -> pd.DataFrame:
    """Score every rung of every segment against the original, once its delay is taken out.

    Parameters
    ----------
    ladder : dict
        Sounds of equal length by segment and rung.
    segments : DataFrame
        segment and trial_type.
    original : str
        Name of the rung that is compared with.
    speech : list of str
        Kinds of block that hold speech.
    settings : SpectrogramSettings
        Of the spectra, and the sounds' rate.

    Returns
    -------
    DataFrame
        Columns segment, trial_type, rung, measure, value, unit_of_measure. Segment ``all``:
        identification among the segments of one kind of block, for rungs that all of them have.
    """
    if segments["trial_type"].isin(speech).any() and not pesq_is_installed():
        log.warning("PESQ is left out: the package pesq is not installed (make pesq)")
    rows = []
    for segment in segments.itertuples():
        rungs = ladder[segment.segment]
        for name, sound in rungs.items():
            if name == original:
                continue
            delay = delay_of(rungs[original], sound, settings)
            pair = aligned(rungs[original], sound, delay)
            scores = {"delay": delay / settings.rate, **spectral_scores(*pair, settings)}
            if segment.trial_type in speech:
                scores |= speech_scores(*pair, settings)
            rows += [
                (segment.segment, segment.trial_type, name, measure, value, UNITS[measure])
                for measure, value in scores.items()
            ]
    for kind, part in segments.groupby("trial_type", sort=False):
        mine = [ladder[name] for name in part["segment"]]
        for rung in sorted(set.intersection(*map(set, mine)) - {original}) if len(mine) > 1 else ():
            found = identified(
                [rungs[original] for rungs in mine], [rungs[rung] for rungs in mine], settings
            )
            low, high = found.interval
            rows += [
                ("all", kind, rung, measure, value, UNITS[measure])
                for measure, value in (
                    ("identification", found.value),
                    ("p_identification", found.p),
                    ("identification_chance", found.chance),
                    ("identification_chance_low", low),
                    ("identification_chance_high", high),
                )
            ]
    columns = ["segment", "trial_type", "rung", "measure", "value", "unit_of_measure"]
    return pd.DataFrame(rows, columns=columns)
