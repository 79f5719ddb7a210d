"""What is predicted from what, and by which models: tables that rules, checks and report read.

A direction is named SOURCE2TARGET: ``film2bold`` predicts BOLD from the source that the
configuration calls ``film``. Nothing here imports a numerical package: a login node plans with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from stim2bold.runtime.errors import InputError
from stim2bold.stimulus.feature_spaces import FEATURE_SPACES, MISSING, described

BOLD = "bold"
#: The table that is predicted, by the name of a target; of BOLD each participant's own.
TARGETS = {BOLD: BOLD, "audio": "mel"}
#: What a target is called within a sentence.
TARGET_LABELS = {BOLD: "the BOLD response", "audio": "the film's sound"}


@dataclass(frozen=True)
class Direction:
    """A direction of prediction.

    Parameters
    ----------
    name : str
        SOURCE2TARGET.
    source, target : str
    spaces : tuple of str
        Feature spaces of the source; none where that is BOLD: the participant's own, or, where BOLD
        is predicted, the mean of the others'.
    """

    name: str
    source: str
    target: str
    spaces: tuple[str, ...]

    @property
    def per_participant(self) -> bool:
        """Whether each participant has models of their own; else the film has."""
        return BOLD in (self.source, self.target)

    @property
    def from_film(self) -> bool:
        """Whether it predicts from the film: one latent course can serve several participants."""
        return self.source != BOLD

    @property
    def from_others(self) -> bool:
        """Whether a participant's BOLD is predicted from that of the others at the same moments."""
        return self.source == self.target == BOLD

    @property
    def needs_sound(self) -> bool:
        """Whether nothing is left of it for a silent film."""
        return self.target == "audio"


def split_name(name: str) -> tuple[str, str]:
    """Return source and target of a direction's name; the only place that reads one."""
    source, _, target = name.rpartition("2")
    return source, target


def spaces_of(source: str, sources: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the feature spaces of a source; what it names may be a source itself.

    Parameters
    ----------
    source : str
    sources : mapping of str to sequence of str
        Section of the configuration.

    Raises
    ------
    InputError
        When a source is not described, or is part of itself.
    """
    found: list[str] = []

    def collect(name: str, within: tuple[str, ...]) -> None:
        # A source may be called as a feature space in it: words: [words].
        if name not in sources or name == within[-1]:
            if name not in found:
                found.append(name)
            return
        if name in within:
            raise InputError(
                "config.yaml", f"sources.{name} contains itself", "name feature spaces in it"
            )
        for part in sources[name]:
            collect(part, (*within, name))

    if source not in sources:
        raise InputError(
            "config.yaml",
            f"directions predict from '{source}', and sources has no such entry",
            (
                f"add sources.{source} with its feature spaces, or choose among "
                f"{', '.join([*sources, BOLD])}"
            ),
        )
    for part in sources[source]:
        collect(part, (source,))
    return tuple(found)


def directions_of(config: Mapping[str, Any]) -> dict[str, Direction]:
    """Return the directions of a study by name.

    Parameters
    ----------
    config : mapping
        ``directions``, ``sources`` and ``own_features`` of the configuration.

    Raises
    ------
    InputError
        When a direction has no source or target, a feature space is unknown, or sound would be
        predicted from itself.
    """
    known = [*FEATURE_SPACES, *config["own_features"]]
    found = {}
    for name in config["directions"]:
        source, target = split_name(name)
        if target not in TARGETS or not source:
            raise InputError(
                "config.yaml",
                f"direction '{name}' predicts '{target}'",
                f"name it SOURCE2TARGET, with a target among {', '.join(TARGETS)}",
            )
        spaces = () if source == BOLD else spaces_of(source, config["sources"])
        if unknown := [
            space for space in spaces if space not in known and described(space) is None
        ]:
            raise InputError(
                "config.yaml",
                f"sources.{source} names {', '.join(unknown)}, which is no feature space",
                (
                    f"choose among {', '.join(known)} (or a layer of I3D, such as "
                    "i3d_rgb-Mixed_3c), or describe it in own_features"
                ),
            )
        heard = [space for space in spaces if needs(space) == "sound"]
        if target == "audio" and heard:
            raise InputError(
                "config.yaml",
                (
                    f"direction '{name}' would predict the sound from itself ({', '.join(heard)} "
                    f"in sources.{source})"
                ),
                "take them out, or the direction",
            )
        found[name] = Direction(name, source, target, spaces)
    return found


def needs(space: str) -> str:
    """Return what of the stimulus a feature space is made of; a table of the user's, nothing."""
    found = described(space)
    return found.needs if found else ""


#: Modality of a feature space, by what it is made of.
MODALITIES = {"frames": "video", "sound": "audio", "words": "words"}


def groups_to_leave_out(spaces: Sequence[str]) -> dict[str, list[str]]:
    """Return the groups of feature spaces whose loss is measured: each, and each modality.

    Parameters
    ----------
    spaces : sequence of str

    Returns
    -------
    dict of str to list of str
        By name; a modality of one space is that space, and all spaces together are no group.
    """
    found = {space: [space] for space in spaces}
    for kind, name in MODALITIES.items():
        members = [space for space in spaces if needs(space) == kind]
        if len(members) > 1:
            found[f"all {name}"] = members
    return {name: group for name, group in found.items() if len(group) < len(spaces)}


def available(
    directions: Mapping[str, Direction], there: Mapping[str, bool]
) -> tuple[dict[str, Direction], list[str], list[str]]:
    """Leave out what cannot be made of the stimulus at hand.

    Parameters
    ----------
    directions : mapping of str to Direction
    there : mapping of str to bool
        Whether there are ``frames``, ``sound``, ``words`` and ``others`` (participants).

    Returns
    -------
    directions : dict of str to Direction
        With the feature spaces that can be made; without directions that have none left, or whose
        target is not there.
    spaces, gone : list of str
        Which feature spaces and which directions were left out and why, a sentence each, without
        its full stop.
    """
    kept, absent, gone = {}, {}, []
    for name, direction in directions.items():
        spaces = tuple(s for s in direction.spaces if there.get(needs(s), True))
        absent |= {s: needs(s) for s in direction.spaces if s not in spaces}
        if direction.needs_sound and not there["sound"]:
            gone.append(f"direction {name} is left out: {MISSING['sound']}")
        elif direction.from_others and not there.get("others", True):
            gone.append(f"direction {name} is left out: there is one participant")
        elif direction.from_film and not spaces:
            gone.append(f"direction {name} is left out: none of its feature spaces can be made")
        else:
            kept[name] = replace(direction, spaces=spaces)
    left_out = [f"feature space {s} is left out: {MISSING[why]}" for s, why in absent.items()]
    return kept, left_out, gone


def source_label(direction: str) -> str:
    """Return what a direction predicts from, within a sentence."""
    source, target = split_name(direction)
    if source == target:
        return "the other participants' BOLD response"
    return SOURCE_LABELS.get(source, f"features of {source.replace('_', ' ')}")


def direction_label(direction: str) -> str:
    """Return a direction within a sentence, such as "the BOLD response from the film's sound"."""
    return f"{TARGET_LABELS[split_name(direction)[1]]} from {source_label(direction)}"


#: What the shipped sources are called within a sentence.
SOURCE_LABELS = {
    "film": "the film",
    "video": "the film's frames",
    "audio": "the film's sound",
    "words": "the words of the film",
    BOLD: "the BOLD response that followed it",
}


@dataclass(frozen=True)
class Model:
    """A model of a direction.

    Parameters
    ----------
    label : str
        Its name in tables and figures.
    meaning : str
        What it knows or does, for a reader who meets it for the first time.
    role : str
        ``model``, or ``baseline``: what a model is compared with.
    """

    label: str
    meaning: str
    role: str = "baseline"


#: From the most to the least elaborate: the order of tables.
MODELS = {
    "vae": Model(
        "VAE",
        "variational autoencoder: learns what source and target share, and says how sure it is",
        "model",
    ),
    "vae-group": Model(
        "VAE of the group",
        "one autoencoder for all participants, with a decoder for each",
        "model",
    ),
    "vae-stack": Model(
        "VAE and banded ridge",
        "mean of the predictions of VAE and banded ridge, scaled to vary as much",
        "model",
    ),
    "banded": Model("banded ridge", "linear regression with a penalty for each feature space"),
    "ridge": Model("ridge", "linear regression with one penalty, on the same features as the VAE"),
    "annotations": Model("annotations", "linear regression on what the film's annotations name"),
    "lowlevel": Model(
        "low-level features",
        "linear regression on light, contrast, motion and (unless predicted) sound level",
    ),
    "blocks": Model(
        "block label", "knows the kind of block (music, speech), and nothing else of the film"
    ),
    "elapsed": Model("elapsed time", "knows the time that has passed, and nothing of the film"),
    "shuffled": Model(
        "shuffled ridge", "ridge given the source at the wrong moments: what chance looks like"
    ),
    "mean": Model(
        "training mean", "says the mean of what it was fitted on, always; it has no correlation"
    ),
}
BASELINES = tuple(name for name, model in MODELS.items() if model.role == "baseline")
