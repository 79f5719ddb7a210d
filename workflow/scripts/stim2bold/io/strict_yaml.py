"""YAML and JSON in which nothing means something else than it seems to.

YAML 1.1 reads 02 as the number 2, 010 as 8, ``yes`` and ``on`` as true and ``1e-3`` as text, and of
a key that is given twice keeps the last. Snakemake reads configuration files in that way too; here
each such place is an error with its line.
"""

import json
import re
from pathlib import Path
from typing import Any

import yaml

from stim2bold.io.tables import NUMBER, decode, read_bytes
from stim2bold.runtime.errors import InputError
from stim2bold.runtime.issues import Problem, error

TAG = "tag:yaml.org,2002:"
WHOLE = re.compile(r"[+-]?(0|[1-9][0-9]*)")


class _Faulty(ValueError):
    """JSON that a reader would misread; says why."""


def read_mapping(path: str | Path) -> tuple[dict[str, Any], list[Problem]]:
    """Read a file of settings.

    Parameters
    ----------
    path : str or Path
        YAML, or JSON.

    Returns
    -------
    settings : dict
        Empty where there are problems.
    problems : list of Problem
        Every place that YAML reads otherwise than it looks, with its line.

    Raises
    ------
    InputError
        When the file cannot be read at all.
    """
    path = Path(path)
    text = decode(read_bytes(path), path)
    try:
        content = json.loads(text, object_pairs_hook=_pairs, parse_constant=_constant)
    except _Faulty as fault:
        return {}, [error(path, *str(fault).split("; ", 1))]
    except (ValueError, RecursionError):
        content, problems = _read_yaml(text, path)
        if problems:
            return {}, problems
    if content is None:
        return {}, []
    if not isinstance(content, dict):
        raise InputError(path, "holds no settings", "write 'key: value' lines")
    return content, []


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _Faulty(f"{twice!r} is given twice, and the first would be lost; join the two")
    return content


def _constant(name: str) -> float:
    raise _Faulty(f"holds {name}, which is no finite number; give one")


def _read_yaml(text: str, path: Path) -> tuple[Any, list[Problem]]:
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if node is None:
            return None, []
        problems = _faults(node, path, above=())
        return (None, problems) if problems else (yaml.safe_load(text), [])
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        line = f"line {mark.line + 1}: " if mark else ""
        said = " ".join(str(fault.problem or fault.context).split())
        raise InputError(path, f"{line}is not YAML ({said})", "mend it") from None
    except (yaml.YAMLError, ValueError) as fault:
        said = " ".join(str(fault).split())
        raise InputError(path, f"is not YAML ({said})", "mend it") from None
    except RecursionError:
        raise InputError(path, "is nested too deep", "write 'key: value' lines") from None


def _faults(node: yaml.Node, path: Path, *, above: tuple[int, ...]) -> list[Problem]:
    """Return what is read otherwise than it looks, in a node and below it."""
    line = f"line {node.start_mark.line + 1}: "
    if id(node) in above:
        return [error(path, f"{line}an alias stands within what it names", "write it out")]
    above = (*above, id(node))
    if isinstance(node, yaml.ScalarNode):
        said = _scalar(node)
        return [error(path, line + said[0], said[1])] if said else []
    if isinstance(node, yaml.SequenceNode) and node.tag == f"{TAG}seq":
        return [fault for item in node.value for fault in _faults(item, path, above=above)]
    if not isinstance(node, yaml.MappingNode) or node.tag != f"{TAG}map":
        return [error(path, f"{line}has the tag {node.tag}", "write it without a tag")]
    problems: list[Problem] = []
    seen: dict[str, int] = {}
    for key, value in node.value:
        here = key.start_mark.line + 1
        name = key.value
        if not isinstance(key, yaml.ScalarNode):
            problems.append(error(path, f"line {here}: a key is a list or section", "name it"))
            continue
        if key.tag not in (f"{TAG}str", f"{TAG}merge"):
            said = _scalar(key) or (f"the key {name} is not text to YAML", _quote(name))
            problems.append(error(path, f"line {here}: {said[0]}", said[1]))
        elif name in seen and key.tag == f"{TAG}str":
            problems.append(
                error(
                    path,
                    f"line {here}: {name} is given twice (first in line {seen[name]}), and the "
                    "first would be lost",
                    f"join what stands below the two in one {name}",
                )
            )
        seen.setdefault(name, here)
        problems += _faults(value, path, above=above)
    return problems


def _quote(text: str) -> str:
    return "quote it: '" + text.replace("'", "''") + "'"


def _scalar(node: yaml.ScalarNode) -> tuple[str, str] | None:
    """Return what is wrong with a plain scalar and the fix, or None."""
    text, kind = node.value, node.tag.removeprefix(TAG)
    if node.style in ("'", '"', "|", ">") or kind in ("null", "merge"):
        return None
    if kind == "str":
        if NUMBER.fullmatch(text) and "e" in text.casefold():
            return f"{text} is text to YAML, not a number", f"write {float(text)!r}, or quote it"
        return None
    if kind == "int" and not WHOLE.fullmatch(text):
        return f"{text} is the number {yaml.safe_load(text)} to YAML", _quote(text)
    if kind == "float":
        number = yaml.safe_load(text)
        if not abs(number) < float("inf"):
            return f"{text} is no finite number", "give one"
        if not NUMBER.fullmatch(text):
            return f"{text} is the number {number} to YAML", _quote(text)
    elif kind == "bool" and text.casefold() not in ("true", "false"):
        seen = str(yaml.safe_load(text)).lower()
        return f"{text} is {seen} to YAML", f"{_quote(text)}, or write {seen}"
    elif kind not in ("int", "bool"):
        said = "a date" if kind == "timestamp" else f"of the tag {node.tag}"
        return f"{text} is {said} to YAML", _quote(text)
    return None
