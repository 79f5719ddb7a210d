"""What is configured counts: no program falls back on the defaults of a settings class."""

import ast
from pathlib import Path

SCRIPTS = Path(__file__).parents[3] / "workflow" / "scripts"
#: The presets of config.yaml are made of it, and a film has no streams that nobody chose.
ALLOWED = {("settings.py", "VAESettings"), ("film.py", "StreamSettings")}


def test_no_settings_are_made_of_nothing():
    made = set()
    for path in SCRIPTS.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and not node.args and not node.keywords:
                name = ast.unparse(node.func).rpartition(".")[2]
                if name.endswith("Settings"):
                    made.add((path.name, name))
    assert made == ALLOWED
