"""Where in the film each run lies.

A run's film onset is the scan time, in seconds from the start of its first volume, at which the
film's first picture was shown, or would have been: a run that begins 200 s into the film has -200.
"""

from pathlib import Path

from stim2bold.io.tables import as_number, read_tsv
from stim2bold.runtime.errors import InputError
from stim2bold.study.bids_names import entities

#: The column of an events table that says which second of the film an event showed.
COLUMN = "film_time"


def film_onset(name: str, events: Path | None, setting: float | str | dict[str, float]) -> float:
    """Return the film onset of a run.

    Parameters
    ----------
    name : str
        Entities of the run.
    events : Path or None
        Its events.
    setting : float, 'events' or dict
        `timing.film_onset`: one number for all; ``events`` to read it from the run's events; or a
        number for each set of entities (``run-2``, ``sub-04_run-2``, ``all``), of which the one
        with the most entities holds.

    Raises
    ------
    InputError
        When no entry applies to the run, or its events do not say.
    """
    if isinstance(setting, int | float):
        return float(setting)
    if setting == "events":
        return onset_of_events(name, events)
    own = entities(name).items()
    fitting = [
        key for key in setting if key == "all" or entities(key) and entities(key).items() <= own
    ]
    if not fitting:
        such = [part for part in name.split("_") if part.startswith(("task-", "run-"))]
        raise InputError(
            "config.yaml",
            f"timing.film_onset has no entry for {name}",
            f"add one, such as {'_'.join(such)} or all",
        )
    return float(setting[max(fitting, key=lambda key: len(entities(key)))])


def unused(names: list[str], setting: float | str | dict[str, float]) -> list[str]:
    """Return the entries of `timing.film_onset` that apply to none of some runs."""
    if not isinstance(setting, dict):
        return []
    runs = [entities(name).items() for name in names]
    return [
        key
        for key in setting
        if key != "all" and not any(entities(key).items() <= own for own in runs)
    ]


def onset_of_events(name: str, events: Path | None) -> float:
    """Return the film onset that the first event with a film time gives."""
    if events is None:
        raise InputError(
            "config.yaml",
            f"timing.film_onset is 'events', but {name} has no events.tsv",
            "give its onset as a number",
        )
    for row in read_tsv(events, needed=["onset"]).rows:
        onset, film_time = as_number(row["onset"]), as_number(row.get(COLUMN))
        if onset is not None and film_time is not None:
            return onset - film_time
    raise InputError(
        events,
        f"no event has an onset and a {COLUMN}, so the film's place in the run is unknown",
        f"add the column {COLUMN} (seconds of the film) or set timing.film_onset",
    )
