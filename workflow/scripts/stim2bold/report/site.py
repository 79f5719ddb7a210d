"""The whole report, put together from the files in results: one front page, one a participant."""

from pathlib import Path
from typing import Any

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


def write_site(source: Source, root: Path) -> None:
    """Write the report.

    Parameters
    ----------
    source : Source
    root : Path
        An existing, empty folder.
    """
    results = source.results
    inputs = read_json(results.inputs)
    folds = read_json(results.folds)
    summary = read_table(results.summary)
    ceiling = None
    if _predicts_bold(summary):
        ceiling = table_of(results.ceiling)
        # With fewer than three participants there is none, which is to be said.
        ceiling = pd.DataFrame() if ceiling is None else ceiling
    units = [f"sub-{label}" for label in inputs["participants"]]
    directions = list(dict.fromkeys(summary["direction"]))
    columns = scores.model_columns(summary)
    templates = pages.environment(source.templates)
    pages.carry(source.templates, root)
    brain = None
    if results.brain.exists():
        brain = pages.write_data(root, "assets/brain", read_json(results.brain))
    methods = read_json(results.methods)
    compared = planted.planted_of(results, root)
    shared = {
        "study": methods["study"],
        "banners": study.banners(
            simulation=source.config["simulation"] if source.simulated else None,
            weights=substitute_weights(source),
            recovered=compared["found"][0] if compared else None,
        ),
        "version": VERSION,
        "columns": columns,
        "sound": source.config["spectrogram"],
    }
    film = film_data(source, folds, root)
    runs = {unit: runs_of(source, unit, inputs, root) for unit in units}
    neighbours = [None, *({"name": unit, "page": f"{unit}.html"} for unit in units), None]
    partition = {unit: table_of(results.partition(unit)) for unit in units}
    partition = {unit: table for unit, table in partition.items() if table is not None}
    for number, unit in enumerate(units):
        text = templates.get_template("participant.html.j2").render(
            **shared,
            root="../",
            title=f"{unit}: {methods['study']}",
            name=unit,
            sections=PARTICIPANT,
            before=neighbours[number],
            after=neighbours[number + 2],
            scores=scores_of(source, unit, directions),
            partition=scores.partition_rows([partition[unit]] if unit in partition else []),
            modalities=modalities_of(results, unit, root),
            maps=maps_of(source, directions, unit, root, brain=brain, up="../"),
            **timeline_of(source, directions, unit, root, film),
            players=players_of(source, directions, unit, root, up="../"),
            runs=runs[unit],
            models=models_of(source, directions, unit),
        )
        pages.write_page(root / "participants" / f"{unit}.html", text)
    if compared:
        text = templates.get_template("planted.html.j2").render(
            **shared,
            **compared,
            root="",
            title=f"Planted and found: {methods['study']}",
            sections=planted.SECTIONS,
        )
        pages.write_page(root / study.PLANTED_PAGE, text)
    quality = group_quality.group_quality(source, runs)
    if quality:
        text = templates.get_template("quality.html.j2").render(
            **shared,
            **quality,
            root="",
            title=f"Quality of all runs: {methods['study']}",
            sections=group_quality.SECTIONS,
        )
        pages.write_page(root / group_quality.PAGE, text)
    n_models, front = len(columns), "group" if len(units) > 1 else units[0]
    sheet = results.sheet
    text = templates.get_template("index.html.j2").render(
        **shared,
        **study.opening(
            inputs=inputs,
            film=read_json(results.film),
            folds=folds,
            n_directions=len(directions),
            n_models=n_models,
        ),
        root="",
        title=f"{methods['study']}: stim2bold report",
        sections=FRONT,
        table=scores.verdict_table(summary, ceiling),
        shared=scores.ceiling_sentence(ceiling),
        persistence=scores.persistence_sentence(table_of(results.persistence)),
        partition=scores.partition_rows(list(partition.values())),
        decoding=scores.decoding_rows(table_of(results.decoding)),
        region_tables=list(filter(None, (regions_of(results, name) for name in directions))),
        group=maps_of(source, directions, front, root, brain=brain, up=""),
        courses=courses_of(source, directions, film),
        segment=source.config["evaluation"]["segment"],
        meanings={name: model.meaning for name, model in MODELS.items()},
        **participant_table(source, units, runs, directions),
        quality_page=group_quality.PAGE if quality else None,
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
    pages.write_page(root / "index.html", text)


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
