"""What the tests share."""

from pathlib import Path

import pytest
from browsing import Visit, launch
from playwright.sync_api import sync_playwright

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


@pytest.fixture(scope="session")
def browser():
    """The system's Chromium."""
    with sync_playwright() as playwright:
        found = launch(playwright)
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
        # Closing a page breaks off what it is still loading, which is no fault of the page.
        faults = list(one.faults)
        one.page.close()
        assert faults == []
