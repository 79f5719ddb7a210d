"""What the report's players play: segments, rungs, words and scores."""

from pathlib import Path
from typing import Any

import pandas as pd

from stim2bold.io.files import read_json

#: Scores of sounds that the page shows, with their words.
SOUND_SCORES = {
    "stoi": "STOI of speech",
    "pesq_wb": "PESQ of speech",
    "mcd": "cepstral distortion of speech (dB)",
    "mel_r": "mel correlation",
    "convergence": "spectral convergence",
    "identification": "identification",
    "identification_chance": "identification by chance",
}


def words_within(words: pd.DataFrame | None, onset: float, duration: float) -> list[dict[str, Any]]:
    """Return what is said in a stretch of film, in seconds of the stretch.

    Parameters
    ----------
    words : DataFrame or None
        item, onset and offset (film time, s).
    onset, duration : float
        The stretch.
    """
    if words is None:
        return []
    here = words[(words["offset"] > onset) & (words["onset"] < onset + duration)]
    return [
        {
            "word": str(word.item),
            "start": round(max(0.0, word.onset - onset), 3),
            "end": round(min(duration, word.offset - onset), 3),
        }
        # Not itertuples' own names: a column called item would hide behind them.
        for word in here.itertuples(index=False)
    ]


def player(
    folder: Path, scores: pd.DataFrame, words: pd.DataFrame | None, *, address: str
) -> dict[str, Any]:
    """Return what one player is told.

    Parameters
    ----------
    folder : Path
        As `stim2bold.sound.compression.compress_ladder` fills it.
    scores : DataFrame
        segment, rung, measure and value.
    words : DataFrame or None
        item, onset and offset (film time, s).
    address : str
        Where the page finds the folder.

    Returns
    -------
    dict
        ``measures``, the words of the scores; ``segments``, a list of ``name``, ``label``,
        ``onset``, ``duration``, ``words`` and ``rungs`` (``name``, ``label``, ``sound``,
        ``picture`` and ``scores``, one for each measure, None where there is none).
    """
    # What is over several segments is for the table of rungs.
    scores = scores[scores["segment"] != "all"]
    found = {
        key: float(value) if pd.notna(value) else None
        for key, value in scores.set_index(["segment", "rung", "measure"])["value"].items()
    }
    measures = [name for name in SOUND_SCORES if name in set(scores["measure"])]
    return {
        "measures": [SOUND_SCORES[name] for name in measures],
        "segments": [
            {
                "name": segment["segment"],
                "label": segment["trial_type"],
                "onset": segment["onset"],
                "duration": segment["duration"],
                "words": words_within(words, segment["onset"], segment["duration"]),
                "rungs": [
                    {
                        "name": rung["rung"],
                        "label": rung["what"],
                        "sound": f"{address}/{segment['segment']}_{rung['rung']}.mp3",
                        "picture": f"{address}/{segment['segment']}_{rung['rung']}.webp",
                        "scores": [
                            found.get((segment["segment"], rung["rung"], name)) for name in measures
                        ],
                    }
                    for rung in segment["rungs"]
                ],
            }
            for segment in read_json(folder / "segments.json")
        ],
    }


def rung_scores(table: pd.DataFrame, rungs: dict[str, str]) -> list[dict[str, Any]]:
    """Average the scores of sounds over segments.

    Parameters
    ----------
    table : DataFrame
        As `stim2bold.sound.scores.score_ladder` returns it.
    rungs : dict of str to str
        What each rung is, from the top of the ladder down.

    Returns
    -------
    list of dict
        For each rung with scores what it is as ``rung`` and ``values``, one for each of
        `SOUND_SCORES`, None where there is none.
    """
    means = table.pivot_table(index="rung", columns="measure", values="value")
    means = means.reindex(columns=list(SOUND_SCORES))
    return [
        {
            "rung": what,
            "values": [None if pd.isna(value) else float(value) for value in means.loc[rung]],
        }
        for rung, what in rungs.items()
        if rung in means.index
    ]
