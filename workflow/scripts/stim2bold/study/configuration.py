"""The configuration outside Snakemake: read as Snakemake reads it, judged by the same schema."""

import contextlib
import difflib
import functools
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from stim2bold.io.strict_yaml import read_mapping
from stim2bold.runtime.errors import InputError
from stim2bold.runtime.issues import Problem, error, from_refusal, refuse


def merge(base: dict, update: dict) -> dict:
    """Return `base` with what `update` says, section by section."""
    merged = dict(base)
    for key, value in update.items():
        below = merged.get(key)
        both = isinstance(below, dict) and isinstance(value, dict)
        merged[key] = merge(below, value) if both else value
    return merged


def read_configuration(files: list[Path], settings: list[str]) -> dict[str, Any]:
    """Read configuration files and settings of the command line; later ones win.

    Parameters
    ----------
    files : list of Path
        YAML.
    settings : list of str
        ``key=value``, see `value_of`.

    Raises
    ------
    InputError
        When a file or a setting is no mapping, or is read otherwise than it looks.
    """
    config: dict[str, Any] = {}
    for path in files:
        part, problems = read_mapping(path)
        refuse(problems)
        config = merge(config, part)
    for setting in settings:
        key, found, value = setting.partition("=")
        if not found:
            raise InputError(setting, "is no setting", "write key=value")
        config = merge(config, {key: value_of(value)})
    return config


def check_files(files: list[Path]) -> list[Problem]:
    """Return every place in configuration files that is read otherwise than it looks."""
    problems = []
    for path in files:
        try:
            problems += read_mapping(path)[1]
        except InputError as refusal:
            problems.append(from_refusal(refusal, path))
    return problems


def value_of(text: str) -> Any:
    """Return the value of a setting on the command line, as Snakemake reads it.

    A number or a truth value stands alone; what is in a list or section is text: [01, 02] are
    labels.
    """
    text = text.strip("\"'")
    if text == "":
        return None
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    if text in ("True", "False"):
        return text == "True"
    try:
        return yaml.BaseLoader(text).get_single_data()
    except yaml.YAMLError:
        # A path such as '[a] film.mp4' is no YAML, and needs none.
        return text


@functools.cache
def _validator(schema: Path) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(yaml.safe_load(schema.read_text(encoding="utf-8")))


def check_configuration(config: dict[str, Any], schema: Path) -> list[Problem]:
    """Return everything that the schema has against a configuration."""
    problems = []
    for fault in sorted(_validator(schema).iter_errors(config), key=lambda fault: str(fault.path)):
        where = ".".join(str(part) for part in fault.absolute_path) or "the file"
        # A description may be folded, and a key hold a line break.
        said, fix = (" ".join(t.split()) for t in (f"{where}: {_said(fault)}", _fix(fault)))
        problems.append(error("config.yaml", said, fix))
    return problems


def _said(fault: jsonschema.ValidationError) -> str:
    """Say what is wrong in a line, however long the value is."""
    if fault.validator == "type" and fault.instance is None:
        return "is empty"
    shown = repr(fault.instance)
    return fault.message if len(shown) < 200 else fault.message.replace(shown, shown[:60] + "...")


def _fix(fault: jsonschema.ValidationError) -> str:
    """Say what to write instead: the key that was meant, or what the value is to be."""
    if fault.validator == "additionalProperties":
        known = list(fault.schema["properties"])
        unknown = [str(key) for key in fault.instance if key not in known]
        meant = [close for key in unknown for close in difflib.get_close_matches(key, known, n=1)]
        if meant:
            return f"did you mean {' and '.join(meant)}?"
        return f"known here are {', '.join(known)}"
    if fault.validator == "type" and fault.instance is None and fault.validator_value == "object":
        return "give its keys below it, or remove the line"
    wanted = f"give: {fault.schema.get('description', 'see workflow/config.schema.yaml')}"
    if any(isinstance(item, int | float) for item in _items(fault.instance)):
        wanted += " Labels are text: quote them, such as '01'."
    return wanted


def _items(value: Any) -> list:
    """Return a value, or those in a list."""
    return value if isinstance(value, list) else [value]
