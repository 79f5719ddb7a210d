"""A methods section to copy into a paper: what was really run, on whom, with which settings.

It is written from what the steps left (``inputs.json``, ``film.json``, ``folds.json``, sidecars of
the cleaned series) and, where they say nothing, from the configuration they were given.
"""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stim2bold.evaluation.landmarks import RADIUS
from stim2bold.models.catalogue import BOLD, direction_label, split_name
from stim2bold.stimulus.feature_spaces import described

#: More participants than that are counted, not named.
MOST_NAMES = 6


def read_references(path: str | Path) -> dict[str, str]:
    """Return works by how they are cited, from a table with the columns cited_as and work."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {row["cited_as"]: row["work"] for row in rows}


def in_words(names: list[str]) -> str:
    """Return names as a list within a sentence."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def several(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number} {noun}{'s' * (number != 1)}"


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
    config: dict, inputs: dict, *, sidecars: list[dict], generated: list[dict] | None
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
    """
    if generated is not None:
        tools = [
            f"{tool.get('Name', 'a tool')} {tool.get('Version', '')}".strip() for tool in generated
        ]
        parts = [
            f"Images had been preprocessed with {in_words(tools or ['other software'])} (Esteban "
            f"et al., 2019) and were used in the space {inputs['space']}."
        ]
    else:
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
        n_without = sum(run["t1w"] is None for run in inputs["runs"])
        if n_without:
            parts.append(
                f"{several(n_without, 'run')} without a T1w image "
                f"{'was' if n_without == 1 else 'were'} registered to the template directly."
            )
        parts.append(
            "Confounds were defined as in fMRIPrep: framewise displacement (Power et al., 2012), "
            "DVARS (Nichols, 2017) and CompCor (Behzadi et al., 2007)."
        )
    cleaning = config["cleaning"]
    numbers = sorted({len(sidecar["Confounds"]) for sidecar in sidecars})
    span = f"{numbers[0]}" if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"
    filled = sum(len(sidecar["VolumesFilledIn"]) for sidecar in sidecars)
    cut = sidecars[0]["HighPass"]
    parts.append(
        f"{span} confounds per run (nilearn strategy '{cleaning['strategy']}', motion "
        f"'{cleaning['motion']}'; Abraham et al., 2014; Wang et al., 2024) and drifts slower than "
        f"{1 / cut:.0f} s were removed in a single regression (Lindquist et al., 2019)."
    )
    if filled:
        parts.append(f"{several(filled, 'volume')} with motion were replaced by interpolation.")
    parts += left_out_sentences(sidecars)
    if sidecars[0]["SmoothingFWHM"]:
        parts.append(
            f"Series were smoothed with a kernel of {sidecars[0]['SmoothingFWHM']:g} mm FWHM."
        )
    return " ".join(parts)


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


def features_sentences(
    spaces: list[str], own: Mapping[str, Mapping[str, str]], film: dict, sound: dict
) -> list[str]:
    """Say what the film was described by.

    Parameters
    ----------
    spaces : list of str
        Feature spaces that were used.
    own : mapping
        Section own_features of the configuration.
    film : dict
        Content of film.json.
    sound : dict
        Section spectrogram of the configuration.
    """
    by_need = {
        need: [
            space.label
            for name in spaces
            if name not in own and (space := described(name)) and space.needs == need
        ]
        for need in ("frames", "sound", "words")
    }
    own_labels = [
        f"{own[name].get('label', name)}"
        + (f" ({own[name]['citation']})" if own[name].get("citation") else "")
        for name in spaces
        if name in own
    ]
    sentences = []
    if by_need["frames"]:
        sentences.append(
            f"The film's {film['video']['frames']} frames were described by "
            f"{in_words(by_need['frames'])}, at the time stamps of the file."
        )
    if by_need["sound"]:
        sentences.append(
            f"Its sound was described by {in_words(by_need['sound'])} ({sound['n_mels']} mel bands "
            f"at {sound['rate']} Hz)."
        )
    if by_need["words"]:
        sentences.append(
            f"What was said was described by {in_words(by_need['words'])}, from the annotations."
        )
    if own_labels:
        sentences.append(f"Further features were {in_words(own_labels)}.")
    sentences.append("All features were averaged over each volume.")
    return sentences


def models_paragraph(
    config: dict,
    folds: dict,
    film: dict,
    *,
    directions: list[str],
    spaces: list[str],
    n_participants: int,
    annotated: bool,
) -> str:
    """Say what the film was described by and what was learned.

    Parameters
    ----------
    config : dict
        The configuration.
    folds, film : dict
        Contents of folds.json and film.json.
    directions, spaces : list of str
        Directions and feature spaces that were used.
    n_participants : int
    annotated : bool
        Whether the film is annotated.
    """
    vae = config["vae"]
    after = (
        "after Yadav et al., 2020"
        if vae["preset"] == "paper"
        else "after Yadav et al., 2020, with a "
        "linear start and the hybrid objective of Sohn et al., 2015"
    )
    seeds = several(vae["seeds"], "model") + (" of different seeds" if vae["seeds"] > 1 else "")
    parts = [
        *features_sentences(spaces, config["own_features"], film, config["spectrogram"]),
        f"We predicted {in_words([direction_label(name) for name in directions])}, with "
        f"variational autoencoders (Kingma & Welling, 2014; {after}; preset '{vae['preset']}', "
        f"{seeds}). They were compared with the training mean, a linear time trend, the labels of "
        f"the film's blocks, ridge regression on {'annotations and on ' if annotated else ''}"
        "low-level features of frames and sound, ridge regression on the features that the "
        "autoencoders had, as they were and circularly shifted, and banded ridge regression "
        "(Nunez-Elizalde et al., 2019; Dupré la Tour et al., 2022) on the same features.",
        f"All models were fitted and evaluated by cross-validation over "
        f"{several(len(folds['folds']), 'fold')} of contiguous film time. {folds['gap']:g} s on "
        "each side of the test segment were excluded from training, and hyperparameters were "
        "chosen within the training segments.",
    ]
    if config["vae"]["preset"] != "paper":
        parts.append(
            "Each autoencoder started from the linear solution with the least error on the inner "
            "folds, among ridge regression and a prior on weights learned from all targets."
        )
    to_bold = any(split_name(name)[1] == BOLD for name in directions)
    if config["group"]["train"] and n_participants > 1 and to_bold:
        parts.append(
            "In addition, one autoencoder was shared by all participants: by weights common to all "
            "at a place, or by a shared response (Chen et al., 2015), as the inner folds said."
        )
    return " ".join(parts)


#: How sounds of speech are scored, by the measure's name in the table of scores.
SPEECH_SCORES = {
    "pesq_wb": "PESQ (Rix et al., 2001)",
    "stoi": "STOI (Taal et al., 2011)",
    "mcd": "mel-cepstral distortion (Kubichek, 1993)",
}


def scores_paragraph(
    config: dict,
    *,
    directions: list[str],
    n_participants: int,
    annotated: bool,
    sound_measures: set[str],
) -> str:
    """Say how predictions were judged.

    Parameters
    ----------
    config : dict
        The configuration.
    directions : list of str
        Those that were used.
    n_participants : int
    annotated : bool
        Whether the film is annotated.
    sound_measures : set of str
        Measures in the tables of scores of sounds.
    """
    evaluation = config["evaluation"]
    targets = {split_name(name)[1] for name in directions}
    parts = [
        "Predictions were evaluated by Pearson's correlation on held-out film time. Significance "
        "was assessed against predictions of random phase (Prichard & Theiler, 1994; "
        f"{evaluation['surrogates']} surrogates) and controlled for the false discovery rate "
        "(Benjamini & Hochberg, 1995). Confidence intervals were estimated by a block bootstrap "
        f"({evaluation['draws']} samples, blocks of {evaluation['block']:g} s). Both were widened "
        "for the dependence between folds, as estimated from fits to targets of random phase.",
        f"Segments of {evaluation['segment']:g} s were identified from their predictions "
        "(Mitchell et al., 2008), and compared with predictions shifted in time.",
    ]
    if n_participants > 1:
        parts.append(
            "At the group level, mean scores were tested with the film as the random sample, "
            "against surrogates that all participants shared, and with participants as the random "
            "sample, by Student's t test."
        )
        if BOLD in targets:
            parts.append(
                "Group maps were computed from Fisher's z and corrected for multiple comparisons "
                "by the maximum statistic (Nichols & Holmes, 2002)."
            )
    if BOLD in targets:
        parts.append(
            f"Regions of interest were the voxels within {RADIUS:g} mm of anatomical landmarks in "
            "template space on either side; the mean correlation over the voxels of each was "
            "tested likewise, and corrected over the regions."
        )
        parts.append(
            "The contribution of each feature space was its share in the covariance of the banded "
            "ridge prediction with BOLD (Dupré la Tour et al., 2022)."
        )
    if BOLD in targets and n_participants >= 3:
        parts.append(
            "The noise ceiling was estimated by leave-one-out inter-subject correlation (Nastase "
            "et al., 2019)."
        )
    brains = any(BOLD in split_name(name) for name in directions)
    decoded = [
        *(["the labels of the film's annotations"] if annotated else []),
        *(["which clip of the film was shown"] if brains else []),
    ]
    if decoded:
        parts.append(f"Ridge regression was also used to decode {in_words(decoded)}.")
    if "audio" in targets:
        parts.append(
            "Predictions of sound were evaluated within blocks of the same kind, after the effect "
            "of the block label had been removed. The label, which names what is heard, served as "
            "an oracle."
        )
        parts.append(
            "Predicted spectrograms were inverted with the fast Griffin-Lim algorithm "
            f"({config['sounds']['iterations']} iterations; Perraudin et al., 2013)."
        )
    speech = [words for measure, words in SPEECH_SCORES.items() if measure in sound_measures]
    if speech:
        parts.append(f"Reconstructed speech was evaluated with {in_words(speech)}.")
    return " ".join(parts)


def methods_section(
    *,
    config: dict,
    inputs: dict,
    film: dict,
    folds: dict,
    sidecars: list[dict],
    dataset: dict,
    generated: list[dict] | None,
    simulated: bool,
    directions: list[str],
    spaces: list[str],
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
    simulated : bool
        Whether the data set is the built-in one.
    directions, spaces : list of str
        Directions and feature spaces that were used.
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
            config["preprocessing"], inputs, sidecars=sidecars, generated=generated
        ),
        models_paragraph(
            config,
            folds,
            film,
            directions=directions,
            spaces=spaces,
            n_participants=len(inputs["participants"]),
            annotated=annotated,
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
