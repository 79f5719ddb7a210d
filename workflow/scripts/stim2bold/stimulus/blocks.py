"""The blocks of the film: from the runs' events, or cut in equal lengths where none are marked.

An event's onset is scan time of its run. A film that was shown over several runs has its blocks in
several tables; they are brought together on the rows of the study, whose film onset is that of the
first run.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from stim2bold.runtime.errors import InputError

#: What a block of a film without marked blocks is called.
UNMARKED = "film"
# Seconds; onsets are written with three digits, and runs overlap by whole frames.
TOLERANCE = 0.02


def to_film(blocks: pd.DataFrame, film_onset: float) -> pd.DataFrame:
    """Return blocks at film times.

    Parameters
    ----------
    blocks : DataFrame
        onset and offset in seconds of scan time, trial_type.
    film_onset : float
        Of the run.
    """
    return blocks.assign(onset=blocks.onset - film_onset, offset=blocks.offset - film_onset)


def join_runs(runs: Sequence[pd.DataFrame], *, film_onset: float) -> pd.DataFrame:
    """Bring the blocks of a film's runs together as one events table.

    Parameters
    ----------
    runs : sequence of DataFrame
        onset and offset at film times, trial_type. What two runs both show is there once.
    film_onset : float
        Of the study's rows.

    Returns
    -------
    DataFrame
        onset and duration in seconds from row 0, trial_type, in order of time.
    """
    table = pd.concat(runs).sort_values(["onset", "offset"], kind="stable", ignore_index=True)
    rows: list[list] = []
    for block in table.itertuples():
        last = rows[-1] if rows else None
        touches = last is not None and block.onset <= last[1] + TOLERANCE
        if len(runs) > 1 and touches and block.trial_type == last[2]:
            # One block that the end of a run cut in two, or that two runs show.
            last[1] = max(last[1], block.offset)
        else:
            rows.append([block.onset, block.offset, block.trial_type])
    onset, offset, kind = (list(column) for column in zip(*rows, strict=True))
    onset, offset = np.array(onset), np.array(offset)
    return pd.DataFrame(
        {
            "onset": np.round(onset + film_onset, 6),
            "duration": np.round(offset - onset, 6),
            "trial_type": kind,
        }
    )


def cut_film(duration: float, seconds: float, *, film_onset: float) -> pd.DataFrame:
    """Cut a film without marked blocks into stretches of one length.

    Parameters
    ----------
    duration : float
        Of the film, in seconds.
    seconds : float
        Of a stretch; what is left at the end belongs to the last.
    film_onset : float
        Of the study's rows.

    Returns
    -------
    DataFrame
        As `join_runs` returns it.
    """
    starts = np.arange(max(1, int(duration / seconds))) * seconds
    stops = np.append(starts[1:], duration)
    return pd.DataFrame(
        {
            "onset": np.round(starts + film_onset, 6),
            "duration": np.round(stops - starts, 6),
            "trial_type": UNMARKED,
        }
    )


def design_period(events: pd.DataFrame) -> float | None:
    """Return the period of a design that alternates between two kinds of block.

    Parameters
    ----------
    events : DataFrame
        BIDS events with onset, duration and trial_type.

    Returns
    -------
    float or None
        Seconds from one block to the next of its kind; None where nothing alternates.
    """
    if "trial_type" not in events or len(events) < 3:
        return None
    kinds = events["trial_type"].to_numpy()
    if len(set(kinds)) != 2 or (kinds[1:] == kinds[:-1]).any():
        return None
    onsets = events["onset"].to_numpy(dtype=float)
    return float(np.median(onsets[2:] - onsets[:-2]))


def check_high_pass(high_pass: float, period: float | None) -> None:
    """Refuse a filter that would remove the blocks themselves.

    Parameters
    ----------
    high_pass : float
        Cut-off in Hz.
    period : float or None
        Of the alternating design, in seconds.

    Raises
    ------
    InputError
        When the cut-off is at or above the frequency of the design.
    """
    if period is not None and high_pass >= 1 / period:
        raise InputError(
            "config.yaml",
            (
                f"preprocessing.cleaning.high_pass is {high_pass:g} Hz, but the film's blocks "
                f"alternate every {period:g} s ({1 / period:.4g} Hz), so it would remove the very "
                "effect of the film"
            ),
            f"choose less than {1 / period:.4g}, such as 0.0078125",
        )
