"""What the tests share."""

from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]


@pytest.fixture
def real_input():
    """Return a path below ../shared; skip the test where that folder is absent."""

    def find(name: str) -> Path:
        path = PROJECT.parent / "shared" / name
        if not path.exists():
            pytest.skip(f"real input {name} is not on this machine")
        return path

    return find
