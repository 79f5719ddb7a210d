"""Where the report finds what it shows."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from stim2bold.io.files import read_table
from stim2bold.preprocessing.iqm import QualitySettings


@dataclass(frozen=True)
class Source:
    """Where everything lies that the report is made from.

    Parameters
    ----------
    results, templates, environments, requirements : Path
        ``results``, ``workflow/report/pages``, ``envs`` and ``requirements.txt``.
    blocks : DataFrame
        onset, offset (scan time, s) and trial_type of the film's blocks.
    words : DataFrame or None
        item, onset and offset of what is said (film time, s).
    config : dict
        The configuration.
    simulated : bool
        Whether the data set is the built-in one.
    film_onset : float
        Scan time at which the film starts, s.
    spaces : list of str
        Feature spaces that were used.
    """

    results: Path
    templates: Path
    environments: Path
    requirements: Path
    blocks: pd.DataFrame
    words: pd.DataFrame | None
    config: dict[str, Any]
    simulated: bool
    film_onset: float
    spaces: list[str]

    @property
    def settings_of_quality(self) -> QualitySettings:
        """Beyond what a run is flagged."""
        return QualitySettings(**self.config["quality"])


def table_of(path: Path) -> pd.DataFrame | None:
    """Return a table, None where it was not made."""
    return read_table(path) if path.exists() else None
