"""The system's Chromium, and pages whose every error and request is kept."""

import os
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

#: Nothing but what the pages themselves do; sound without a click.
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--autoplay-policy=no-user-gesture-required",
]


def chromium() -> str:
    """The system's Chromium; where there is none the tests are skipped; in CI they fail."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        reason = "no Chromium on this machine (Debian: apt-get install chromium)"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    return found


class Visit:
    """One page of a report in a browser, and what it said and asked for.

    Attributes
    ----------
    page : Page
    faults : list of str
        Console errors, exceptions, failed requests, dialogs and requests that leave the folder.
    """

    def __init__(self, browser: Browser, folder: Path, name: str, **options):
        self.folder = folder.as_uri()
        self.faults: list[str] = []
        self.page: Page = browser.new_page(**{"viewport": {"width": 1280, "height": 900}} | options)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.faults.append(f"exception: {error}"))
        self.page.on("requestfailed", self._failed)
        self.page.on("request", self._request)
        self.page.on("dialog", self._dialog)
        self.page.goto((folder / name).as_uri())

    def _console(self, message) -> None:
        if message.type == "error":
            self.faults.append(f"{message.type}: {message.text}")

    def _failed(self, request) -> None:
        # Who leaves a page breaks off what it is still loading, which is no fault of the page.
        if request.failure != "net::ERR_ABORTED":
            self.faults.append(f"failed: {request.url}: {request.failure}")

    def _request(self, request) -> None:
        if not request.url.startswith((self.folder, "data:", "blob:")):
            self.faults.append(f"left the folder: {request.url}")

    def _dialog(self, dialog) -> None:
        self.faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def see_everything(self) -> None:
        """Scroll through the page until every view has started and every picture is there."""
        views = self.page.locator("[data-view]")
        for index in range(views.count()):
            views.nth(index).scroll_into_view_if_needed()
        for picture in self.page.locator("img:visible").all():
            picture.scroll_into_view_if_needed()
        self.page.wait_for_function(
            "document.querySelectorAll('[data-view]:not([data-ready])').length === 0"
        )
        self.page.wait_for_function(
            "[...document.images].every((one) => !one.checkVisibility() || one.naturalWidth > 0)"
        )
