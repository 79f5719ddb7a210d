"""What a script imports of the project, against Python's own reading of it."""

from pathlib import Path

from imports import imported_names

from stim2bold.runtime import code_digest

SCRIPTS = Path(__file__).parents[3] / "workflow" / "scripts"
FILES = sorted(SCRIPTS.rglob("*.py"))
PLANTED = '''"""Words about what to import.

from here on: a docstring.
"""
import os, stim2bold.models.hrf as response
from stim2bold.io import (  # shared
    files,
    arrays as network,
)
from stim2bold.runtime.errors import InputError

def late():
    from stim2bold.evaluation.maps import save_map
    import stim2bold.nothing

text = "from stim2bold.models import folds"
'''


def by_ast(source: Path) -> set[Path]:
    """Modules of the project that a file imports, by its syntax tree."""
    paths = {SCRIPTS / (name.replace(".", "/") + ".py") for name in imported_names(source)}
    return {path for path in paths if path.is_file()}


def test_imports_are_those_of_the_syntax_tree():
    assert len(FILES) > 100
    wrong = {path.name: code_digest.imported(path) ^ by_ast(path) for path in FILES}
    assert {name: paths for name, paths in wrong.items() if paths} == {}


def test_imports_in_every_form_and_nothing_from_text(tmp_path):
    path = tmp_path / "planted.py"
    path.write_text(PLANTED)
    names = {found.stem for found in code_digest.imported(path)}
    assert names == {"hrf", "files", "arrays", "errors", "maps"}
    assert code_digest.imported(path) == by_ast(path)


def test_a_digest_stands_for_a_script_and_all_that_it_reaches():
    reached = code_digest.closure(SCRIPTS / "train_vae.py")
    assert SCRIPTS / "stim2bold" / "vae" / "network.py" in reached
    assert SCRIPTS / "train_vae.py" not in reached
    # What is reached is closed: nothing in it imports what is not.
    for path in reached:
        assert by_ast(path) <= set(reached)
    found = {path.name: code_digest.digest(path.name) for path in SCRIPTS.glob("*.py")}
    assert len(set(found.values())) == len(found)
