"""What the tests share."""

from pathlib import Path

import pytest
from browsing import FLAGS, Visit, chromium
from playwright.sync_api import sync_playwright

PROJECT = Path(__file__).parents[1]
pytest_plugins = ["left_behind", "store"]
#: What a test that takes a fixture needs, as a mark.
NEEDS = {"browser": "browser", "tiny_study": "study", "slurm": "slurm", "conda": "conda"}
#: Files that take minutes, the dearest first; each then runs beside many small ones. What compares
#: its results with the tiny study's comes after what makes it, or has minutes of its own before.
FIRST = (
    "test_conda.py",
    "test_slurm.py",
    "test_tiny_study.py",
    "test_invalidation.py",
    "test_preprocess.py",
    "test_read_files.py",
    "test_check.py",
    "test_plan.py",
    "test_report.py",
    "test_real_head.py",
)
LAST = ("test_fmriprep_study.py", "test_generic_cluster.py")


def pytest_collection_modifyitems(items):
    """Mark each test by what it needs, and put the dearest files first."""
    for item in items:
        for fixture in getattr(item, "fixturenames", ()):
            if fixture in NEEDS:
                item.add_marker(NEEDS[fixture])

    def place(item):
        name = item.path.name
        if name in FIRST:
            return FIRST.index(name)
        return len(FIRST) + LAST.index(name) + 1 if name in LAST else len(FIRST)

    items.sort(key=place)


@pytest.fixture
def real_input():
    """Return a path below ../shared; skip the test where that folder is absent."""

    def find(name: str) -> Path:
        path = PROJECT.parent / "shared" / name
        if not path.exists():
            pytest.skip(f"real input {name} is not on this machine")
        return path

    return find


@pytest.fixture(scope="session")
def browser():
    """The system's Chromium."""
    # Where there is none, not even the program starts that would drive it: a bare Debian lacks
    # what that needs.
    path = chromium()
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield found
        found.close()


@pytest.fixture
def visit(browser):
    """Return a function that opens a page of a report; at the end nothing may have gone wrong."""
    visits = []

    def open_page(folder: Path, name: str, **options) -> Visit:
        visits.append(Visit(browser, folder, name, **options))
        return visits[-1]

    yield open_page
    for one in visits:
        one.page.close()
        assert one.faults == []
