"""What a Python file imports, by its syntax tree."""

import ast
from pathlib import Path


def imported_names(source: Path) -> set[str]:
    """Return the dotted names of all that a file imports: modules, and what is taken from them."""
    names = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source}: relative imports are not looked for"
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names
