"""A setting has one default: config.yaml's. No class of settings has another."""

import ast
import dataclasses
from pathlib import Path

import pytest
from shipped import SECTIONS, configuration, section_of

from stim2bold.vae.settings import PRESETS, VAESettings

SCRIPTS = Path(__file__).parents[3] / "workflow" / "scripts"
#: Not of the configuration: each script makes them of what it was given.
OTHERS = {"FilmSettings", "ImageSettings", "NoiseSettings", "SurfaceSettings"}


def classes():
    """The classes of settings by name."""
    return {
        node.name: node
        for path in SCRIPTS.rglob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and node.name.endswith("Settings")
    }


def test_all_classes_of_settings_are_looked_at():
    assert set(classes()) == set(SECTIONS) | OTHERS


@pytest.mark.parametrize("name", sorted(SECTIONS))
def test_what_is_configured_has_no_other_default(name):
    known = [one for one in classes()[name].body if isinstance(one, ast.AnnAssign)]
    section = section_of(name)
    assert {one.target.id for one in known} & set(section), "no field of that section"
    assert [one.target.id for one in known if one.value and one.target.id in section] == []


def test_a_preset_has_what_the_configuration_leaves_open():
    section = configuration()["vae"]
    fields = {field.name for field in dataclasses.fields(VAESettings)}
    for preset in PRESETS.values():
        assert [key for key in preset if section.get(key) is not None] == []
        assert set(preset) | set(section) | {"seed", "device"} == fields
