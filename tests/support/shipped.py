"""The settings of config.yaml, as the scripts are given them."""

import functools
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import yaml

from stim2bold.vae.settings import VAESettings, settings_of

CONFIGURATION = Path(__file__).parents[2] / "config.yaml"
#: Where the values of each class stand; those of `backbones` differ from network to network.
SECTIONS = {
    "AnatomySettings": ("preprocessing", "anatomy"),
    "AnnotationSettings": ("annotations",),
    "BackboneSettings": ("backbones", "r2plus1d"),
    "CleaningSettings": ("preprocessing", "cleaning"),
    "ConfoundSettings": ("preprocessing", "confounds"),
    "DecodingSettings": ("decoding",),
    "EvaluationSettings": ("evaluation",),
    "FlowSettings": ("flow",),
    "FoldSettings": ("folds",),
    "I3DSettings": ("i3d",),
    "InversionSettings": ("sounds",),
    "MotionSettings": ("preprocessing", "motion"),
    "NormaliseSettings": ("preprocessing", "normalisation"),
    "QualitySettings": ("quality",),
    "RidgeSettings": ("baselines",),
    "SpectrogramSettings": ("spectrogram",),
    "StreamSettings": ("streams",),
    "VAESettings": ("vae",),
    "WordSettings": ("words",),
}
Settings = TypeVar("Settings")


@functools.cache
def configuration() -> dict[str, Any]:
    """The shipped configuration."""
    return yaml.safe_load(CONFIGURATION.read_text(encoding="utf-8"))


def section_of(name: str) -> dict[str, Any]:
    """Return what the configuration has for a class of settings, by the name of its fields."""
    config = configuration()
    section = config
    for key in SECTIONS[name]:
        section = section[key]
    # What the rules add.
    shared = {key: config["baselines"][key] for key in ("components", "bins")}
    added = {"seed": config["seed"], "device": config["device"]}
    return {**added, **(shared if name == "DecodingSettings" else {}), **section}


def shipped(kind: type[Settings], **changed: Any) -> Settings:
    """Return settings as config.yaml has them, but for what is changed.

    Parameters
    ----------
    kind : type
        A class of `SECTIONS`.
    **changed
        Fields with another value.
    """
    section = section_of(kind.__name__)
    if kind is VAESettings:
        preset = settings_of({**section, "preset": changed.pop("preset", section["preset"])})
        return VAESettings(**{**vars(preset), **changed})
    known = {field.name for field in fields(kind)}
    return kind(**{**{key: value for key, value in section.items() if key in known}, **changed})
