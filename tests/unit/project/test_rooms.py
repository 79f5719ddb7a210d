"""The rooms of the library: each knows only those below it, and none is a crowd."""

from pathlib import Path

import pytest
from imports import imported_names

LIBRARY = Path(__file__).parents[3] / "workflow" / "scripts" / "stim2bold"
#: From the ground up. A module may import from its own room and from those before it.
ROOMS = (
    *("runtime", "io", "preprocessing", "stimulus", "networks", "models", "evaluation", "vae"),
    *("simulation/film", "simulation/brain", "study", "decoding", "sound", "report"),
)
MODULES = sorted(path for path in LIBRARY.rglob("*.py") if path.name != "__init__.py")


def room_of(path: Path) -> str:
    """The folder of a module, from the library's root."""
    return path.parent.relative_to(LIBRARY).as_posix()


def test_every_module_lies_in_a_room_and_no_room_is_a_crowd():
    rooms = [room_of(path) for path in MODULES]
    assert set(rooms) == set(ROOMS)
    assert max(map(rooms.count, ROOMS)) <= 24


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(LIBRARY).as_posix())
def test_imports_go_down(path):
    below = ROOMS[: ROOMS.index(room_of(path)) + 1]
    for name in imported_names(path):
        source = LIBRARY.parent.joinpath(*name.split(".")).with_suffix(".py")
        if name.startswith("stim2bold.") and source.is_file():
            assert room_of(source) in below, f"{path.name} imports {name}"
