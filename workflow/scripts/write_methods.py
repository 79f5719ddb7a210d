"""Write the methods section of a paper from what was really run, with its settings and versions."""

import argparse
import json
from pathlib import Path

from stim2bold.io.files import read_json, read_table, replacing, write_json
from stim2bold.models.catalogue import BOLD, split_name
from stim2bold.preprocessing.derivatives import VERSION
from stim2bold.report.methods_text import as_markdown, methods_section, read_references
from stim2bold.report.provenance import pinned_versions
from stim2bold.runtime.command import run


def main() -> None:
    """Read what the steps left, write the section as Markdown and as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=Path, required=True, help="inputs.json")
    parser.add_argument("--film", type=Path, required=True, help="film.json")
    parser.add_argument("--folds", type=Path, required=True, help="folds.json")
    parser.add_argument("--cleaned", type=Path, required=True, help="folder of the cleaned series")
    parser.add_argument("--models", type=Path, required=True, help="folder of the trained VAEs")
    parser.add_argument("--dataset", type=Path, required=True, help="dataset_description.json")
    parser.add_argument(
        "--derivatives", type=Path, nargs="?", help="dataset_description.json of derivatives"
    )
    parser.add_argument(
        "--sound-scores",
        type=Path,
        nargs="?",
        help="a table of score_sounds, where sound is predicted",
    )
    parser.add_argument("--references", type=Path, required=True, help="works by key")
    parser.add_argument("--requirements", type=Path, required=True, help="pinned versions")
    parser.add_argument("--text", type=Path, required=True, help="Markdown to write")
    parser.add_argument("--section", type=Path, required=True, help="JSON to write")
    parser.add_argument("--settings", type=json.loads, required=True, help="the configuration")
    arguments = parser.parse_args()
    inputs = read_json(arguments.inputs)
    sidecars = [
        read_json(path)
        for row in inputs["runs"]
        for path in arguments.cleaned.rglob(f"{row['name']}_space-*_desc-cleaned_bold.json")
    ]
    participants = [f"sub-{label}" for label in inputs["participants"]]
    directions = arguments.settings["directions"]
    steps = [
        fold["steps"]
        for direction in directions
        for unit in (participants if BOLD in split_name(direction) else ["film"])
        for fold in read_json(arguments.models / direction / f"{unit}.json")["folds"]
    ]
    section = methods_section(
        config=arguments.settings["configuration"],
        inputs=inputs,
        film=read_json(arguments.film),
        folds=read_json(arguments.folds),
        sidecars=sidecars,
        dataset=read_json(arguments.dataset),
        generated=read_json(arguments.derivatives).get("GeneratedBy", [])
        if arguments.derivatives
        else None,
        resampled_here=arguments.settings["resampled_here"],
        simulated=arguments.settings["simulated"],
        directions=directions,
        spaces=arguments.settings["spaces"],
        steps=steps,
        baselines=arguments.settings["baselines"],
        annotated=arguments.settings["annotated"],
        sound_measures=set(read_table(arguments.sound_scores)["measure"])
        if arguments.sound_scores
        else set(),
        version=VERSION,
        references=read_references(arguments.references),
    )
    known = {
        "configuration": arguments.settings["configuration"],
        "versions": pinned_versions(arguments.requirements),
    }
    write_json(arguments.section, section | known)
    with replacing(arguments.text) as temporary:
        temporary.write_text(as_markdown(section), encoding="utf-8")


if __name__ == "__main__":
    run(main)
