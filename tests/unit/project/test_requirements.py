"""What `make` installs: complete, exact, and nothing that no one needs."""

import importlib.metadata
import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).parents[3]
#: What the builds of torch for graphics cards require beside what its build for processors does.
FOR_CARDS = re.compile("nvidia-|cuda-|triton$")
#: Asked for by a package whose requirements are not followed, and not needed.
LEFT_OUT = {"pyrender"}


def listed(name: str) -> dict[str, Requirement]:
    """Requirements of a file by canonical name."""
    lines = (PROJECT / name).read_text().splitlines()
    found = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(requirement.name): requirement for requirement in found}


def needs(name: str) -> set[str]:
    """What an installed package requires on this machine."""
    found = map(Requirement, importlib.metadata.requires(name) or [])
    return {
        canonicalize_name(requirement.name)
        for requirement in found
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    }


def here(requirements: dict[str, Requirement]) -> set[str]:
    """Those that this Python asks for."""
    return {n for n, r in requirements.items() if r.marker is None or r.marker.evaluate()}


PINNED = listed("requirements.txt")
ALONE = listed("requirements-no-deps.txt")


def test_every_version_is_exact():
    for requirement in [*PINNED.values(), *ALONE.values()]:
        assert re.fullmatch(r"==[\w.]+", str(requirement.specifier)), requirement


@pytest.mark.parametrize("name", sorted(here(PINNED) | here(ALONE)))
def test_what_a_package_requires_is_listed(name):
    missing = needs(name) - set(PINNED)
    assert {one for one in missing if not FOR_CARDS.match(one)} <= LEFT_OUT


def test_what_is_installed_is_what_is_listed():
    for name, requirement in {**PINNED, **ALONE}.items():
        if requirement.marker is None or requirement.marker.evaluate():
            assert requirement.specifier.contains(importlib.metadata.version(name)), name
