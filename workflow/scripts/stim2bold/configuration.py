"""The configuration outside Snakemake: read as Snakemake reads it, judged by the same schema."""

import difflib
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from stim2bold.errors import InputError
from stim2bold.problems import Problem, error


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
        ``key=value``, the value in YAML.

    Raises
    ------
    InputError
        When a file or a setting is no YAML mapping.
    """
    config: dict[str, Any] = {}
    for path in files:
        try:
            part = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
        except OSError as fault:
            raise InputError(
                f"{path}: cannot be read ({fault.strerror}); correct the path"
            ) from None
        except (yaml.YAMLError, UnicodeDecodeError) as fault:
            said = " ".join(str(fault).split())
            raise InputError(f"{path}: is not YAML ({said}); mend it") from None
        if not isinstance(part, dict):
            raise InputError(f"{path}: holds no settings; write 'key: value' lines")
        config = merge(config, part)
    for setting in settings:
        key, found, value = setting.partition("=")
        if not found:
            raise InputError(f"{setting}: is no setting; write key=value")
        try:
            config = merge(config, {key: yaml.safe_load(value)})
        except yaml.YAMLError:
            # A path such as '[a] film.mp4' is no YAML, and needs none.
            config = merge(config, {key: value})
    return config


def check_configuration(config: dict[str, Any], schema: Path) -> list[Problem]:
    """Return everything that the schema has against a configuration."""
    validator = jsonschema.Draft202012Validator(yaml.safe_load(schema.read_text(encoding="utf-8")))
    problems = []
    for fault in sorted(validator.iter_errors(config), key=lambda fault: str(fault.path)):
        where = ".".join(str(part) for part in fault.absolute_path) or "the file"
        problems.append(error("config.yaml", f"{where}: {fault.message}", _remedy(fault)))
    return problems


def _remedy(fault: jsonschema.ValidationError) -> str:
    """Say what to write instead: the key that was meant, or what the value is to be."""
    if fault.validator == "additionalProperties":
        known = list(fault.schema["properties"])
        unknown = [key for key in fault.instance if key not in known]
        meant = [close for key in unknown for close in difflib.get_close_matches(key, known, n=1)]
        if meant:
            return f"did you mean {' and '.join(meant)}?"
        return f"known here are {', '.join(known)}"
    return f"give: {fault.schema.get('description', 'see workflow/config.schema.yaml')}"
