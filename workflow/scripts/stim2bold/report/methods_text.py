"""A methods section to copy into a paper: what was really run, on whom, with which settings.

It is written from what the steps left (``inputs.json``, ``film.json``, ``folds.json``, sidecars of
the cleaned series) and, where they say nothing, from the configuration they were given.
"""

import csv
from collections.abc import Collection
from pathlib import Path
from typing import Any

from stim2bold.report.methods_models import models_paragraph, scores_paragraph
from stim2bold.report.wording import in_words, several

#: More participants than that are counted, not named.
MOST_NAMES = 6


def read_references(path: str | Path) -> dict[str, str]:
    """Return works by how they are cited, from a table with the columns cited_as and work."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {row["cited_as"]: row["work"] for row in rows}


def data_paragraph(inputs: dict, film: dict, *, simulated: bool, dataset: dict[str, Any]) -> str:
    """Say whose data were analysed, and who is missing.

    Parameters
    ----------
    inputs, film : dict
        Contents of inputs.json and film.json.
    simulated : bool
        Whether the data set is the built-in one.
    dataset : dict
        Content of the data set's dataset_description.json.
    """
    n, n_runs = len(inputs["participants"]), len(inputs["runs"])
    name = dataset.get("Name", "a data set")
    source = f"{name} ({dataset['DatasetDOI']})" if dataset.get("DatasetDOI") else name
    parts = [
        f"We analysed BOLD data of {several(n, 'participant')} ({several(n_runs, 'run')}, TR = "
        f"{inputs['TR']:g} s) who watched a film of {film['duration']:.1f} s.",
        (
            "The data were simulated with a known signal"
            if simulated
            else f"The data were taken from {source}"
        )
        + " and organised according to BIDS (Gorgolewski et al., 2016).",
    ]
    if "ds003688" in str(dataset.get("DatasetDOI")):
        parts.append("The data set has been described before (Berezutskaya et al., 2022).")
    reasons: dict[str, list[str]] = {}
    for row in inputs["missing"]:
        reasons.setdefault(row["reason"], []).append(row["participant"])
    if reasons:
        named = {
            why: in_words(who) if len(who) <= MOST_NAMES else several(len(who), "participant")
            for why, who in reasons.items()
        }
        left_out = [f"{who} ({why})" for why, who in named.items()]
        parts.append(f"Participants were excluded as follows: {'; '.join(left_out)}.")
    return " ".join(parts)


def preprocessing_paragraph(
    config: dict,
    inputs: dict,
    *,
    sidecars: list[dict],
    generated: list[dict] | None,
    resampled_here: bool,
) -> str:
    """Say how the images were preprocessed and cleaned.

    Parameters
    ----------
    config : dict
        Section preprocessing of the configuration.
    inputs : dict
        Content of inputs.json.
    sidecars : list of dict
        Those of the cleaned series.
    generated : list of dict or None
        GeneratedBy of the derivatives that stood in for our preprocessing; None where none did.
    resampled_here : bool
        Whether the series were resampled here.
    """
    if generated is None:
        parts = own_sentences(config, inputs)
    else:
        parts = [derived_sentence(inputs["space"], generated, resampled_here=resampled_here)]
    if resampled_here:
        parts.append(
            "Confounds were defined as in fMRIPrep: framewise displacement (Power et al., 2012), "
            "DVARS (Nichols, 2017) and CompCor (Behzadi et al., 2007)."
        )
    cleaning = config["cleaning"]
    numbers = sorted({len(sidecar["Confounds"]) for sidecar in sidecars})
    span = f"{numbers[0]}" if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"
    filled = sum(len(sidecar["VolumesFilledIn"]) for sidecar in sidecars)
    cut = sidecars[0]["HighPass"]
    strategy = f"nilearn strategy '{cleaning['strategy']}', motion '{cleaning['motion']}'"
    strategy += "; Abraham et al., 2014; Wang et al., 2024"
    drifts = f"drifts slower than {1 / cut:.0f} s were removed"
    parts.append(
        f"{span} confounds per run ({strategy}) and {drifts} in a single regression (Lindquist et "
        "al., 2019)."
        if numbers[-1]
        else f"No confounds were available ({strategy}); {drifts} by regression."
    )
    if filled:
        parts.append(f"{several(filled, 'volume')} with motion were replaced by interpolation.")
    parts += left_out_sentences(sidecars)
    if sidecars[0]["SmoothingFWHM"]:
        parts.append(
            f"Series were smoothed with a kernel of {sidecars[0]['SmoothingFWHM']:g} mm FWHM."
        )
    return " ".join(parts)


def derived_sentence(space: str, generated: list[dict], *, resampled_here: bool) -> str:
    """Say what was done elsewhere: all of the preprocessing, or all but the resampling."""
    named = [
        f"{tool.get('Name', 'a tool')} {tool.get('Version', '')}".strip() for tool in generated
    ]
    tools = in_words(named or ["other software"])
    if not resampled_here:
        return (
            f"Images had been preprocessed with {tools} (Esteban et al., 2019) and were used in "
            f"the space {space}."
        )
    return (
        "Brain and tissues of the T1w images, head motion, and the transforms from BOLD to T1w "
        f"image and from there to the space {space} had been estimated with {tools} (Esteban et "
        "al., 2019). The transforms were concatenated, so that each raw series was resampled once, "
        "by cubic splines."
    )


def own_sentences(config: dict, inputs: dict) -> list[str]:
    """Say what our own preprocessing did, up to the resampling.

    Parameters
    ----------
    config : dict
        Section preprocessing of the configuration.
    inputs : dict
        Content of inputs.json.
    """
    parts = [
        "Preprocessing followed the steps of fMRIPrep (Esteban et al., 2019), implemented with "
        "Python packages only."
    ]
    if any(run["t1w"] for run in inputs["runs"]):
        parts.append(
            "The T1w images were corrected for intensity non-uniformity with N4 (Tustison et "
            "al., 2010), skull-stripped with an algorithm modelled on BET (Smith, 2002), "
            "segmented with Atropos (Avants et al., 2011) and normalised to the symmetric "
            "MNI152 2009a template (Fonov et al., 2009) with SyN (Avants et al., 2008)."
        )
    parts.append(
        "Head motion was estimated by inverse compositional Gauss-Newton registration (Baker & "
        "Matthews, 2004). All transforms were concatenated, so that each series was resampled "
        "once."
    )
    if config["distortion"] is not None:
        parts.append(
            "Susceptibility distortions were estimated without a fieldmap, by nonlinear "
            "registration (SyN) of each BOLD reference to the tissues of the T1w image along the "
            "phase-encoding axis (see Treiber et al., 2016; Wang et al., 2017)."
        )
    n_echoes = sorted({run["echoes"] for run in inputs["runs"] if run["echoes"] > 1})
    if n_echoes:
        parts.append(
            f"The {' or '.join(map(str, n_echoes))} echoes of each run were combined by their "
            "T2*-weighted mean (Posse et al., 1999), as implemented in tedana (DuPre et al., "
            "2021); head motion was that of the first echo."
        )
    n_without = sum(run["t1w"] is None for run in inputs["runs"])
    if n_without:
        parts.append(
            f"{several(n_without, 'run')} without a T1w image "
            f"{'was' if n_without == 1 else 'were'} registered to the template directly."
        )
    return parts


def left_out_sentences(sidecars: list[dict]) -> list[str]:
    """Say which voxels and confounds were left out or filled in, from the sidecars."""
    sentences = []
    reasons = {
        "constant": "without a signal",
        "not_numbers": "with values that are not finite",
        "not_covered": "outside the field of view in some volumes",
        "not_positive": "without a positive mean",
    }
    counts = {
        words: sum(sidecar["VoxelsLeftOut"][key] for sidecar in sidecars)
        for key, words in reasons.items()
    }
    if any(counts.values()):
        listed = in_words([f"{n} {words}" for words, n in counts.items() if n])
        sentences.append(
            f"Voxels excluded from the masks of {several(len(sidecars), 'run')}: {listed}."
        )
    gaps = sorted({name for sidecar in sidecars for name in sidecar["ConfoundsFilledIn"]})
    if gaps:
        n = sum(len(rows) for sidecar in sidecars for rows in sidecar["ConfoundsFilledIn"].values())
        sentences.append(f"{several(n, 'missing value')} in {in_words(gaps)} were interpolated.")
    constant = sorted({name for sidecar in sidecars for name in sidecar["ConfoundsLeftOut"]})
    if constant:
        runs = sum(bool(sidecar["ConfoundsLeftOut"]) for sidecar in sidecars)
        sentences.append(
            f"In {several(runs, 'run')}, confounds that did not vary were excluded: "
            f"{in_words(constant)}."
        )
    return sentences


def methods_section(
    *,
    config: dict,
    inputs: dict,
    film: dict,
    folds: dict,
    sidecars: list[dict],
    dataset: dict,
    generated: list[dict] | None,
    resampled_here: bool,
    simulated: bool,
    directions: list[str],
    spaces: list[str],
    steps: list[int],
    baselines: Collection[str],
    annotated: bool,
    sound_measures: set[str],
    version: str,
    references: dict[str, str],
) -> dict[str, Any]:
    """Write the methods section.

    Parameters
    ----------
    config : dict
        The configuration.
    inputs, film, folds : dict
        Contents of inputs.json, film.json and folds.json.
    sidecars : list of dict
        Those of the cleaned series.
    dataset : dict
        Content of the data set's dataset_description.json.
    generated : list of dict or None
        GeneratedBy of derivatives that stood in for our preprocessing.
    resampled_here : bool
        Whether the series were resampled here, by our transforms or those of the derivatives.
    simulated : bool
        Whether the data set is the built-in one.
    directions, spaces : list of str
        Directions and feature spaces that were used.
    steps : list of int
        Steps of training that the inner folds chose, for each fold of each participant's VAE.
    baselines : collection of str
        Those that were fitted.
    annotated : bool
        Whether the film is annotated.
    sound_measures : set of str
        Measures in the tables of scores of sounds; empty where no direction predicts sound.
    version : str
        Of this software.
    references : dict of str to str
        Works by how they are cited.

    Returns
    -------
    dict
        ``study``, the name of the data set; ``paragraphs``, and ``references``: the works that
        they cite.
    """
    paragraphs = [
        data_paragraph(inputs, film, simulated=simulated, dataset=dataset),
        preprocessing_paragraph(
            config["preprocessing"],
            inputs,
            sidecars=sidecars,
            generated=generated,
            resampled_here=resampled_here,
        ),
        models_paragraph(
            config,
            folds,
            film,
            directions=directions,
            spaces=spaces,
            n_participants=len(inputs["participants"]),
            steps=steps,
            baselines=baselines,
        ),
        scores_paragraph(
            config,
            directions=directions,
            n_participants=len(inputs["participants"]),
            annotated=annotated,
            sound_measures=sound_measures,
        ),
        f"All steps were run with stim2bold {version}, a Snakemake workflow (Mölder et al., 2021), "
        f"with seed {config['seed']}.",
    ]
    text = " ".join(paragraphs)
    return {
        "study": str(dataset.get("Name") or "a data set without a name"),
        "paragraphs": paragraphs,
        "references": [work for key, work in sorted(references.items()) if key in text],
    }


def as_markdown(section: dict[str, Any]) -> str:
    """Return a methods section as Markdown."""
    works = [f"- {work}" for work in section["references"]]
    return (
        "\n\n".join(["# Methods", *section["paragraphs"], "# References", "\n".join(works)]) + "\n"
    )
