"""The listening ladder: the same segments, original, inverted and predicted, equally loud."""

import logging
import re
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from stim2bold.io.files import replacing, write_table
from stim2bold.runtime.errors import InputError
from stim2bold.sound.griffin_lim import InversionSettings, equally_loud, invert
from stim2bold.sound.rungs import ORIGINAL, OWN_MEL, RUNGS, in_order
from stim2bold.stimulus.audio import write_wav
from stim2bold.stimulus.spectrogram import SpectrogramSettings
from stim2bold.stimulus.timing import interpolate

log = logging.getLogger(__name__)

# Inverted along with a segment where there is any, and cut off again: the rim of an inversion is
# poorer than its middle.
RIM_SECONDS = 0.5


def middle_segments(
    blocks: pd.DataFrame, *, seconds: float, film_onset: float, duration: float
) -> pd.DataFrame:
    """Choose the segments by rule: the middle of every block.

    Parameters
    ----------
    blocks : DataFrame
        onset, offset (scan time, seconds) and trial_type.
    seconds : float
        Length of a segment; a shorter block is taken whole.
    film_onset : float
        Scan time at which the film starts.
    duration : float
        Length of the film.

    Returns
    -------
    DataFrame
        segment (name), trial_type, onset and duration (film time, seconds).
    """
    rows = []
    for index, block in enumerate(blocks.itertuples()):
        start = max(block.onset - film_onset, 0.0)
        end = min(block.offset - film_onset, duration)
        length = min(seconds, end - start)
        if length <= 0:
            continue
        kind = re.sub(r"[^A-Za-z0-9]+", "-", block.trial_type).strip("-") or "block"
        rows.append(
            {
                "segment": f"segment-{index:02d}-{kind}",
                "trial_type": block.trial_type,
                "onset": round((start + end - length) / 2, 6),
                "duration": round(float(length), 6),
            }
        )
    return pd.DataFrame(rows, columns=["segment", "trial_type", "onset", "duration"])


def frames_of(
    prediction: xr.DataArray, onset: float, duration: float, step: float
) -> tuple[int, np.ndarray] | None:
    """Take a stretch of the spectrogram's own frames out of per-TR frames.

    Parameters
    ----------
    prediction : DataArray, dims (time, frame, mel)
        ``time + frame`` is film time; rows may be missing.
    onset, duration : float
        The stretch wanted, film time in seconds.
    step : float
        Seconds from frame to frame of the spectrogram.

    Returns
    -------
    first : int
        Number of the first frame, whose time is ``first * step``.
    frames : ndarray of shape (n_frames, n_mels)
        None in place of both when the rows do not cover the stretch without a gap.
    """
    rows = prediction["time"].to_numpy()
    offsets = prediction["frame"].to_numpy()
    times = (rows[:, np.newaxis] + offsets).ravel()
    order = np.argsort(times, kind="stable")
    times = times[order]
    values = prediction.to_numpy().reshape(len(times), -1)[order]
    between = offsets[1] - offsets[0] if len(offsets) > 1 else np.median(np.diff(rows))
    first, last = int(np.ceil(onset / step - 1e-6)), int(np.floor((onset + duration) / step + 1e-6))
    wanted = np.arange(first, last + 1) * step
    # The last frame of the film's last TR ends one step before the TR does.
    near = (times > wanted[0] - 1.5 * between) & (times < wanted[-1] + 1.5 * between)
    found = times[near]
    if not len(found) or np.diff(found).max(initial=0) > 1.5 * between:
        return None
    if found[0] > wanted[0] + 1.01 * between or found[-1] < wanted[-1] - 1.01 * between:
        return None
    return first, interpolate(times, values, wanted)


def sound_ladder(
    original: np.ndarray,
    mel: xr.DataArray,
    predictions: dict[str, xr.DataArray],
    segments: pd.DataFrame,
    *,
    spectrogram: SpectrogramSettings,
    inversion: InversionSettings,
) -> dict[str, dict[str, np.ndarray]]:
    """Make every rung of the ladder for every segment.

    Parameters
    ----------
    original : ndarray of shape (n_samples,)
        The film's sound at ``spectrogram.rate``.
    mel : DataArray, dims (time, mel)
        The film's own log-mel spectrogram.
    predictions : dict of str to DataArray, dims (time, frame, mel)
        By rung: a model, or one of `RUNGS`.
    segments : DataFrame
        As `middle_segments` returns them.
    spectrogram, inversion
        How spectrograms were made and are inverted.

    Returns
    -------
    dict of str to dict of str to ndarray
        Segment, rung, sound; all rungs of a segment are equally loud. A model that does not cover a
        segment has no rung there.
    """
    rate, step = spectrogram.rate, spectrogram.step
    film_end = len(original) / rate
    ladder: dict[str, dict[str, np.ndarray]] = {}
    own = mel.expand_dims("frame", axis=1).assign_coords(frame=[0.0])
    for segment in segments.itertuples():
        begin, end = round(segment.onset * rate), round((segment.onset + segment.duration) * rate)
        rungs = {ORIGINAL: original[begin:end]}
        for name, source in {OWN_MEL: own, **predictions}.items():
            for rim in (RIM_SECONDS, 0.0):
                start = max(0.0, segment.onset - rim)
                stop = min(film_end, segment.onset + segment.duration + rim)
                found = frames_of(source, start, stop - start, step)
                if found is not None:
                    break
            if found is None:
                log.warning("%s of %s is not covered by its rows", name, segment.segment)
                continue
            first, frames = found
            sound = invert(frames, spectrogram, inversion)
            offset = begin - first * spectrogram.hop
            # Frames lie within the stretch, so up to one hop is wanting at either end.
            sound = np.pad(sound, (max(0, -offset), spectrogram.hop))
            offset = max(0, offset)
            rungs[name] = sound[offset : offset + end - begin]
        ladder[segment.segment] = equally_loud(rungs)
    return ladder


def save_ladder(
    folder: str | Path,
    segments: pd.DataFrame,
    ladder: dict[str, dict[str, np.ndarray]],
    *,
    rate: int,
) -> None:
    """Write ``SEGMENT_RUNG.wav`` for every segment and rung, segments.tsv and rungs.tsv.

    Parameters
    ----------
    folder : str or Path
        Made where it is not there.
    segments : DataFrame
        As `middle_segments` returns them.
    ladder : dict
        As `sound_ladder` returns it.
    rate : int
        Samples per second.

    Raises
    ------
    InputError
        When there is no segment at all.
    """
    if not len(segments):
        raise InputError(folder, "no block of the events lies in the film", "check film_onset")
    folder = Path(folder)
    for segment, rungs in ladder.items():
        for rung, sound in rungs.items():
            with replacing(folder / f"{segment}_{rung}.wav") as temporary:
                write_wav(temporary, sound, rate)
    write_table(folder / "segments.tsv", segments)
    order = in_order(rung for rungs in ladder.values() for rung in rungs)
    what = [RUNGS.get(rung, f"predicted by the model {rung}") for rung in order]
    write_table(folder / "rungs.tsv", pd.DataFrame({"rung": order, "what": what}))
