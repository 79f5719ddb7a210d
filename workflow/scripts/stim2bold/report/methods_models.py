"""Paragraphs of the methods section on models and scores."""

from collections.abc import Collection, Mapping

from stim2bold.evaluation.landmarks import RADIUS
from stim2bold.models.catalogue import BOLD, TARGET_LABELS, source_label, split_name
from stim2bold.report.wording import in_words, several
from stim2bold.stimulus.feature_spaces import described

#: What baselines of a table of what is known of the film were fitted on.
KNOWN = {"annotations": "annotations", "lowlevel": "low-level features of frames and sound"}


def predicted(directions: list[str]) -> str:
    """Return what was predicted from what, each target once."""
    sources: dict[str, list[str]] = {}
    for name in directions:
        sources.setdefault(split_name(name)[1], []).append(f"from {source_label(name)}")
    return in_words([f"{TARGET_LABELS[target]} {in_words(own)}" for target, own in sources.items()])


def models_paragraph(
    config: dict,
    folds: dict,
    film: dict,
    *,
    directions: list[str],
    spaces: list[str],
    n_participants: int,
    steps: list[int],
    baselines: Collection[str],
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
    steps : list of int
        Steps of training that the inner folds chose, for each fold of each participant's VAE.
    baselines : collection of str
        Those that were fitted.
    """
    vae = config["vae"]
    after = (
        "after Yadav et al., 2020"
        if vae["preset"] == "paper"
        else "after Yadav et al., 2020, with a "
        "linear start and the hybrid objective of Sohn et al., 2015"
    )
    seeds = several(vae["seeds"], "model") + (" of different seeds" if vae["seeds"] > 1 else "")
    known = [words for name, words in KNOWN.items() if name in baselines]
    parts = [
        *features_sentences(spaces, config["own_features"], film, config["spectrogram"]),
        f"We predicted {predicted(directions)}, with "
        f"variational autoencoders (Kingma & Welling, 2014; {after}; preset '{vae['preset']}', "
        f"{seeds}). They were compared with the training mean, a linear time trend, the labels of "
        f"the film's blocks, {f'ridge regression on {in_words(known)}, ' if known else ''}ridge "
        "regression on the features that the autoencoders had, as they were and circularly "
        "shifted, and banded ridge regression (Nunez-Elizalde et al., 2019; Dupré la Tour et al., "
        "2022) on the same features.",
        f"All models were fitted and evaluated by cross-validation over "
        f"{several(len(folds['folds']), 'fold')} of contiguous film time. {folds['gap']:g} s on "
        "each side of the test segment were excluded from training, and hyperparameters were "
        "chosen within the training segments.",
    ]
    if config["vae"]["preset"] != "paper":
        parts.append(
            "Each autoencoder started from the linear solution with the least error on the inner "
            "folds, among ridge regression and a prior on weights learned from all targets. A "
            "network that sees each frame before the haemodynamic delay, and a recurrent network "
            "after it, could add to this solution for the number of training steps with the least "
            "mean error among those that reduced the error of every inner fold, if one reduced it "
            "significantly (one-sided paired t test over inner folds, p < 0.05)."
        )
    else:
        parts.append("Training took the number of steps with the least error on the inner folds.")
    parts.append(
        "Their predictions were multiplied by the slope of the regression of truth on prediction "
        "in rows held out by the inner folds, less one standard error."
    )
    parts.append(
        f"Folds with at least one step: {sum(n > 0 for n in steps)} of {len(steps)}, over all "
        "participants and directions."
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
        subject = "Further features were" if sentences else "The film was described by"
        sentences.append(f"{subject} {in_words(own_labels)}.")
    sentences.append("All features were averaged over each volume.")
    return sentences
