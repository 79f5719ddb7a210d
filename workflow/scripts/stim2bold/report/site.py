"""The whole report, put together from the files in results: one front page, one a participant."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
import xarray as xr
import yaml

from stim2bold.io.files import read_json, read_table
from stim2bold.models.catalogue import BOLD, MODELS, split_name
from stim2bold.preprocessing.derivatives import VERSION
from stim2bold.report import group_quality, pages, planted, scores, study
from stim2bold.report.latent_courses import courses_of
from stim2bold.report.model_record import models_of
from stim2bold.report.participants import participant_table, runs_of, scores_of
from stim2bold.report.provenance import costs, environments, pinned_versions
from stim2bold.report.regions import regions_of
from stim2bold.report.source import Results, Source, table_of
from stim2bold.report.timelines import film_data, timeline_of
from stim2bold.report.views import maps_of, players_of, sounds_of

FRONT = [
    ("scores", "Scores"),
    ("maps", "Maps"),
    ("course", "Shared course"),
    ("participants", "Participants"),
    ("listening", "Listening"),
    ("film", "Film"),
    ("models", "Models"),
    ("run", "What ran"),
]
PARTICIPANT = [
    ("scores", "Scores"),
    ("maps", "Maps"),
    ("timeline", "Timeline"),
    ("listening", "Listening"),
    ("quality", "Quality"),
    ("models", "Models"),
]


@dataclass(frozen=True)
class Site:
    """What the pages of a report are made of.

    Parameters
    ----------
    source : Source
    root : Path
        The report.
    templates : jinja2.Environment
    study : str
        Its name.
    shared : dict
        What every template is given.
    units, directions : list of str
        Participants, and what was predicted of them.
    brain : str or None
        Address of the cortical surface, where it was packed.
    film : dict
        As `film_data` returns it.
    runs : dict of str to list
        Of each participant, as `runs_of` returns them.
    partition : dict of str to DataFrame
        Of each participant for whom what is explained was split.
    """

    source: Source
    root: Path
    templates: jinja2.Environment
    study: str
    shared: dict[str, Any]
    units: list[str]
    directions: list[str]
    brain: str | None
    film: dict[str, Any]
    runs: dict[str, list[dict]]
    partition: dict[str, pd.DataFrame]

    def write(self, template: str, page: str, *, up: str = "", **content: Any) -> None:
        """Render a template, and write it as a page whose way to the front page is `up`."""
        found = self.templates.get_template(f"{template}.html.j2")
        pages.write_page(self.root / page, found.render(**self.shared, root=up, **content))


def write_site(source: Source, root: Path) -> None:
    """Write the report.

    Parameters
    ----------
    source : Source
    root : Path
        An existing, empty folder.
    """
    results = source.results
    inputs, folds = read_json(results.inputs), read_json(results.folds)
    summary, methods = read_table(results.summary), read_json(results.methods)
    templates = pages.environment(source.templates)
    pages.carry(source.templates, root)
    brain = None
    if results.brain.exists():
        brain = pages.write_data(root, "assets/brain", read_json(results.brain))
    compared = planted.planted_of(results, root)
    units = [f"sub-{label}" for label in inputs["participants"]]
    partition = {unit: table_of(results.partition(unit)) for unit in units}
    site = Site(
        source=source,
        root=root,
        templates=templates,
        study=methods["study"],
        shared={
            "study": methods["study"],
            "banners": study.banners(
                simulation=source.config["simulation"] if source.simulated else None,
                weights=substitute_weights(source),
                recovered=compared["found"][0] if compared else None,
            ),
            "version": VERSION,
            "columns": scores.model_columns(summary),
            "sound": source.config["spectrogram"],
        },
        units=units,
        directions=list(dict.fromkeys(summary["direction"])),
        brain=brain,
        film=film_data(source, folds, root),
        runs={unit: runs_of(source, unit, inputs, root) for unit in units},
        partition={unit: table for unit, table in partition.items() if table is not None},
    )
    for unit in units:
        write_participant(site, unit)
    if compared:
        title = f"Planted and found: {site.study}"
        site.write(
            "planted", study.PLANTED_PAGE, title=title, sections=planted.SECTIONS, **compared
        )
    quality = group_quality.group_quality(source, site.runs)
    if quality:
        title, sections = f"Quality of all runs: {site.study}", group_quality.SECTIONS
        site.write("quality", group_quality.PAGE, title=title, sections=sections, **quality)
    write_front(
        site,
        summary,
        inputs=inputs,
        folds=folds,
        methods=methods,
        quality_page=group_quality.PAGE if quality else None,
    )


def write_participant(site: Site, unit: str) -> None:
    """Write a participant's page."""
    source, root, directions = site.source, site.root, site.directions
    neighbours = [None, *({"name": name, "page": f"{name}.html"} for name in site.units), None]
    number = site.units.index(unit)
    mine = site.partition.get(unit)
    site.write(
        "participant",
        f"participants/{unit}.html",
        up="../",
        title=f"{unit}: {site.study}",
        name=unit,
        sections=PARTICIPANT,
        before=neighbours[number],
        after=neighbours[number + 2],
        scores=scores_of(source, unit, directions),
        partition=[] if mine is None else scores.partition_rows([mine]),
        modalities=modalities_of(source.results, unit, root),
        maps=maps_of(source, directions, unit, root, brain=site.brain, up="../"),
        **timeline_of(source, directions, unit, root, site.film),
        players=players_of(source, directions, unit, root, up="../"),
        runs=site.runs[unit],
        models=models_of(source, directions, unit),
    )


def write_front(
    site: Site,
    summary: pd.DataFrame,
    *,
    inputs: dict[str, Any],
    folds: dict[str, Any],
    methods: dict[str, Any],
    quality_page: str | None,
) -> None:
    """Write the front page.

    Parameters
    ----------
    site : Site
    summary : DataFrame
        Scores of all units, models and directions.
    inputs, folds, methods : dict
        The files of these names.
    quality_page : str or None
        The page of all runs' quality, where there is one.
    """
    source, results, root = site.source, site.source.results, site.root
    directions, units = site.directions, site.units
    ceiling = None
    if _predicts_bold(summary):
        ceiling = table_of(results.ceiling)
        # With fewer than three participants there is none, which is to be said.
        ceiling = pd.DataFrame() if ceiling is None else ceiling
    sheet = results.sheet
    site.write(
        "index",
        "index.html",
        title=f"{site.study}: stim2bold report",
        sections=FRONT,
        **study.opening(
            inputs=inputs,
            film=read_json(results.film),
            folds=folds,
            n_directions=len(directions),
            n_models=len(site.shared["columns"]),
        ),
        table=scores.verdict_table(summary, ceiling),
        shared=scores.ceiling_sentence(ceiling),
        persistence=scores.persistence_sentence(table_of(results.persistence)),
        partition=scores.partition_rows(list(site.partition.values())),
        decoding=scores.decoding_rows(table_of(results.decoding)),
        pooled_decoding=scores.decoding_rows(table_of(results.pooled_decoding)),
        pooled=[
            row for name in directions for row in scores.pooled_rows(table_of(results.pooled(name)))
        ],
        region_tables=list(filter(None, (regions_of(results, name) for name in directions))),
        group=maps_of(
            source,
            directions,
            "group" if len(units) > 1 else units[0],
            root,
            brain=site.brain,
            up="",
        ),
        courses=courses_of(source, directions, site.film),
        segment=source.config["evaluation"]["segment"],
        meanings={name: model.meaning for name, model in MODELS.items()},
        **participant_table(source, units, site.runs, directions),
        quality_page=quality_page,
        players=players_of(source, directions, "film", root, up=""),
        **sounds_of(source, directions),
        sheet=pages.copy_picture(root, "assets/film", sheet) if sheet.exists() else None,
        models=models_of(source, directions, "film") + models_of(source, directions, "group"),
        leakage=study.leakage_sentence(read_json(results.leakage)),
        seed=source.config["seed"],
        versions=pinned_versions(source.requirements),
        methods=methods,
        graph=read_json(results.graph) if results.graph.exists() else None,
        costs=costs(results.benchmarks),
        configuration=yaml.safe_dump(source.config, sort_keys=False, allow_unicode=True),
        environments=environments(source.environments),
    )


def modalities_of(results: Results, unit: str, root: Path) -> dict[str, Any] | None:
    """Copy the picture of what explains each voxel; None where there is none."""
    drawn = results.modalities(unit)
    if not drawn.exists():
        return None
    picture = pages.copy_picture(root, f"assets/maps/modalities_{unit}", drawn)
    return {**picture, "address": f"../{picture['address']}"}


def _predicts_bold(summary: pd.DataFrame) -> bool:
    return any(split_name(name)[1] == BOLD for name in summary["direction"])


def substitute_weights(source: Source) -> str | None:
    """Say which network ran with other weights than its own, None where none did."""
    told = []
    for space in source.spaces:
        path = source.results.features(space)
        with xr.open_dataset(path, engine="h5netcdf") as table:
            weights = next(
                (str(a.attrs["weights"]) for a in table.data_vars.values() if "weights" in a.attrs),
                "",
            )
        if weights.startswith("NOT"):
            told.append(f"{space}: {weights}.")
    return " ".join(told) or None
