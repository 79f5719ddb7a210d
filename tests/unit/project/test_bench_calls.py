"""The benchmarks are run seldom: what they call of the library must be there all the same."""

import ast
import importlib
import inspect
import sys
from pathlib import Path
from types import ModuleType

import pytest

BENCH = Path(__file__).resolve().parents[3] / "bench"
sys.path.insert(0, str(BENCH))


def calls(path):
    """Return (line, function, positional arguments, keywords) of each call of a module's name."""
    module = importlib.import_module(path.stem)
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        function = None
        if isinstance(node.func, ast.Name):
            function = getattr(module, node.func.id, None)
        elif isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
            owner = getattr(module, node.func.value.id, None)
            if isinstance(owner, ModuleType):
                function = getattr(owner, node.func.attr)
        ours = getattr(function, "__module__", "") or ""
        whole = not any(isinstance(one, ast.Starred) for one in node.args)
        if whole and (ours.startswith("stim2bold") or (BENCH / f"{ours}.py").exists()):
            found.append((node.lineno, function, len(node.args), [k.arg for k in node.keywords]))
    return found


@pytest.mark.parametrize(
    "path",
    # That which only starts the others reads its command line.
    [path for path in sorted(BENCH.glob("*.py")) if path.stem != "measure"],
    ids=lambda path: path.stem,
)
def test_what_is_called_is_there_and_takes_these_arguments(path):
    for line, function, n_arguments, names in calls(path):
        signature = inspect.signature(function)
        try:
            # Keywords given as **options may be any.
            bind = signature.bind_partial if None in names else signature.bind
            bind(*range(n_arguments), **{name: 0 for name in names if name})
        except TypeError as error:
            raise AssertionError(
                f"{path.name}, line {line}: {function.__name__}: {error}"
            ) from None
