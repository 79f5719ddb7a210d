"""Where the report finds what it shows: docs/outputs.md, as far as it is shown."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from stim2bold.io.files import read_table
from stim2bold.preprocessing.iqm import QualitySettings


@dataclass(frozen=True)
class Results:
    """The results of a run; a path may be that of a file which was not made.

    Parameters
    ----------
    root : Path
        The folder ``results``.
    """

    root: Path

    # Of the study.

    @property
    def inputs(self) -> Path:
        """What was read and what is wrong with it, JSON."""
        return self.root / "inputs.json"

    @property
    def folds(self) -> Path:
        """The folds, JSON."""
        return self.root / "folds.json"

    @property
    def methods(self) -> Path:
        """The methods section, configuration and versions, JSON."""
        return self.root / "methods.json"

    @property
    def leakage(self) -> Path:
        """What was checked of the predictions, JSON."""
        return self.root / "leakage.json"

    @property
    def benchmarks(self) -> Path:
        """Folder of what the jobs cost."""
        return self.root / "benchmarks"

    @property
    def planted(self) -> Path:
        """Folder of what was planted and what was found."""
        return self.root / "planted"

    # Of the film.

    @property
    def film(self) -> Path:
        """The film's streams and clock, JSON."""
        return self.root / "stimulus" / "film.json"

    @property
    def sheet(self) -> Path:
        """One sheet to check the film by, PNG."""
        return self.root / "stimulus" / "sheet.png"

    def features(self, space: str) -> Path:
        """Return features of a space at the TRs, NetCDF."""
        return self.root / "features" / f"{space}.nc"

    # Packed for the report.

    @property
    def brain(self) -> Path:
        """Template and surface, JSON."""
        return self.root / "views" / "brain.json"

    @property
    def graph(self) -> Path:
        """The rules as a picture, JSON."""
        return self.root / "views" / "rules.json"

    @property
    def stills(self) -> tuple[Path, Path]:
        """Stills of the film on one sheet, and which is where: JPEG and JSON."""
        return self.root / "views" / "stills.jpg", self.root / "views" / "stills.json"

    def listening(self, direction: str, unit: str) -> Path:
        """Return folder of compressed sounds with their spectrograms."""
        return self.root / "views" / "listening" / direction / unit

    # Scores.

    @property
    def summary(self) -> Path:
        """A row for each direction and model."""
        return self.root / "scores" / "summary.tsv"

    @property
    def ceiling(self) -> Path:
        """What participants share."""
        return self.root / "scores" / "ceiling.tsv"

    @property
    def persistence(self) -> Path:
        """Each volume predicted by the one before."""
        return self.root / "scores" / "persistence.tsv"

    def pooled(self, direction: str) -> Path:
        """Return what several brains tell together."""
        return self.root / "pooled" / f"{direction}.tsv"

    @property
    def decoding(self) -> Path:
        """Labels and clips decoded."""
        return self.root / "decoding" / "summary.tsv"

    @property
    def pooled_decoding(self) -> Path:
        """Labels and clips decoded from several brains together."""
        return self.root / "decoding" / "pooled.tsv"

    def scored(self, direction: str) -> list[Path]:
        """Return scores of all units, a table each."""
        return sorted((self.root / "scores" / direction).glob("*.tsv"))

    def scores(self, direction: str, unit: str) -> Path:
        """Return scores of the models of a unit."""
        return self.root / "scores" / direction / f"{unit}.tsv"

    def voxels(self, direction: str, unit: str) -> Path:
        """Return scores of each voxel, NetCDF."""
        return self.root / "scores" / direction / f"{unit}_voxels.nc"

    def region_scores(self, direction: str) -> list[Path]:
        """Return scores of regions, a table a model."""
        return sorted((self.root / "scores" / "regions" / direction).glob("*.tsv"))

    def sounds_scored(self, direction: str) -> list[Path]:
        """Return scores of the sounds of all units, a table each."""
        return sorted((self.root / "scores" / "sounds" / direction).glob("*.tsv"))

    def sound_scores(self, direction: str, unit: str) -> Path:
        """Return scores of the sounds of a unit."""
        return self.root / "scores" / "sounds" / direction / f"{unit}.tsv"

    def rungs(self, direction: str, unit: str) -> Path:
        """Return what the sounds of a unit are."""
        return self.root / "sounds" / direction / unit / "rungs.tsv"

    def captions(self, unit: str) -> list[tuple[str, Path]]:
        """Return what was decoded at each moment, from BOLD and from the film."""
        labels = self.root / "decoding" / "labels"
        return [
            ("BOLD", labels / "bold" / f"{unit}_captions.tsv"),
            ("the film", labels / "video" / "film_captions.tsv"),
        ]

    def latents(self, direction: str) -> Path:
        """Return the course of the group's latents, NetCDF."""
        return self.root / "latents" / direction / "group.nc"

    # Of a participant.

    def bold(self, unit: str) -> Path:
        """Return cleaned BOLD at the rows of the film, NetCDF."""
        return self.root / "bold" / f"{unit}.nc"

    def quality(self, unit: str, run: str) -> Path | None:
        """Return measures of a run, JSON; None where there are none."""
        return next(iter(sorted((self.root / "quality" / unit).rglob(f"{run}.json"))), None)

    def cleaned(self, unit: str, run: str) -> list[Path]:
        """Return sidecars of the cleaned series of a run."""
        folder = self.root / "cleaned" / unit
        return sorted(folder.rglob(f"{run}_space-*_desc-cleaned_bold.json"))

    @property
    def preprocessed(self) -> Path:
        """Folder of derivatives, with their figures."""
        return self.root / "preprocessed"

    def partition(self, unit: str) -> Path:
        """Return what each feature space explains."""
        return self.root / "partition" / f"{unit}.tsv"

    def modalities(self, unit: str) -> Path:
        """Return what explains each voxel, PNG."""
        return self.root / "modalities" / f"{unit}.png"

    def regions(self, direction: str, unit: str) -> tuple[Path, Path]:
        """Return series of regions, and their scores."""
        folder = self.root / "regions" / direction
        return folder / f"{unit}.tsv", folder / f"{unit}_scores.tsv"

    def model(self, direction: str, unit: str) -> tuple[Path, Path, Path]:
        """Return record of a VAE (JSON), its history and its diagnostics."""
        folder = self.root / "models" / direction
        endings = (".json", "_history.tsv", "_diagnostics.tsv")
        return tuple(folder / f"{unit}{ending}" for ending in endings)

    def maps(self, direction: str, unit: str) -> Path:
        """Return folder with the maps of a unit."""
        return self.root / "maps" / direction / unit

    def drawn_maps(self, direction: str, unit: str) -> Path:
        """Return maps of a unit as a picture, PNG."""
        return self.root / "maps" / direction / f"{unit}.png"

    def partition_maps(self, unit: str) -> list[Path]:
        """Return what each feature space explains of each voxel, NIfTI."""
        return sorted((self.root / "maps" / "partition" / unit).glob("*.nii.gz"))


@dataclass(frozen=True)
class Source:
    """Where everything lies that the report is made from.

    Parameters
    ----------
    results : Results
    templates, environments, requirements : Path
        ``workflow/report/pages``, ``envs`` and ``requirements.txt``.
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

    results: Results
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
